/** Chunks that a socket filled, lent one after another to whoever consumes them. */

/** A source of chunks that can be told to wait. */
export interface Flow {
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
}

/** Chunks on their way to a consumer. */
export interface LentQueue {
  readonly length: number;
  /** Takes a chunk in; the flow pauses when enough is read ahead. */
  push(chunk: Uint8Array): void;
  /** Lends the next chunk, until `free`; undefined when there is none now. The flow goes on when little is left. */
  take(): Uint8Array | undefined;
  /** The consumer has done with what it was lent. */
  free(): void;
  /** Frees all of them. */
  drop(): void;
}

/** Reads up to `readAhead` bytes of the flow ahead of the consumer, and goes on below half of that. */
export function openLentQueue(flow: Flow, readAhead: number): LentQueue {
  const queue: Uint8Array[] = [];
  let queued = 0;
  let lent: Uint8Array | undefined;
  const free = (): void => {
    if (lent) freeChunk(lent);
    lent = undefined;
  };
  return {
    get length() {
      return queue.length;
    },
    push(chunk) {
      queue.push(chunk);
      queued += chunk.byteLength;
      if (queued >= readAhead) flow.pause();
    },
    take() {
      lent = queue.shift();
      queued -= lent?.byteLength ?? 0;
      if (queued < readAhead / 2 && flow.isPaused()) flow.resume();
      return lent;
    },
    free,
    drop() {
      free();
      queue.splice(0).forEach(freeChunk);
      queued = 0;
    },
  };
}

/**
 * Frees a chunk's memory now, when nothing reads it any more. Node allocates each chunk anew, outside the heap; left to the garbage
 * collector, 64 KiB buffers make it mark the whole heap again every dozen MiB, which costs more than receiving them does. A chunk that
 * shares its buffer with others is left to the collector.
 */
export function freeChunk({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
