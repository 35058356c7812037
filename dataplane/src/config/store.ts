/**
 * What is in force on this machine: one row in `<data>/config.db`, shared by all processes. A change of it is a
 * compare-and-set on its counter; to see whether it changed costs one read of the counter.
 */
import Database from 'better-sqlite3';
import { chmodSync, closeSync, openSync } from 'node:fs';
import type { Condition, Snapshot } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { openFreshness } from '../freshness.ts';

export interface Published {
  readonly snapshot: Snapshot;
  readonly conditions: readonly Condition[];
}

/** Every call throws `Unavailable`, or `SlowDown` where another process is in the way, when the file cannot be read or written. */
export interface ConfigStore {
  /** Grows with every publication; 0 before the first. */
  counter(): number;
  /** What is in force, with its counter; undefined before the first publication. */
  load(): (Published & { readonly counter: number }) | undefined;
  /** Puts it in force if the counter is still as given; answers whether it did. Durable when it returns. */
  publish(expected: number, published: Published): boolean;
  /** What is wrong with the manifests as they were last read, by whichever process; empty when nothing is. */
  problems(): readonly string[];
  reportProblems(problems: readonly string[]): void;
  close(): void;
}

const BUSY_MS = 5000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS published (id INTEGER PRIMARY KEY CHECK (id = 1), counter INTEGER NOT NULL, snapshot TEXT, conditions TEXT);
  CREATE TABLE IF NOT EXISTS source (id INTEGER PRIMARY KEY CHECK (id = 1), problems TEXT NOT NULL);
  INSERT OR IGNORE INTO published (id, counter) VALUES (1, 0);
  INSERT OR IGNORE INTO source (id, problems) VALUES (1, '[]');
`;

interface Row {
  readonly counter: number;
  readonly snapshot: string | null;
  readonly conditions: string | null;
}

/** Opens the file, or makes it. It holds secrets, so its mode is 0600. Throws `Unavailable` when it cannot be used. */
export function openConfigStore(path: string): ConfigStore {
  const store = openUntranslated(path);
  return {
    counter: () => translated(() => store.counter()),
    load: () => translated(() => store.load()),
    publish: (expected, published) => translated(() => store.publish(expected, published)),
    problems: () => translated(() => store.problems()),
    reportProblems: (list) => translated(() => store.reportProblems(list)),
    close: () => store.close(),
  };
}

function openUntranslated(path: string): ConfigStore {
  const database = open(path);
  const counter = openCounter(database);
  const row = database.prepare<[], Row>('SELECT counter, snapshot, conditions FROM published WHERE id = 1');
  const update = database.prepare<[string, string, number]>(
    'UPDATE published SET counter = counter + 1, snapshot = ?, conditions = ? WHERE id = 1 AND counter = ?',
  );
  const problems = database.prepare<[], string>('SELECT problems FROM source WHERE id = 1').pluck();
  const report = database.prepare<[string]>('UPDATE source SET problems = ? WHERE id = 1');
  let last: ReturnType<ConfigStore['load']>;
  return {
    counter: () => counter.now(),
    load() {
      if (last?.counter !== counter.now()) last = loaded(row.get());
      return last;
    },
    publish(expected, { snapshot, conditions }) {
      counter.forget();
      return update.run(JSON.stringify(snapshot), JSON.stringify(conditions), expected).changes === 1;
    },
    problems: () => JSON.parse(problems.get() ?? '[]') as readonly string[],
    reportProblems(list) {
      const text = JSON.stringify(list);
      if (problems.get() !== text) report.run(text);
    },
    close: () => void database.close(),
  };
}

/** The counter, read again only when something in the file has changed: every request asks for it. */
function openCounter(database: Database.Database): { now(): number; forget(): void } {
  const read = database.prepare<[], number>('SELECT counter FROM published WHERE id = 1').pluck();
  // Commits of this connection leave it as it is.
  const version = openFreshness(database);
  let seen: number | undefined;
  let counter = 0;
  return {
    now() {
      const current = version();
      if (current !== seen) counter = read.get() as number;
      seen = current;
      return counter;
    },
    forget: () => void (seen = undefined),
  };
}

function loaded(row: Row | undefined): ReturnType<ConfigStore['load']> {
  if (!row?.snapshot) return undefined;
  const conditions = JSON.parse(row.conditions ?? '[]') as readonly Condition[];
  return { counter: row.counter, snapshot: JSON.parse(row.snapshot) as Snapshot, conditions };
}

function open(path: string): Database.Database {
  try {
    // SQLite gives its further files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    const database = new Database(path, { timeout: BUSY_MS });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    throw unusable(error);
  }
}

/** Copies the store at one moment to a new file, whoever uses it. Throws `Unavailable`. */
export async function copyConfigStore(path: string, target: string): Promise<void> {
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true });
    await database.backup(target).finally(() => database.close());
    chmodSync(target, 0o600);
  } catch (error) {
    throw unusable(error);
  }
}

function translated<Of>(call: () => Of): Of {
  try {
    return call();
  } catch (error) {
    throw unusable(error);
  }
}

/** What an operator has to know, by the beginning of SQLite's or the system's code. */
const REASONS: readonly (readonly [code: string, reason: string])[] = [
  ['SQLITE_CORRUPT', 'it is damaged; restore it from a backup, or stop Bonded and remove it: the manifests are then read anew'],
  ['SQLITE_NOTADB', 'it is no database; restore it from a backup, or stop Bonded and remove it: the manifests are then read anew'],
  ['SQLITE_FULL', 'no space is left on its disk; free some'],
  ['ENOSPC', 'no space is left on its disk; free some'],
  ['SQLITE_IOERR_SHMSIZE', 'no space is left on its disk, or the disk fails; free some, or check the disk'],
  ['SQLITE_IOERR', 'its disk reports an input/output error; check the disk'],
  ['EIO', 'its disk reports an input/output error; check the disk'],
  ['SQLITE_READONLY', 'it is read-only; make the data directory writable'],
  ['EROFS', 'its file system is read-only; mount it writable'],
];

/** Text that cannot be read is damage too; a mistake of ours is passed on as it is. */
function unusable(cause: unknown): unknown {
  const code = cause instanceof SyntaxError ? 'SQLITE_CORRUPT' : (cause as { readonly code?: unknown }).code;
  if (typeof code !== 'string') return cause;
  if (code.startsWith('SQLITE_BUSY')) {
    return new ArtefactError('SlowDown', 'The configuration store is busy; try again in a moment.', { cause });
  }
  const reason = REASONS.find(([known]) => code.startsWith(known))?.[1] ?? `it reports ${code}; see that the data directory can be written`;
  return new ArtefactError('Unavailable', `The configuration store config.db cannot be used: ${reason}.`, { cause });
}
