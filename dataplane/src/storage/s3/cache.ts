/**
 * What this machine knows of records: each by its ETag, so that a read asks for no more than whether it still holds. It is a cache:
 * its file may be removed at any time, and is made anew when it is damaged. Several processes share it.
 */
import Database from 'better-sqlite3';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { Etag } from './objects.ts';

export interface Cached {
  readonly etag: Etag;
  /** The object as text. */
  readonly text: string;
}

export interface Cache {
  find(name: string): Cached | undefined;
  keep(name: string, cached: Cached): void;
  forget(name: string): void;
  close(): void;
}

/** Records kept; the oldest go first. */
const KEPT = 200_000;
/** Texts above this many characters are not kept. */
const LONGEST_TEXT = 256 * 1024;
/** Writes wait this long for each other, in ms, and then share a commit. */
const GATHER_MS = 20;
const MOST_WAITING = 1000;
/** Nobody waits for a cache: what cannot be written in this time is not kept, in ms. */
const BUSY_MS = 20;

/** Opens the cache in `file` (without one, in memory) for what is in `place`: what it knows of other places is not seen. */
export function openCache(place: string, file?: string): Cache {
  try {
    return cacheOver(openDatabase(file), place);
  } catch {
    if (file !== undefined) for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    return cacheOver(openDatabase(file), place);
  }
}

function openDatabase(file: string | undefined): Database.Database {
  // Names and claims are nobody else's business; SQLite gives its other files the mode of this one.
  if (file !== undefined) closeSync(openSync(file, 'a', 0o600));
  const db = new Database(file ?? ':memory:', { timeout: BUSY_MS });
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = OFF');
    db.exec(
      'CREATE TABLE IF NOT EXISTS cached (place TEXT NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (place, name))',
    );
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function cacheOver(db: Database.Database, place: string): Cache {
  const select = db.prepare<[string, string], Cached>('SELECT etag, text FROM cached WHERE place = ? AND name = ?');
  const replace = db.prepare('REPLACE INTO cached (place, name, etag, text) VALUES (?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM cached WHERE place = ? AND name = ?');
  // Row ids ascend, so the lowest are the oldest.
  const trim = db.prepare(`DELETE FROM cached WHERE rowid <= (SELECT max(rowid) FROM cached) - ${KEPT}`);
  const waiting = new Map<string, Cached | undefined>();
  let timer: NodeJS.Timeout | undefined;

  const writeAll = db.transaction(() => {
    for (const [name, cached] of waiting) {
      if (cached) replace.run(place, name, cached.etag, cached.text);
      else remove.run(place, name);
    }
    trim.run();
  });

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    // A full disk or a busy file costs later reads a round trip, nothing else.
    ignoringFailure(() => writeAll.immediate());
    waiting.clear();
  }

  function note(name: string, cached: Cached | undefined): void {
    waiting.set(name, cached);
    if (waiting.size >= MOST_WAITING) return flush();
    timer ??= setTimeout(flush, GATHER_MS).unref();
  }

  return {
    find: (name) => (waiting.has(name) ? waiting.get(name) : ignoringFailure(() => select.get(place, name))),
    keep: (name, cached) => note(name, cached.text.length > LONGEST_TEXT ? undefined : cached),
    forget: (name) => note(name, undefined),
    close() {
      flush();
      db.close();
    },
  };
}

function ignoringFailure<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
