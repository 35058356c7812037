/** Bodies to store and ways to read them back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bytes } from '../../../src/storage/contract.ts';
import type { ArtefactError, ErrorCode } from '../../../src/errors.ts';

let count = 0;

/** A blob id that no other test uses: time-ordered like those of the core. */
export function newId(): string {
  count += 1;
  return `01JD7K2M3N${String(count).padStart(16, '0')}`;
}

/** A key prefix that no other test uses. */
export function newSpace(): string {
  count += 1;
  return `t${count}:`;
}

/** Bytes that look random and are the same for the same seed. */
export function patterned(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 0; at < size; at += 1) {
    state ^= (state << 13) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

/** A body that lends one buffer again and again, in chunks of `chunk` bytes, and spoils it after each. */
export async function* lending(bytes: Uint8Array, chunk: number, shared = false): Bytes {
  const lent = new Uint8Array(shared ? new SharedArrayBuffer(chunk) : new ArrayBuffer(chunk));
  for (let at = 0; at < bytes.byteLength; at += chunk) {
    const part = bytes.subarray(at, Math.min(at + chunk, bytes.byteLength));
    lent.set(part);
    yield lent.subarray(0, part.byteLength);
    lent.fill(0xee);
  }
}

/** A body of one chunk, or of none when there are no bytes. */
export async function* whole(bytes: Uint8Array): Bytes {
  if (bytes.byteLength > 0) yield bytes;
}

/** A body that breaks after `size` bytes; `closed` is set when it was let go of. */
export function failing(size: number, failure: Error): { readonly body: Bytes; readonly state: { closed: boolean } } {
  const state = { closed: false };
  async function* body(): Bytes {
    try {
      yield* lending(patterned(size), 16 * 1024);
      throw failure;
    } finally {
      state.closed = true;
    }
  }
  return { body: body(), state };
}

/** Reads all; checks each chunk only after a while, just before the next is asked for. */
export async function read(bytes: Bytes, pauseMs = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) {
    if (pauseMs > 0) await sleep(pauseMs);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Fails with lengths and digests instead of megabytes of difference. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.byteLength, expected.byteLength);
  assert.equal(sha256(actual), sha256(expected));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An `assert.rejects` matcher for one code. */
export function failsWith(code: ErrorCode, details?: Readonly<Record<string, unknown>>): (thrown: unknown) => boolean {
  return (thrown) => {
    const error = thrown as ArtefactError;
    assert.equal(error.name, 'ArtefactError', String(error.stack));
    assert.equal(error.code, code, error.message);
    if (details) assert.deepEqual({ ...error.details }, details);
    return true;
  };
}
