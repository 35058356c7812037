/** Memory of parts, used again: fresh memory for each would have to be collected, which takes more of the processor than all else. */

export interface PartMemory {
  /** Memory of just so many bytes; what was in it is there still. */
  take(bytes: number): Uint8Array;
  /** It is nobody's any more. */
  give(memory: Uint8Array): void;
}

/** Keeps at most `most` pieces of memory, each of `bytes`, for the next that wants as much. */
export function openPartMemory(bytes: number, most: number): PartMemory {
  const free: Uint8Array[] = [];
  return {
    take: (wanted) => (wanted === bytes ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(wanted),
    give(memory) {
      if (memory.byteLength === bytes && free.length < most) free.push(memory);
    },
  };
}
