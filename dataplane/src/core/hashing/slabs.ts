/**
 * Slabs: large recycled buffers, shared with the hashing threads. Bytes from the network are copied into one once; the disk
 * write and every hash then read it where it is, and it is used again when all of them are done.
 */
import type { Bytes } from '../../storage/contract.ts';

/** Large enough that a message per slab costs nothing, small enough that a slow sender holds little. */
export const SLAB_BYTES = 256 * 1024;

/** Filled slabs that may be ahead of the consumer, per stream. */
export const SLABS_AHEAD = 3;

/** Buffers kept for later, per process. */
const KEEP_FREE = 32;

const free: SharedArrayBuffer[] = [];

/** A filled buffer and how many still read it. */
export interface Slab {
  readonly buffer: SharedArrayBuffer;
  readonly length: number;
}

export function takeBuffer(): SharedArrayBuffer {
  return free.pop() ?? new SharedArrayBuffer(SLAB_BYTES);
}

/** Gives a buffer back; nobody may read it any more. */
export function giveBuffer(buffer: SharedArrayBuffer): void {
  if (free.length < KEEP_FREE) free.push(buffer);
}

/** Copies chunks into slabs: all full but the last. A slab belongs to whoever receives it, who must `giveBuffer` it. */
export async function* fillSlabs(source: Bytes): AsyncGenerator<Slab, void, void> {
  let buffer: SharedArrayBuffer | undefined;
  let filled = 0;
  try {
    for await (const piece of piecesOf(source, () => SLAB_BYTES - filled)) {
      buffer ??= takeBuffer();
      new Uint8Array(buffer, filled, piece.length).set(piece);
      filled += piece.length;
      if (filled < SLAB_BYTES) continue;
      const full = buffer;
      buffer = undefined;
      filled = 0;
      yield { buffer: full, length: SLAB_BYTES };
    }
    if (buffer === undefined) return;
    const last = { buffer, length: filled };
    buffer = undefined;
    yield last;
  } finally {
    if (buffer !== undefined) giveBuffer(buffer);
  }
}

/** Cuts chunks so that each piece fits into what `room` says is left. */
async function* piecesOf(source: Bytes, room: () => number): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + room());
      at += piece.length;
      yield piece;
    }
  }
}

/** Pulls `depth` items ahead of the consumer, so that reading goes on while the consumer works. `leftover` gets what was pulled and never consumed. */
export async function* readAhead<T>(
  source: AsyncGenerator<T, void, void>,
  depth: number,
  leftover: (item: T) => void,
): AsyncGenerator<T, void, void> {
  const pending: Promise<IteratorResult<T, void>>[] = [];
  const pull = (): void => {
    const next = source.next();
    next.catch(() => undefined);
    pending.push(next);
  };
  try {
    while (pending.length < depth) pull();
    for (;;) {
      const result = await pending.shift()!;
      if (result.done === true) return;
      pull();
      yield result.value;
    }
  } finally {
    void source.return().catch(() => undefined);
    for (const next of pending)
      void next.then((result) => (result.done === true ? undefined : leftover(result.value))).catch(() => undefined);
  }
}
