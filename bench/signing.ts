/** SigV4 in the Authorization header, for requests that are signed before the clock of a measurement runs. */
import { createHash, createHmac } from 'node:crypto';
import type { Server } from '../e2e/src/server.ts';

const REGION_SCOPE = 'us-east-1/s3/aws4_request';

export const UNSIGNED = 'UNSIGNED-PAYLOAD';

export interface Unsigned {
  readonly method: 'GET' | 'PUT';
  /** Path and query as on the wire. */
  readonly target: string;
  /** Further headers that begin with `x-amz-`, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Hex SHA-256 of the body, or `UNSIGNED`. */
  readonly payload?: string;
}

/** The headers that the Owner of a server sends with the request. */
export function signedHeaders(
  { method, target, headers = {}, payload = UNSIGNED }: Unsigned,
  { host, credentials }: Pick<Server, 'host' | 'credentials'>,
): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const own: Record<string, string> = { ...headers, 'x-amz-content-sha256': payload, 'x-amz-date': time };
  const signed = Object.entries({ host, ...own }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [method, target, '', signed.map(([name, value]) => `${name}:${value}\n`).join(''), names, payload].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, `${day}/${REGION_SCOPE}`, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, ...REGION_SCOPE.split('/')].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const credential = `${credentials.accessKeyId}/${day}/${REGION_SCOPE}`;
  const signature = hmac(key, toSign).toString('hex');
  return { ...own, authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
