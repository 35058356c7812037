/** Tiny chunks of a body, gathered: a sender may cut it into chunks of one byte, and each would cost every consumer a turn. */

/** Chunks below this are gathered. */
export const TINY = 4096;

const ROOM = 16 * 1024;

export interface Crumbs {
  /** Takes a tiny chunk; true when there is no room for another. */
  add(chunk: Uint8Array): boolean;
  /** All of them as one; undefined when there is none. One alone is not copied. */
  sweep(): Uint8Array | undefined;
}

export function createCrumbs(): Crumbs {
  let alone: Uint8Array | undefined;
  let buffer: Uint8Array | undefined;
  let filled = 0;
  const copy = (to: Uint8Array, chunk: Uint8Array) => {
    to.set(chunk, filled);
    filled += chunk.length;
  };
  return {
    add(chunk) {
      if (buffer === undefined && alone === undefined) {
        alone = chunk;
        return false;
      }
      buffer ??= Buffer.allocUnsafeSlow(ROOM);
      if (alone) copy(buffer, alone);
      alone = undefined;
      copy(buffer, chunk);
      return filled > ROOM - TINY;
    },
    sweep() {
      const all = alone ?? buffer?.subarray(0, filled);
      alone = undefined;
      buffer = undefined;
      filled = 0;
      return all;
    },
  };
}
