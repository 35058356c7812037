/** Keeps one writer thread running: a dead one is replaced, and whoever waited for it is told. */
import { Worker } from 'node:worker_threads';
import { fromReport } from './failure.ts';
import type { Outcome, WriterData, WriterReply, WriterRequest } from './wire.ts';

/** Pause before another attempt when a thread died before it was ready, in ms. */
const RESTART_PAUSE_MS = 1000;

export interface WriterThreadEvents {
  /** A group was performed. */
  onOutcomes(outcomes: readonly Outcome[]): void;
  /** The thread can be sent groups, for the first time or again. */
  onReady(): void;
  /** It is gone, and what it was sent may or may not have happened. */
  onDeath(cause: unknown): void;
}

export interface WriterThread {
  /** Only between `onReady` and `onDeath`. `transfer` are buffers that the caller has no use for any more. */
  send(request: WriterRequest, transfer: readonly ArrayBuffer[]): void;
  /** Lets it finish and close its database. */
  close(): Promise<void>;
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>;
}

/** Starts the thread. Rejects when the first one cannot open the database; later ones are tried again for ever. */
export async function startWriterThread(data: WriterData, events: WriterThreadEvents): Promise<WriterThread> {
  const thread = new RestartingThread(data, events);
  await thread.start();
  return thread;
}

class RestartingThread implements WriterThread {
  readonly #data: WriterData;
  readonly #events: WriterThreadEvents;
  #worker: Worker | undefined;
  #closing = false;

  constructor(data: WriterData, events: WriterThreadEvents) {
    this.#data = data;
    this.#events = events;
  }

  start(): Promise<void> {
    const worker = new Worker(new URL('./writer.ts', import.meta.url), { workerData: this.#data, name: 'storage-writer' });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let ready = false;
      let cause: Error | undefined;
      worker.on('message', (reply: WriterReply) => {
        if (reply === 'ready') {
          ready = true;
          this.#events.onReady();
          resolve();
        } else if ('unusable' in reply) cause = fromReport(reply.unusable);
        else this.#events.onOutcomes(reply.outcomes);
      });
      worker.on('error', (thrown: Error) => void (cause = thrown));
      worker.on('exit', (code) => {
        const why = cause ?? new Error(`The writer thread ended with code ${code}.`);
        reject(why);
        if (ready) this.#died(why);
      });
    });
  }

  #died(cause: unknown): void {
    this.#worker = undefined;
    this.#events.onDeath(cause);
    if (!this.#closing) void this.#restart();
  }

  async #restart(): Promise<void> {
    while (!this.#closing) {
      try {
        return await this.start();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS).unref());
      }
    }
  }

  send(request: WriterRequest, transfer: readonly ArrayBuffer[]): void {
    this.#worker?.postMessage(request, transfer);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const worker = this.#worker;
    if (!worker || worker.threadId < 0) return;
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await gone;
  }

  async crash(): Promise<void> {
    await this.#worker?.terminate();
  }
}
