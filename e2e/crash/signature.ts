/** Signs requests with version 4 of AWS' signatures, in the Authorization header: all that the harness needs of an SDK. */
import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from '../src/server.ts';

export interface Unsigned {
  readonly method: string;
  /** Path, coded, without query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case hex SHA-256 of the body, or UNSIGNED-PAYLOAD. */
  readonly payload: string;
  /** Ms since the epoch, by the server's clock. */
  readonly now: number;
}

/** All headers to send: those given, and the signature that covers them. */
export function signed(request: Unsigned, { accessKeyId, secretAccessKey }: Credentials): Record<string, string> {
  const time = `${new Date(request.now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-date': time,
    'x-amz-content-sha256': request.payload,
  };
  const names = Object.keys(headers).toSorted();
  const canonical = [
    request.method,
    request.path,
    queryText(request.query),
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    request.payload,
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope.split('/').reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${secretAccessKey}`));
  const signature = hmac(key, toSign).toString('hex');
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** The query as it is sent and signed: by name, everything coded that RFC 3986 reserves. */
export function queryText(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .toSorted()
    .map((name) => `${coded(name)}=${coded(query[name]!)}`)
    .join('&');
}

/** Codes everything but the unreserved characters of RFC 3986. */
export function coded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
