/** Whether a database is still as it was read, however many processes write to it. */
import type Database from 'better-sqlite3';

/**
 * Answers a function that answers a number, which is another one once another connection, of whatever process, has committed.
 *
 * SQLite is asked once per turn of the event loop. Whatever reads within a turn was asked for by bytes that had arrived before
 * it, so a change that was acknowledged before somebody asked was acknowledged before the turn: no reader misses it. A turn is
 * over when no continuation of a promise is left to run, which is when Node runs what `nextTick` was given by one of them.
 */
export function openFreshness(db: Database.Database): () => number {
  const version = db.prepare<[], number>('PRAGMA data_version').pluck();
  let known: number | undefined;
  const endOfTurn = (): void => {
    known = undefined;
  };
  return () => {
    if (known === undefined) {
      known = version.get() ?? 0;
      process.nextTick(endOfTurn);
    }
    return known;
  };
}
