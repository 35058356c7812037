/** Opens the SQLite database of a location: its format, and the settings that durability and many processes ask for. */
import Database from 'better-sqlite3';
import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { unavailable } from './failure.ts';
import { checkLogEnd } from './log.ts';
import { whenLockIsFree } from './patience.ts';

export type Db = Database.Database;

/** Marks the file as ours ("bond"), so that no other program's database is taken for records. */
const APPLICATION_ID = 0x626f6e64;

/** Raised whenever an older Bonded could not read what a newer one wrote, files of blobs included. */
const FORMAT = 1;

/**
 * 4 KiB pages, as blocks of file systems have. A PUT changes pages at random places of the key index (its digest, its reference),
 * and each goes to the log whole: measured with the batches of 4 KiB PUTs, 8 KiB pages write 1.5 to 1.8 times as many bytes, and
 * take a quarter more processor time, up to half more when each batch is a commit.
 */
const PAGE_SIZE = 4096;

/** Per connection, in KiB. The operating system's page cache does the rest. */
const CACHE_KIB = 8192;

/** The write-ahead log is cut back to this many bytes when it begins anew. */
const LOG_LIMIT = 64 * 1024 * 1024;

/**
 * A table with row ids, not WITHOUT ROWID: measured at 700 bytes a record it takes twice the random inserts per second, and
 * its separate key index makes the seeks of delimiter scans cheap; whole pages of values read half as fast, still ~3 µs each.
 * The BINARY order of TEXT is memcmp of UTF-8: just the order of keys that the contract asks for.
 */
const SCHEMA = `
  CREATE TABLE records (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, revision TEXT NOT NULL);
  CREATE TABLE blobs (id TEXT PRIMARY KEY NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/**
 * Opens the database, making it when there is none. Throws `Unavailable` for a newer format, another program's database or a
 * file system that cannot hold a write-ahead log. `busyMs` is how long a statement waits for other processes.
 */
export function openDatabase(file: string, location: string, busyMs: number): Db {
  createPrivately(file);
  const db = new Database(file, { timeout: busyMs });
  try {
    // Two processes may make or recover the same database at once: SQLite then says BUSY to one of them without waiting.
    whenLockIsFree(location, () => prepare(db, file, location));
    configure(db);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * SQLite would make it readable to all; its -wal and -shm files take over the mode of the database. An existing file is not opened:
 * closing it would take away the locks that other connections of this process have on it, and with them the log that they write to.
 */
export function createPrivately(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function prepare(db: Db, file: string, location: string): void {
  if (isEmpty(db)) {
    // Empty because of a damaged log: a new schema would overwrite what is left of it.
    if (statSync(file).size > 0) checkLogEnd(db, file, location);
    db.pragma(`page_size = ${PAGE_SIZE}`);
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw unavailable(location, 'its file system cannot hold a write-ahead log; use a local disk');
    }
    db.transaction(() => isEmpty(db) && db.exec(SCHEMA)).immediate();
  }
  checkFormat(db, location);
}

function isEmpty(db: Db): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

function checkFormat(db: Db, location: string): void {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw unavailable(location, 'its records.sqlite is the database of another program; use another data directory');
  }
  const format = Number(db.pragma('user_version', { simple: true }));
  if (format > FORMAT) {
    throw unavailable(location, `its data has format ${format}, this Bonded knows up to ${FORMAT}; run the newer version again`);
  }
}

/**
 * FULL: every commit is on disk before it is acknowledged. Checkpoints are the writer's own business, after it acknowledged.
 * No memory map: an unreadable page would end the process instead of raising an error, and with a writer beside it reads
 * through the map were measured slower.
 */
function configure(db: Db): void {
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`journal_size_limit = ${LOG_LIMIT}`);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma('mmap_size = 0');
  db.pragma('trusted_schema = OFF');
}
