/** Gathers lent chunks into parts. */
import type { Bytes } from '../contract.ts';
import type { Leaving, PartMemory } from './partMemory.ts';
import type { Payload, PayloadHash } from './payload.ts';
import { PIECE } from './pieces.ts';

/** Whoever receives it ends its memory's leaving, whatever comes of it. */
export interface GatheredPart extends Leaving {
  readonly payload: Payload;
  /** The last one has what was left: less than was wanted, perhaps nothing. */
  readonly last: boolean;
}

export interface Gathering {
  readonly memory: PartMemory;
  readonly startHash: () => PayloadHash;
  /** By the part's number, from 1; in bytes. */
  readonly wantedSize: (number: number) => number;
}

/** A body in parts of the wanted size. */
export async function* partsOf(body: Bytes, gathering: Gathering): AsyncGenerator<GatheredPart, void, void> {
  const part = openFillingPart(gathering);
  try {
    yield* gather(body, part);
  } finally {
    part.drop();
  }
}

async function* gather(body: Bytes, part: FillingPart): AsyncGenerator<GatheredPart, void, void> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      at += await part.fill(chunk.subarray(at));
      if (part.isFull()) yield part.leave({ last: false });
    }
  }
  yield part.leave({ last: true });
}

interface FillingPart {
  /** Copies some of the chunk's beginning; answers how much. */
  fill(chunk: Uint8Array): Promise<number>;
  isFull(): boolean;
  /** What was gathered; the next part begins empty. */
  leave(as: { readonly last: boolean }): GatheredPart;
  /** Gives back what has not left. */
  drop(): void;
}

function openFillingPart({ memory, startHash, wantedSize }: Gathering): FillingPart {
  let number = 1;
  let wanted = wantedSize(number);
  let hash = startHash();
  let pieces: Uint8Array[] = [];
  let size = 0;

  function next(): void {
    number += 1;
    wanted = wantedSize(number);
    hash = startHash();
    pieces = [];
    size = 0;
  }

  return {
    isFull: () => size === wanted,
    async fill(chunk) {
      const within = size % PIECE;
      if (within === 0) pieces.push(await memory.take(pieces));
      const copied = chunk.subarray(0, Math.min(PIECE - within, wanted - size));
      pieces.at(-1)?.set(copied, within);
      hash.update(copied);
      size += copied.byteLength;
      return copied.byteLength;
    },
    leave(as) {
      const leaving = memory.leave(pieces);
      const filled = pieces.map((piece, n) => piece.subarray(0, size - n * PIECE));
      const payload = { pieces: filled, size, sha256: hash.sha256() };
      next();
      return { payload, ...as, ...leaving };
    },
    drop() {
      memory.give(pieces);
      pieces = [];
    },
  };
}
