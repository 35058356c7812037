/** The body of an answer as chunks that are lent: read a little ahead of who asks for them, and freed as soon as the next is asked for. */
import type { Readable } from 'node:stream';
import { freeChunk, openLentQueue } from '../lent.ts';

/** Bytes read ahead, so that both networks are busy. */
const READ_AHEAD = 256 * 1024;

export interface AnswerBody {
  /** The next chunk, valid until the next call; undefined at the end. Throws what broke the answer, once all before it was given. */
  next(): Promise<Uint8Array | undefined>;
  /** Frees all chunks, and ends the connection if there is more to come. `reason`: what a `next` that waits shall throw. */
  close(reason?: Error): void;
}

/** Takes over the body of an answer that nobody has read of yet. */
export function openAnswerBody(body: Readable): AnswerBody {
  const queue = openLentQueue(body, READ_AHEAD);
  let state: 'coming' | 'ended' | { readonly thrown: unknown } = 'coming';
  let wake: (() => void) | undefined;

  function over(next: typeof state): void {
    if (state === 'coming') state = next;
    wake?.();
  }

  body.on('data', (chunk: Uint8Array) => {
    if (body.destroyed) return freeChunk(chunk);
    queue.push(chunk);
    wake?.();
  });
  body.on('end', () => over('ended'));
  body.on('error', (thrown) => over({ thrown }));
  body.on('close', () => over({ thrown: new Error('the connection ended before the answer') }));

  return {
    async next() {
      queue.free();
      while (queue.length === 0 && state === 'coming') {
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
      if (queue.length > 0) return queue.take();
      if (typeof state === 'object') throw state.thrown;
      return undefined;
    },
    close(reason) {
      over(reason ? { thrown: reason } : 'ended');
      queue.drop();
      body.destroy();
    },
  };
}
