/** The hashing thread: keeps running hashes by stream number and feeds them slabs that it shares with the main thread. */
import { parentPort } from 'node:worker_threads';
import { startHash } from './checksums.ts';
import type { HashAlgorithm, RunningHash } from './checksums.ts';

/** What the main thread asks. `update` and `finish` are answered, in order. */
export type HashRequest =
  | { readonly kind: 'open'; readonly stream: number; readonly algorithm: HashAlgorithm }
  | {
      readonly kind: 'update';
      readonly stream: number;
      readonly buffer: SharedArrayBuffer;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'finish'; readonly stream: number }
  | { readonly kind: 'drop'; readonly stream: number };

/** `value` is there for `finish`. */
export interface HashAnswer {
  readonly stream: number;
  readonly value?: Uint8Array;
}

const port = parentPort;
if (port === null) throw new Error('the hashing worker runs in a worker thread only');

const running = new Map<number, RunningHash>();
let queue: Promise<void> = Promise.resolve();

async function serve(request: HashRequest): Promise<HashAnswer | undefined> {
  switch (request.kind) {
    case 'open':
      running.set(request.stream, await startHash(request.algorithm));
      return undefined;
    case 'drop':
      running.delete(request.stream);
      return undefined;
    case 'update':
      running.get(request.stream)?.update(new Uint8Array(request.buffer, request.offset, request.length));
      return { stream: request.stream };
    case 'finish': {
      const hash = running.get(request.stream);
      running.delete(request.stream);
      return hash === undefined ? { stream: request.stream } : { stream: request.stream, value: hash.digest() };
    }
  }
}

port.on('message', (request: HashRequest) => {
  queue = queue.then(async () => {
    const answer = await serve(request);
    if (answer !== undefined) port.postMessage(answer);
  });
});
