/** Requests for tests, as the edge would hand them on. */
import assert from 'node:assert/strict';
import type { AccessKeyConfig } from '@bonded/crds';
import { ArtefactError, type ErrorCode } from '../../src/errors.ts';
import type { RequestHead } from '../../src/protocols/contract.ts';
import type { Bytes } from '../../src/storage/contract.ts';

/** The credentials of AWS's published examples. */
export const EXAMPLE_KEY: AccessKeyConfig = {
  namespace: 'team-a',
  secretName: 'example',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** The time of those examples. */
export const EXAMPLE_TIME = Date.parse('2013-05-24T00:00:00Z');
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export function lookup(accessKeyId: string): AccessKeyConfig | undefined {
  return accessKeyId === EXAMPLE_KEY.accessKeyId ? EXAMPLE_KEY : undefined;
}

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A request's head: the target as on the wire, headers by name (several values: several lines). */
export function head(method: string, target: string, headers: Headers = {}): RequestHead {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [name.toLowerCase(), one] as const));
  const joined: Record<string, string> = {};
  for (const [name, value] of rawHeaders) joined[name] = joined[name] === undefined ? value : `${joined[name]}, ${value}`;
  const question = target.indexOf('?');
  const rawPath = question === -1 ? target : target.slice(0, question);
  const query = [...new URLSearchParams(question === -1 ? '' : target.slice(question))];
  const host = joined['host'] ?? '';
  return { id: 'test', method, target, rawPath, query, headers: joined, rawHeaders, remoteAddress: '127.0.0.1', secure: false, host };
}

/** Bytes in chunks of the given sizes (the rest in one). */
export async function* wire(bytes: Uint8Array, sizes: readonly number[] = []): Bytes {
  let at = 0;
  for (const size of sizes) {
    if (size > 0 && at < bytes.length) yield bytes.slice(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.slice(at);
}

export async function collect(bytes: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Asserts that it throws an ArtefactError of that code, and answers it. */
export async function refused(action: () => unknown, code: ErrorCode, message?: RegExp): Promise<ArtefactError> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof ArtefactError, `expected ${code}, got ${String(thrown)}`);
  assert.equal(thrown.code, code, thrown.message);
  if (message !== undefined) assert.match(thrown.message, message);
  return thrown;
}
