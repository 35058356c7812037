/** Gathers lent chunks into parts. */
import type { Bytes } from '../contract.ts';

/** A part begins with this much memory, so that slow senders do not hold that of a whole part, in bytes. */
const FIRST = 1024 * 1024;

export interface GatheredPart {
  /** The receiver's own. */
  readonly bytes: Uint8Array;
  /** The last one has what was left: less than was wanted, perhaps nothing. */
  readonly last: boolean;
}

/** A body in parts of the wanted size, which goes by their number, from 1. */
export async function* partsOf(body: Bytes, wantedSize: (number: number) => number): AsyncGenerator<GatheredPart, void, void> {
  const buffer = openPartBuffer();
  let number = 1;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      at += buffer.fill(chunk.subarray(at), wantedSize(number));
      if (buffer.size < wantedSize(number)) continue;
      number += 1;
      yield { bytes: buffer.take(), last: false };
    }
  }
  yield { bytes: buffer.take(), last: true };
}

interface PartBuffer {
  /** Bytes gathered. */
  readonly size: number;
  /** Copies as much of the chunk as fits into a part of `wanted` bytes; answers how much. */
  fill(chunk: Uint8Array, wanted: number): number;
  /** What was gathered; the next part begins empty. */
  take(): Uint8Array;
}

/** An empty buffer. */
function openPartBuffer(): PartBuffer {
  let memory: Uint8Array = new Uint8Array();
  let size = 0;

  function makeRoom(needed: number, wanted: number): void {
    if (needed <= memory.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(needed <= FIRST ? Math.min(wanted, FIRST) : wanted);
    larger.set(memory.subarray(0, size));
    memory = larger;
  }

  return {
    get size() {
      return size;
    },
    fill(chunk, wanted) {
      const part = chunk.subarray(0, wanted - size);
      makeRoom(size + part.byteLength, wanted);
      memory.set(part, size);
      size += part.byteLength;
      return part.byteLength;
    },
    take() {
      const part = memory.subarray(0, size);
      memory = new Uint8Array();
      size = 0;
      return part;
    },
  };
}
