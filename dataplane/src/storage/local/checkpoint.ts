/**
 * Keeps the write-ahead log short. Most of its pages are moved to the database by a thread of their own while the writer goes
 * on; the writer then moves the few that came meanwhile, because only a log that was moved to its end can begin anew.
 */
import { Worker } from 'node:worker_threads';
import type { Db } from './database.ts';
import type { WriterData } from './wire.ts';

/** Pages in the log from which on they are moved: 16 MiB. Fewer would write pages that change often again and again. */
export const DUE_PAGES = 4000;

/** Pages from which on the writer moves all itself and other processes' writers wait: 64 MiB. */
const OVERDUE_PAGES = 4 * DUE_PAGES;

/** How long it waits for their write lock then, in ms. */
const OVERDUE_WAIT_MS = 200;

export interface Checkpoints {
  /** Called after every commit, when it was acknowledged. Never throws: the log keeps what could not be moved. */
  afterCommit(): void;
  close(): Promise<void>;
}

/** Checkpoints for the writer's connection. The thread starts when it is first needed. */
export function openCheckpoints(db: Db, data: WriterData): Checkpoints {
  const state = db.prepare<[], LogState>('PRAGMA wal_checkpoint(NOOP)');
  let helper: Worker | undefined;
  let moving = false;

  function moveMost(): void {
    if (moving) return;
    moving = true;
    helper ??= startHelper();
    helper.postMessage('move');
  }

  function startHelper(): Worker {
    const worker = new Worker(new URL('./checkpointer.ts', import.meta.url), { workerData: data, name: 'storage-checkpoint' });
    const moveRest = (): void => {
      moving = false;
      attempt(() => db.pragma('wal_checkpoint(PASSIVE)'));
    };
    worker.on('message', moveRest);
    // Without its helper the writer does all of it.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (helper === worker) helper = undefined;
      if (db.open) moveRest();
    });
    return worker;
  }

  return {
    afterCommit: () =>
      attempt(() => {
        const { log, checkpointed } = state.get() ?? NOTHING;
        if (log >= OVERDUE_PAGES) restartLog(db);
        else if (log - checkpointed >= DUE_PAGES) moveMost();
      }),
    async close() {
      const worker = helper;
      if (!worker) return;
      const gone = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('close');
      await gone;
    },
  };
}

/** A full or failing disk: the next commit meets it too, and tells who waits for it. */
function attempt(step: () => unknown): void {
  try {
    step();
  } catch {
    // The log keeps everything until it works again.
  }
}

interface LogState {
  readonly log: number;
  readonly checkpointed: number;
}

const NOTHING: LogState = { log: 0, checkpointed: 0 };

function restartLog(db: Db): void {
  db.pragma(`busy_timeout = ${OVERDUE_WAIT_MS}`);
  try {
    db.pragma('wal_checkpoint(RESTART)');
  } finally {
    db.pragma('busy_timeout = 0');
  }
}
