/** Batches on their way to the writer thread: what comes while one group is being committed makes up the next group. */
import { ArtefactError } from '../../errors.ts';
import { fromReport, translate, unavailable } from './failure.ts';
import type { Outcome, WireBatch, WriterData } from './wire.ts';
import { startWriterThread } from './writerThread.ts';
import type { WriterThread } from './writerThread.ts';

/** Bytes of one group: bounds how long its commit takes. */
const GROUP_BYTES = 4 * 1024 * 1024;
const GROUP_BATCHES = 2000;

/** Bytes that may wait (the group under way included) before writes are answered `SlowDown`. */
export const MAX_PENDING_BYTES = 32 * 1024 * 1024;

/** What a batch weighs beside its keys and values. */
const BATCH_OVERHEAD = 256;

export interface WriteQueue {
  /** Resolves when the batch is on disk. Throws `Conflict` with `details.change`, `SlowDown`, `Unavailable`. Its blobs' buffers are taken away. */
  write(batch: WireBatch): Promise<void>;
  /** Lets everything that waits be written, then ends the thread. */
  close(): Promise<void>;
  /** The thread beneath, for tests of its death. */
  readonly thread: WriterThread;
}

export interface WriteQueueOptions extends WriterData {
  readonly maxPendingBytes?: number;
}

/** Starts the writer thread of a data directory. Rejects with `Unavailable` when it cannot open the database. */
export async function openWriteQueue(options: WriteQueueOptions): Promise<WriteQueue> {
  const queue = new GroupingQueue(options);
  queue.thread = await startWriterThread({ directory: options.directory, location: options.location, marks: options.marks }, queue);
  return queue;
}

interface Waiting {
  readonly batch: WireBatch;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (thrown: unknown) => void;
}

class GroupingQueue implements WriteQueue {
  thread!: WriterThread;
  readonly #location: string;
  readonly #maxPendingBytes: number;
  #waiting: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  #pendingBytes = 0;
  #state: 'open' | 'dead' | 'closed' = 'open';
  #scheduled = false;
  #drained: (() => void) | undefined;

  constructor(options: WriteQueueOptions) {
    this.#location = options.location;
    this.#maxPendingBytes = options.maxPendingBytes ?? MAX_PENDING_BYTES;
  }

  write(batch: WireBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#refuseWhenNotOpen();
      const bytes = weight(batch);
      // One that is larger than the bound is let in when nothing else waits.
      if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#maxPendingBytes) {
        throw new ArtefactError('SlowDown', `Storage location '${this.#location}' has too many writes waiting; try again in a moment.`);
      }
      this.#pendingBytes += bytes;
      this.#waiting.push({ batch, bytes, resolve, reject });
      this.#schedule();
    });
  }

  #refuseWhenNotOpen(): void {
    if (this.#state === 'closed') throw unavailable(this.#location, 'it is closed');
    if (this.#state === 'dead') throw unavailable(this.#location, 'its writer has ended and is being started again; try again in a moment');
  }

  /** At the end of this turn of the event loop, so that all requests that it serves share the group. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendGroup();
    });
  }

  #sendGroup(): void {
    if (this.#state === 'dead' || this.#waiting.length === 0) return;
    let bytes = 0;
    const cut = this.#waiting.findIndex(
      (waiting, index) => index >= GROUP_BATCHES || (index > 0 && (bytes += waiting.bytes) > GROUP_BYTES),
    );
    this.#underWay = this.#waiting.splice(0, cut < 0 ? this.#waiting.length : cut);
    const batches = this.#underWay.map((waiting) => waiting.batch);
    try {
      this.thread.send({ batches }, batches.flat().flatMap(buffersOf));
    } catch (thrown) {
      this.#rejectGroup(thrown);
    }
  }

  /** What cannot be sent was not done; what comes after it still can be. */
  #rejectGroup(thrown: unknown): void {
    const group = this.#underWay;
    this.#underWay = [];
    for (const waiting of group) {
      this.#pendingBytes -= waiting.bytes;
      waiting.reject(thrown);
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#schedule();
    else this.#drained?.();
  }

  onOutcomes(outcomes: readonly Outcome[]): void {
    const group = this.#underWay;
    this.#underWay = [];
    group.forEach((waiting, index) => this.#settle(waiting, outcomes[index]));
    this.#goOn();
  }

  #settle(waiting: Waiting, outcome: Outcome | undefined): void {
    this.#pendingBytes -= waiting.bytes;
    if (outcome === 'done') return waiting.resolve();
    if (outcome && 'conflict' in outcome) {
      return waiting.reject(
        new ArtefactError('Conflict', 'Another change came first; read again and retry.', { details: { change: outcome.conflict } }),
      );
    }
    const failure = outcome ? fromReport(outcome.failure) : new Error('The writer gave no outcome for a batch.');
    waiting.reject(translate(failure, this.#location));
  }

  onReady(): void {
    if (this.#state === 'dead') this.#state = 'open';
  }

  onDeath(cause: unknown): void {
    if (this.#state === 'open') this.#state = 'dead';
    const lost = [...this.#underWay, ...this.#waiting];
    this.#underWay = [];
    this.#waiting = [];
    this.#pendingBytes = 0;
    const reason = 'its writer ended before it answered, so this change may or may not have been made; read again and retry';
    for (const waiting of lost) waiting.reject(unavailable(this.#location, reason, cause));
    this.#drained?.();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#waiting.length > 0 || this.#underWay.length > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.thread.close();
  }
}

function weight(batch: WireBatch): number {
  return batch.reduce((sum, change) => sum + changeWeight(change), BATCH_OVERHEAD);
}

function changeWeight(change: WireBatch[number]): number {
  if ('put' in change) return change.put.length + change.json.length;
  if ('blob' in change) return change.bytes.byteLength;
  return BATCH_OVERHEAD;
}

function buffersOf(change: WireBatch[number]): ArrayBuffer[] {
  return 'blob' in change ? [change.bytes.buffer as ArrayBuffer] : [];
}
