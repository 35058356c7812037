/** Small pieces of memory that are used again. */
import { freeChunk } from '../lent.ts';

/** Size of a piece, in bytes: what a body's chunks mostly are, so that few are half empty. */
export const PIECE = 256 * 1024;

/** Pieces that are taken and come back. */
export interface Pieces {
  /** How many are held. */
  readonly held: number;
  /** One more, however many are held; what was in it is there still. */
  take(): Uint8Array;
  /** Nobody reads these any more. Beyond the measure they are freed. */
  give(pieces: readonly Uint8Array[]): void;
  /** Somebody may read these still: they are not used again. */
  lose(pieces: readonly Uint8Array[]): void;
}

/** So many pieces, or more while they are held; at rest there is none. When nothing was held for `idleMs`, all memory is given back. */
export function openPieces(most: number, idleMs: number): Pieces {
  const free: Uint8Array[] = [];
  let held = 0;
  let idle: NodeJS.Timeout | undefined;

  function rest(): void {
    if (held === 0) idle ??= setTimeout(giveBack, idleMs).unref();
  }

  function giveBack(): void {
    idle = undefined;
    if (held === 0) free.splice(0).forEach(freeChunk);
  }

  return {
    get held() {
      return held;
    },
    take() {
      held += 1;
      return free.pop() ?? Buffer.allocUnsafeSlow(PIECE);
    },
    give(pieces) {
      held -= pieces.length;
      for (const piece of pieces) {
        if (held + free.length < most) free.push(piece);
        else freeChunk(piece);
      }
      rest();
    },
    lose(pieces) {
      held -= pieces.length;
      rest();
    },
  };
}
