/**
 * One writer of manifests at a time on this machine. The lock is SQLite's own on a file that nothing is ever written to: the
 * kernel lets go of it when its process dies, however it dies, so that it can never be stale.
 */
import Database from 'better-sqlite3';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError } from '../errors.ts';

export interface WriterLock {
  /** Runs `work` while no other process, and nothing else in this one, runs its own. Throws `SlowDown` when the turn does not come, `Unavailable` when nothing can be written. */
  hold<Of>(work: () => Promise<Of>): Promise<Of>;
  close(): void;
}

/** How long one waits for one's turn, in ms. */
const PATIENCE = 30_000;
const MAX_PAUSE = 25;

/** Opens the lock that `path` is. */
export function openWriterLock(path: string, patience: number = PATIENCE): WriterLock {
  const database = new Database(path, { timeout: 0 });
  let turn: Promise<unknown> = Promise.resolve();
  return {
    hold(work) {
      const mine = turn.then(() => holding(database, patience, work));
      turn = mine.catch(() => undefined);
      return mine;
    },
    close: () => void database.close(),
  };
}

async function holding<Of>(database: Database.Database, patience: number, work: () => Promise<Of>): Promise<Of> {
  await acquire(database, performance.now() + patience);
  try {
    return await work();
  } finally {
    database.exec('ROLLBACK');
  }
}

async function acquire(database: Database.Database, deadline: number): Promise<void> {
  for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE)) {
    try {
      database.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      if (!error.code.startsWith('SQLITE_BUSY')) throw unwritable(error);
    }
    if (performance.now() > deadline)
      throw new ArtefactError('SlowDown', 'The configuration is being changed by others. Please try again.');
    await sleep(pause + randomInt(pause + 1));
  }
}

/** A full disk, mostly: SQLite writes a journal before it locks. */
function unwritable(cause: Error): ArtefactError {
  const message = 'The configuration cannot be changed now: the data directory cannot be written. See that its disk has space.';
  return new ArtefactError('Unavailable', message, { cause });
}
