/**
 * Hashing off the event loop: a few threads ("lanes"), each running many hashes; the hashes of one stream are spread over
 * them, so that SHA-256 and MD5 of the same bytes run on different cores. Threads start when first needed and end when idle.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HashAlgorithm } from './checksums.ts';
import type { HashAnswer, HashRequest } from './worker.ts';

/** A hash that runs in a lane. */
export interface LaneHash {
  /** Resolves when the slab's bytes, from `offset` (0) on, are taken in, and its buffer may be used again. */
  update(buffer: SharedArrayBuffer, length: number, offset?: number): Promise<void>;
  digest(): Promise<Buffer>;
  /** Gives up; safe after `digest` too. */
  drop(): void;
}

/** MD5 has no instruction of its own and takes more than twice the time of the others. */
const COST: Readonly<Record<HashAlgorithm, number>> = { MD5: 5, SHA256: 2, SHA1: 2, SHA512: 4, CRC64NVME: 2, CRC32C: 2, CRC32: 1 };
const MAX_LANES = 4;
let most = Math.min(MAX_LANES, Math.max(2, availableParallelism()));
const IDLE_MS = 30_000;

interface Waiting {
  resolve(value: Uint8Array | undefined): void;
  reject(error: unknown): void;
}

/** One stream's unanswered requests, oldest first; forgotten when it is closed and none is left. */
interface Stream {
  readonly unanswered: Waiting[];
  closed: boolean;
}

interface Lane {
  readonly worker: Worker;
  readonly streams: Map<number, Stream>;
  load: number;
  /** Requests without an answer: while there are any, the process must not end; an open hash alone does not keep it. */
  asked: number;
  idle?: NodeJS.Timeout;
}

const lanes: Lane[] = [];
let streams = 0;

/**
 * This process is one of several that share the processor's cores: it has as many lanes as there are cores for it, at least one.
 * A lane takes 11 MiB, and brings nothing where the others' lanes have all cores busy.
 */
export function shareCores(processes: number): void {
  most = Math.min(MAX_LANES, Math.max(1, Math.floor(availableParallelism() / processes)));
}

/** Starts a hash in the least loaded lane. */
export function openLaneHash(algorithm: HashAlgorithm): LaneHash {
  const lane = pickLane();
  const stream = ++streams;
  const cost = COST[algorithm];
  const state: Stream = { unanswered: [], closed: false };
  lane.streams.set(stream, state);
  occupy(lane, cost);
  post(lane, { kind: 'open', stream, algorithm });
  const close = (): void => {
    if (state.closed) return;
    state.closed = true;
    if (state.unanswered.length === 0) lane.streams.delete(stream);
    occupy(lane, -cost);
  };
  return {
    update: async (buffer, length, offset = 0) => void (await ask(lane, { kind: 'update', stream, buffer, offset, length })),
    digest: async () => {
      try {
        const value = await ask(lane, { kind: 'finish', stream });
        if (value === undefined) throw new Error('a hashing thread lost a stream');
        return Buffer.from(value);
      } finally {
        close();
      }
    },
    drop: () => {
      if (!state.closed) post(lane, { kind: 'drop', stream });
      close();
    },
  };
}

function pickLane(): Lane {
  const least = lanes.reduce<Lane | undefined>((best, lane) => (best === undefined || lane.load < best.load ? lane : best), undefined);
  if (least === undefined || (least.load > 0 && lanes.length < most)) return startLane();
  return least;
}

function occupy(lane: Lane, cost: number): void {
  lane.load += cost;
  clearTimeout(lane.idle);
  if (lane.load > 0) return;
  lane.idle = setTimeout(() => retire(lane), IDLE_MS).unref();
}

function startLane(): Lane {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'hashing' });
  const lane: Lane = { worker, streams: new Map(), load: 0, asked: 0 };
  worker.on('message', (answer: HashAnswer) => settle(lane, answer));
  worker.on('error', (error) => fail(lane, error));
  worker.on('exit', () => fail(lane, new Error('a hashing thread ended')));
  worker.unref();
  lanes.push(lane);
  return lane;
}

function settle(lane: Lane, answer: HashAnswer): void {
  lane.asked -= 1;
  if (lane.asked === 0) lane.worker.unref();
  const state = lane.streams.get(answer.stream);
  state?.unanswered.shift()?.resolve(answer.value);
  if (state?.closed === true && state.unanswered.length === 0) lane.streams.delete(answer.stream);
}

function ask(lane: Lane, request: HashRequest & { readonly stream: number }): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const state = lane.streams.get(request.stream);
    if (state === undefined || !lanes.includes(lane)) return reject(new Error('the hashing thread is gone'));
    state.unanswered.push({ resolve, reject });
    lane.asked += 1;
    lane.worker.ref();
    post(lane, request);
  });
}

function post(lane: Lane, request: HashRequest): void {
  lane.worker.postMessage(request);
}

function retire(lane: Lane): void {
  const index = lanes.indexOf(lane);
  if (lane.load > 0 || index < 0) return;
  lanes.splice(index, 1);
  void lane.worker.terminate();
}

function fail(lane: Lane, error: unknown): void {
  const index = lanes.indexOf(lane);
  if (index >= 0) lanes.splice(index, 1);
  for (const state of lane.streams.values()) for (const one of state.unanswered) one.reject(error);
  lane.streams.clear();
}
