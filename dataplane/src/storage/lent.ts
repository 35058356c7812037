/** Memory of chunks that a socket filled. */

/**
 * Frees a chunk's memory now, when nothing reads it any more. Node allocates each chunk anew, outside the heap; left to the garbage
 * collector, 64 KiB buffers make it mark the whole heap again every dozen MiB, which costs more than receiving them does. A chunk that
 * shares its buffer with others is left to the collector.
 */
export function freeChunk({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
