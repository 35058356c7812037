/**
 * Whether other processes have the directory open: each holds a shared lock, which the kernel lets go of however the process ends.
 * So a process that starts alone knows, without asking any clock, that nobody writes to what lies in `incoming/`.
 */
import { readdirSync } from 'node:fs';
import Database from 'better-sqlite3';
import { createPrivately } from './database.ts';
import type { Layout } from './layout.ts';
import { isBusy, whenLockIsFree } from './patience.ts';

export interface Company {
  /** Names of parts that lay there when no process had the directory open: no writer comes back to them. */
  readonly orphans: readonly string[];
  leave(): void;
}

/** From now on others see this process. Called before it stores anything. Nothing is ever written to the lock's file. */
export function joinCompany(layout: Layout, location: string): Company {
  createPrivately(layout.openLock);
  const lock = new Database(layout.openLock, { timeout: 0 });
  try {
    const orphans = listWhenAlone(lock, layout);
    // Another one that starts may be looking whether it is alone: that takes as long as reading a directory.
    whenLockIsFree(location, () => share(lock));
    return { orphans, leave: () => void lock.close() };
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
}

/** Listed while nobody else can come to write; removed later, since no name is ever used again. */
function listWhenAlone(lock: Database.Database, layout: Layout): readonly string[] {
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    if (isBusy(thrown)) return [];
    throw thrown;
  }
  try {
    return readdirSync(layout.incoming);
  } finally {
    lock.exec('ROLLBACK');
  }
}

/** A transaction that has read something holds its shared lock until it ends. */
function share(lock: Database.Database): void {
  if (!lock.inTransaction) lock.exec('BEGIN');
  lock.prepare('SELECT count(*) FROM sqlite_schema').get();
}
