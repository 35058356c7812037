/** Keeps the write-ahead log short. Called by the writer when nobody waits for its answer. */
import type { Db } from './database.ts';

/** Pages in the log from which on they are moved to the database: 8 MiB, some 5 ms of work on an SSD. */
const DUE_PAGES = 1000;

/** Pages from which on other processes' writers must wait until all is moved, else the log would never begin anew. */
const OVERDUE_PAGES = 8 * DUE_PAGES;

/** How long the overdue one waits for the write lock, in ms. */
const OVERDUE_WAIT_MS = 200;

interface LogState {
  readonly log: number;
  readonly checkpointed: number;
}

/** Moves the log's pages to the database when enough of them are waiting. Never throws: the log keeps what could not be moved. */
export function checkpointWhenDue(db: Db): void {
  try {
    const { log, checkpointed } = (db.pragma('wal_checkpoint(NOOP)') as LogState[])[0] ?? { log: 0, checkpointed: 0 };
    if (log >= OVERDUE_PAGES) restartLog(db);
    else if (log - checkpointed >= DUE_PAGES) db.pragma('wal_checkpoint(PASSIVE)');
  } catch {
    // A full or failing disk: the next commit meets it too, and tells who waits for it.
  }
}

function restartLog(db: Db): void {
  db.pragma(`busy_timeout = ${OVERDUE_WAIT_MS}`);
  try {
    db.pragma('wal_checkpoint(RESTART)');
  } finally {
    db.pragma('busy_timeout = 0');
  }
}
