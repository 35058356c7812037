/** Large buffers that go round: between file and socket a transfer needs two, and none is allocated per chunk. */

/** Chunk size of transfers, in bytes: one system call per MiB. */
export const LARGE_SLAB = 1024 * 1024;

/** What a transfer gets instead when too many large ones are out, or when it is short. */
export const SMALL_SLAB = 128 * 1024;

/** Large slabs that may be out at once in this process: 64 MiB. Many slow transfers then cost 128 KiB each, not 1 MiB. */
const LARGE_BUDGET = 64;

/** Slabs of each size that are kept for the next transfer. */
const KEPT = 16;

export interface Slabs {
  /** A buffer of `LARGE_SLAB` or `SMALL_SLAB` bytes for a transfer of `wanted` bytes. Its content is old. */
  take(wanted: number): Uint8Array;
  /** Gives it back: the caller, and everyone it lent the buffer to, has done with it. */
  giveBack(slab: Uint8Array): void;
}

/** A pool of slabs. */
export function openSlabs(budget: number = LARGE_BUDGET): Slabs {
  const free = { large: [] as Uint8Array[], small: [] as Uint8Array[] };
  let largeOut = 0;
  return {
    take(wanted) {
      if (wanted <= SMALL_SLAB || largeOut >= budget) return free.small.pop() ?? Buffer.allocUnsafeSlow(SMALL_SLAB);
      largeOut += 1;
      return free.large.pop() ?? Buffer.allocUnsafeSlow(LARGE_SLAB);
    },
    giveBack(slab) {
      const large = slab.byteLength === LARGE_SLAB;
      if (large) largeOut -= 1;
      const kept = large ? free.large : free.small;
      if (kept.length < KEPT) kept.push(slab);
    },
  };
}
