/** A whole house with a bucket, and a client that speaks to its uploads. */
import { createHash } from 'node:crypto';
import type { Rig } from '../../main/rig.ts';
import { raise } from '../../main/rig.ts';

export const BUCKET = 'builds';

export interface Bench extends Rig {
  /** Requests with headers; the body as bytes or text. */
  send(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: Uint8Array | string): Promise<Response>;
}

export async function openBench(options: Parameters<typeof raise>[0] = {}): Promise<Bench> {
  const rig = await raise(options);
  const made = await rig.ask(`/${BUCKET}`, { method: 'PUT' });
  if (!made.ok && made.status !== 409) throw new Error((await made.text()) + rig.log());
  return {
    ...rig,
    send: (method, path, headers = {}, body) => rig.ask(path, { method, headers, ...(body === undefined ? {} : { body }) }),
  };
}

export const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();
export const digestField = (bytes: Uint8Array | string): string => `sha-256=:${sha256(bytes).toString('base64')}:`;
