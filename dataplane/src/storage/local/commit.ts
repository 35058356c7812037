/** Performs many batches in one transaction: one sync of the disk pays for all of them. */
import Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { report } from './failure.ts';
import type { Db } from './database.ts';
import { whenLockIsFree } from './patience.ts';
import type { Outcome, WireBatch, WireChange } from './wire.ts';

/** Failures of the disk or the whole database: nothing of the group can be kept. Others concern one batch only. */
const FATAL = /^SQLITE_(FULL|IOERR|CORRUPT|NOTADB|READONLY|NOMEM|CANTOPEN|PROTOCOL|BUSY|LOCKED|INTERNAL|MISUSE)/;

export interface CommitterOptions {
  readonly location: string;
  /** True when a larger blob of this id stands in a file. */
  readonly fileExists: (id: string) => boolean;
  /** Throws when the database is no longer the one in the data directory. */
  readonly stillStanding: () => void;
}

/**
 * Answers a function that performs a group. Each batch happens wholly or not at all, in order; a conflict or failure of one
 * undoes just that one. All outcomes are true only once it returns: it returns after the commit, or with failures for all.
 */
export function openCommitter(db: Db, options: CommitterOptions): (batches: readonly WireBatch[]) => readonly Outcome[] {
  const statements = prepareStatements(db);
  const holds = (change: WireChange): boolean => perform(statements, options, change);
  return (batches) => {
    try {
      options.stillStanding();
      whenLockIsFree(options.location, () => statements.begin.run());
      const outcomes = batches.map((batch) => performBatch(db, statements, holds, batch));
      statements.commit.run();
      // What went to a file that was taken away meanwhile must not be acknowledged.
      options.stillStanding();
      return outcomes;
    } catch (thrown) {
      if (db.inTransaction) statements.rollback.run();
      const failure = report(thrown);
      return batches.map(() => ({ failure }));
    }
  };
}

function prepareStatements(db: Db) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    savepoint: db.prepare('SAVEPOINT batch'),
    release: db.prepare('RELEASE batch'),
    undo: db.prepare('ROLLBACK TO batch'),
    insert: db.prepare('INSERT INTO records (key, value, revision) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    replace: db.prepare(
      'INSERT INTO records (key, value, revision) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision',
    ),
    update: db.prepare('UPDATE records SET value = ?, revision = ? WHERE key = ? AND revision = ?'),
    remove: db.prepare('DELETE FROM records WHERE key = ?'),
    removeRevision: db.prepare('DELETE FROM records WHERE key = ? AND revision = ?'),
    addBlob: db.prepare('INSERT INTO blobs (id, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    eraseBlob: db.prepare('DELETE FROM blobs WHERE id = ?'),
    probe: db.prepare('INSERT INTO probe (one, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at'),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function performBatch(db: Db, statements: Statements, holds: (change: WireChange) => boolean, batch: WireBatch): Outcome {
  // One statement is all or nothing by itself: only longer batches need a savepoint to go back to.
  const long = batch.length > 1;
  if (long) statements.savepoint.run();
  const outcome = tryChanges(db, holds, batch);
  if (!long) return outcome;
  if (outcome !== 'done') statements.undo.run();
  statements.release.run();
  return outcome;
}

function tryChanges(db: Db, holds: (change: WireChange) => boolean, batch: WireBatch): Outcome {
  try {
    const conflict = batch.findIndex((change) => !holds(change));
    return conflict < 0 ? 'done' : { conflict };
  } catch (thrown) {
    // SQLite ends the transaction itself when the disk is full or fails.
    if (!db.inTransaction || isFatal(thrown)) throw thrown;
    return { failure: report(thrown) };
  }
}

function isFatal(thrown: unknown): boolean {
  return thrown instanceof Database.SqliteError && FATAL.test(thrown.code);
}

/** Performs one change; false when its condition does not hold (then nothing changed). */
function perform(statements: Statements, options: CommitterOptions, change: WireChange): boolean {
  if ('put' in change) return performPut(statements, change);
  if ('delete' in change) return performDelete(statements, change);
  if ('blob' in change) return !options.fileExists(change.blob) && changed(statements.addBlob, change.blob, change.bytes);
  if ('erase' in change) statements.eraseBlob.run(change.erase);
  else statements.probe.run(change.probe);
  return true;
}

function performPut(statements: Statements, change: Extract<WireChange, { put: string }>): boolean {
  const { put: key, json, revision } = change;
  if (change.ifAbsent) return changed(statements.insert, key, json, revision);
  if (change.ifRevision !== undefined) return changed(statements.update, json, revision, key, change.ifRevision);
  return changed(statements.replace, key, json, revision);
}

function performDelete(statements: Statements, change: Extract<WireChange, { delete: string }>): boolean {
  if (change.ifRevision !== undefined) return changed(statements.removeRevision, change.delete, change.ifRevision);
  statements.remove.run(change.delete);
  return true;
}

function changed(statement: Statement, ...parameters: readonly unknown[]): boolean {
  return statement.run(...parameters).changes > 0;
}
