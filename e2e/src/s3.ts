/** The AWS SDK for JavaScript, set up for a server under test. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Server } from './server.ts';

/** A client with the server's Owner key, unless `config` says otherwise. */
export function s3Client(server: Server, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: server.credentials,
    maxAttempts: 2,
    ...config,
  });
}

/** Name and HTTP status of the error that a call of the SDK must end with. */
export async function errorOf(call: Promise<unknown>): Promise<{ readonly name: string; readonly status: number }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as { readonly name: string; readonly $metadata?: { readonly httpStatusCode?: number } },
  );
  if (error === undefined) throw new Error('The call succeeded, which it should not have.');
  return { name: error.name, status: error.$metadata?.httpStatusCode ?? 0 };
}
