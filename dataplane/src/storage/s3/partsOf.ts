/** Gathers lent chunks into parts. */
import type { Bytes } from '../contract.ts';
import type { PartMemory } from './partMemory.ts';

/** The first part begins with this much memory, so that small bodies and slow senders do not hold that of a whole part, in bytes. */
const FIRST = 1024 * 1024;

export interface GatheredPart {
  /** The receiver's own. */
  readonly bytes: Uint8Array;
  /** The last one has what was left: less than was wanted, perhaps nothing. */
  readonly last: boolean;
  /** Gives the memory back, once nothing reads it any more. A part that may still be on its way keeps it. */
  readonly release: () => void;
}

/** A body in parts of the wanted size, which goes by their number, from 1. */
export async function* partsOf(
  body: Bytes,
  memory: PartMemory,
  wantedSize: (number: number) => number,
): AsyncGenerator<GatheredPart, void, void> {
  const buffer = openPartBuffer(memory);
  try {
    yield* gather(body, buffer, wantedSize);
  } finally {
    buffer.take().release();
  }
}

async function* gather(body: Bytes, buffer: PartBuffer, wantedSize: (number: number) => number): AsyncGenerator<GatheredPart, void, void> {
  let number = 1;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      at += buffer.fill(chunk.subarray(at), wantedSize(number), number > 1);
      if (buffer.size < wantedSize(number)) continue;
      number += 1;
      yield { ...buffer.take(), last: false };
    }
  }
  yield { ...buffer.take(), last: true };
}

interface PartBuffer {
  /** Bytes gathered. */
  readonly size: number;
  /** Copies as much of the chunk as fits into a part of `wanted` bytes; answers how much. `more`: it will be full, most likely. */
  fill(chunk: Uint8Array, wanted: number, more: boolean): number;
  /** What was gathered; the next part begins empty. */
  take(): Pick<GatheredPart, 'bytes' | 'release'>;
}

/** An empty buffer. */
function openPartBuffer(memory: PartMemory): PartBuffer {
  let held: Uint8Array = new Uint8Array();
  let size = 0;

  function makeRoom(needed: number, wanted: number, more: boolean): void {
    if (needed <= held.byteLength) return;
    const larger = memory.take(needed <= FIRST && !more ? Math.min(wanted, FIRST) : wanted);
    larger.set(held.subarray(0, size));
    memory.give(held);
    held = larger;
  }

  return {
    get size() {
      return size;
    },
    fill(chunk, wanted, more) {
      const part = chunk.subarray(0, wanted - size);
      makeRoom(size + part.byteLength, wanted, more);
      held.set(part, size);
      size += part.byteLength;
      return part.byteLength;
    },
    take() {
      const taken = held;
      const bytes = taken.subarray(0, size);
      held = new Uint8Array();
      size = 0;
      return { bytes, release: () => memory.give(taken) };
    },
  };
}
