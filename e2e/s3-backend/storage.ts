/**
 * Lets servers under test keep their content in an S3 server: all of them when E2E_STORAGE names one (`versitygw` or `minio`), which
 * is how the tests of real clients run on the s3 driver too.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BACKENDS, startBackend, type Backend } from './backend.ts';

let shared: Promise<Backend> | undefined;

/** What a server's environment must say: nothing, unless E2E_STORAGE is set. Every server gets a bucket of its own. */
export async function storageEnvironment(folder: string): Promise<Readonly<Record<string, string>>> {
  const name = BACKENDS.find((backend) => backend === process.env.E2E_STORAGE);
  if (name === undefined) {
    if ((process.env.E2E_STORAGE ?? '') !== '') throw new Error(`E2E_STORAGE must be one of ${BACKENDS.join(', ')}.`);
    return {};
  }
  const backend = await (shared ??= startBackend(name));
  return storageIn(folder, backend, { bucket: await backend.newBucket() });
}

/** Writes the location file into a folder; answers the environment of a server that keeps its content in that bucket. */
export async function storageIn(
  folder: string,
  { endpoint, credentials }: Pick<Backend, 'endpoint' | 'credentials'>,
  more: { readonly bucket: string; readonly redirectDownloads?: true },
  name = 'storage.yaml',
): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify({ s3: { endpoint, region: 'us-east-1', forcePathStyle: true, prefix: 'bonded/', ...more } }));
  return { BONDED_STORAGE: file, AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
}
