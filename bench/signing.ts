/** SigV4 in the Authorization header, for requests that are signed before the clock of a measurement runs. */
import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from '../e2e/src/server.ts';
import type { Request } from './load.ts';

const REGION_SCOPE = 'us-east-1/s3/aws4_request';
const SIGNED = 'host;x-amz-content-sha256;x-amz-date';

/** The request with the headers that sign it; its body is left unsigned. */
export function signed(request: Request, host: string, { accessKeyId, secretAccessKey }: Credentials): Request {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': time };
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = [request.method, request.target, '', lines.join(''), SIGNED, 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, `${day}/${REGION_SCOPE}`, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, ...REGION_SCOPE.split('/')].reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const credential = `${accessKeyId}/${day}/${REGION_SCOPE}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED}, Signature=${hmac(key, toSign).toString('hex')}`;
  return { ...request, headers: { ...request.headers, ...headers, authorization } };
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
