/**
 * Memory for the parts of all uploads of a process, in small pieces that are used again. A part holds as much as has come of it, and
 * whoever wants more than there is waits for parts that are on their way.
 */
import { freeChunk } from '../lent.ts';

/** Size of a piece, in bytes: what a body's chunks mostly are, so that few are half empty. */
export const PIECE = 256 * 1024;

/** When nothing was held for so long, the memory is given back, in ms. */
const IDLE_MS = 5_000;

export interface PartMemory {
  /**
   * A piece; what was in it is there still. Where as many are held as there shall be, it waits for those that are leaving. While none is,
   * waiting would not end, so then there is one all the same: parts must get full to leave.
   */
  take(): Promise<Uint8Array>;
  /** These are leaving: they will come back, or be lost, by themselves. */
  leave(pieces: readonly Uint8Array[]): Leaving;
  /** They never left, and nothing reads them any more. */
  give(pieces: readonly Uint8Array[]): void;
}

/** Ends once; whatever is called after that does nothing. */
export interface Leaving {
  /** Nothing reads them any more. */
  readonly back: () => void;
  /** Something may read them still: they are not used again. */
  readonly lost: () => void;
}

/** Memory of so many pieces; at rest there is none. */
export function openPartMemory(most: number, idleMs = IDLE_MS): PartMemory {
  const free: Uint8Array[] = [];
  const waiting: ((piece: Uint8Array) => void)[] = [];
  let held = 0;
  let leaving = 0;
  let idle: NodeJS.Timeout | undefined;

  function next(): Uint8Array {
    held += 1;
    return free.pop() ?? Buffer.allocUnsafeSlow(PIECE);
  }

  function serve(): void {
    while (waiting.length > 0 && mayTake()) waiting.shift()?.(next());
    if (held === 0) idle ??= setTimeout(giveBack, idleMs).unref();
  }

  const mayTake = (): boolean => held < most || leaving === 0;

  function giveBack(): void {
    idle = undefined;
    if (held === 0) free.splice(0).forEach(freeChunk);
  }

  function give(pieces: readonly Uint8Array[]): void {
    held -= pieces.length;
    for (const piece of pieces) {
      if (held + free.length < most) free.push(piece);
      else freeChunk(piece);
    }
    serve();
  }

  return {
    give,
    async take() {
      if (waiting.length === 0 && mayTake()) return next();
      return new Promise((resolve) => waiting.push(resolve));
    },
    leave(pieces) {
      let gone = false;
      leaving += pieces.length;
      const end = (): boolean => {
        if (gone) return false;
        gone = true;
        leaving -= pieces.length;
        return true;
      };
      return {
        back() {
          if (end()) give(pieces);
        },
        lost() {
          if (!end()) return;
          held -= pieces.length;
          serve();
        },
      };
    },
  };
}
