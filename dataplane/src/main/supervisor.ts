/** Keeps a number of workers running: who dies is replaced, with growing pauses, and one that is ready leads. */
import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../telemetry/log.ts';
import { ours, tellWorker, type WorkerMessage } from './messages.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const HINDERED_PAUSE_MS = 1000;
/** Who lived this long did not die of how it was started. */
const SETTLED_MS = 60_000;
/** Beyond the time that transfers have, a worker gets this long to close its files. */
const CLOSE_MS = 10_000;

export interface SupervisorOptions {
  readonly workers: number;
  readonly log: Log;
  /** Of the workers, besides the primary's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** The first worker serves. */
  readonly onReady: (url: string) => void;
  /** A worker could not start, and none ever did. */
  readonly onHopeless: (reason: string) => void;
  /** The number of workers that serve has changed. */
  readonly onCount: (ready: number) => void;
  readonly onRestart: () => void;
  /** Why a worker cannot take another one's place now, if so: it is asked again after a pause. */
  readonly hindrance: () => string | undefined;
}

/** A place that has a worker, or will have one soon. */
interface Slot {
  worker?: Worker;
  ready: boolean;
  since: number;
  failures: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots = new Set<Slot>();
  readonly #gone = Promise.withResolvers<void>();
  #everReady = false;
  #stopping = false;
  #drainMs = 0;
  #leader: Slot | undefined;
  #endedWell = true;

  /** Starts the workers. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    for (let n = 0; n < options.workers; n++) {
      const slot: Slot = { ready: false, since: 0, failures: 0 };
      this.#slots.add(slot);
      this.#fork(slot);
    }
  }

  /** Lets every worker finish within `drainMs`; answers whether each ended well. Another call hurries them. */
  async stop(drainMs: number): Promise<boolean> {
    this.#stopping = true;
    this.#drainMs = drainMs;
    for (const slot of this.#slots) {
      if (slot.worker?.isDead() === false) tellWorker(slot.worker, { bonded: 'stop', drainMs });
      else this.#remove(slot);
    }
    const killing = setTimeout(() => this.#killAll(), drainMs + CLOSE_MS);
    await this.#gone.promise;
    clearTimeout(killing);
    return this.#endedWell;
  }

  #fork(slot: Slot): void {
    const worker = cluster.fork(this.#options.environment);
    Object.assign(slot, { worker, since: Date.now() });
    worker.on('message', (message: unknown) => this.#heard(slot, ours<WorkerMessage>(message)));
    worker.on('exit', (code: number, signal: string | null) => this.#ended(slot, code, signal));
  }

  #heard(slot: Slot, message: WorkerMessage | undefined): void {
    if (message?.bonded === 'failed' && !this.#everReady && !this.#stopping) {
      this.#stopping = true;
      this.#options.onHopeless(message.reason);
    }
    if (message?.bonded === 'ready') this.#becameReady(slot, message.url);
  }

  #becameReady(slot: Slot, url: string): void {
    // One that was still starting when all were told to stop has heard nothing of it.
    if (this.#stopping && slot.worker) return tellWorker(slot.worker, { bonded: 'stop', drainMs: this.#drainMs });
    slot.ready = true;
    this.#count();
    if (!this.#everReady) this.#options.onReady(url);
    this.#everReady = true;
    if (!this.#leader) this.#chooseLeader();
  }

  #ended(slot: Slot, code: number, signal: string | null): void {
    slot.ready = false;
    this.#count();
    if (this.#stopping) {
      this.#endedWell &&= code === 0;
      this.#remove(slot);
      return;
    }
    slot.failures = Date.now() - slot.since > SETTLED_MS ? 1 : slot.failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (slot.failures - 1), LONGEST_PAUSE_MS);
    this.#options.log.error({ pid: slot.worker?.process.pid, code, signal, pause }, 'a worker ended; another takes its place');
    if (this.#leader === slot) this.#chooseLeader();
    setTimeout(() => this.#replace(slot), pause);
  }

  #replace(slot: Slot): void {
    if (this.#stopping) return;
    const hindrance = this.#options.hindrance();
    if (hindrance !== undefined) {
      this.#options.log.error({ hindrance }, 'no worker takes the place of one that ended');
      setTimeout(() => this.#replace(slot), HINDERED_PAUSE_MS);
      return;
    }
    this.#options.onRestart();
    this.#fork(slot);
  }

  #chooseLeader(): void {
    this.#leader = [...this.#slots].find((slot) => slot.ready);
    if (this.#leader?.worker) tellWorker(this.#leader.worker, { bonded: 'lead' });
  }

  #remove(slot: Slot): void {
    this.#slots.delete(slot);
    if (this.#slots.size === 0) this.#gone.resolve();
  }

  #killAll(): void {
    for (const { worker } of this.#slots) worker?.process.kill('SIGKILL');
  }

  #count(): void {
    this.#options.onCount([...this.#slots].filter((slot) => slot.ready).length);
  }
}
