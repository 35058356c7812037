/** Reads pages of records from SQLite; collapsed prefixes are passed over by seeking, not by reading what is beneath. */
import type { Entry, Json, ScanItem, ScanQuery } from '../contract.ts';
import { collapsedPrefix, following, scanRange, successor } from '../keys.ts';
import type { KeyRange } from '../keys.ts';
import type { Db } from './database.ts';
import { damage } from './failure.ts';
import { fits } from './revisions.ts';

/** Keys read at a time in a scan with delimiter: more while they are used, fewer when most lie beneath a collapsed prefix. */
const BATCHES = [1, 4, 16, 64, 256] as const;
const FIRST_BATCH = 2;

/** SQLite orders every BLOB after every TEXT, so an empty one is an upper bound for all keys. */
const NO_BOUND = Buffer.alloc(0);

type RecordRow = readonly [key: string, value: string, revision: string];
type KeyRow = readonly [key: string, row: number];

/** Answers a function that reads one page, from one state of the records. */
export function openScan(db: Db): (query: ScanQuery) => ScanItem[] {
  const statements = prepareStatements(db);
  return db.transaction((query: ScanQuery) => {
    const range = scanRange(query);
    if (!range) return [];
    return query.delimiter ? collapsingPage(statements, query, range) : plainPage(statements, query, range);
  });
}

function prepareStatements(db: Db) {
  const range = 'FROM records WHERE key >= ? AND key < ? ORDER BY key';
  return {
    records: db.prepare<[string, string | Buffer, number], RecordRow>(`SELECT key, value, revision ${range} LIMIT ?`).raw(),
    // Answered from the index of keys alone, which is small: values are fetched only for what is listed. Each size has a
    // statement of its own, because SQLite plans anew whenever a bound LIMIT changes, which takes three times as long as a seek.
    keys: BATCHES.map((count) => db.prepare<[string, string | Buffer], KeyRow>(`SELECT key, rowid ${range} LIMIT ${count}`).raw()),
    record: db.prepare<[number], RecordRow>('SELECT key, value, revision FROM records WHERE rowid = ?').raw(),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

/** The record that a row of SQLite holds. Throws what `isDamage` is true for when it is not the one that was written. */
export function entryOf([key, value, revision]: RecordRow): Entry {
  if (!fits(revision, key, value)) throw damage('A record does not fit its checksum.');
  return { key, value: JSON.parse(value) as Json, revision };
}

function plainPage(statements: Statements, query: ScanQuery, range: KeyRange): ScanItem[] {
  return statements.records.all(range.from, range.to ?? NO_BOUND, query.limit).map(entryOf);
}

function collapsingPage(statements: Statements, query: ScanQuery, range: KeyRange): ScanItem[] {
  const items: ScanItem[] = [];
  let from: string | undefined = range.from;
  let size: number = FIRST_BATCH;
  while (from !== undefined && items.length < query.limit) {
    const rows = keysFrom(statements, size, from, range.to ?? NO_BOUND);
    const before = items.length;
    const collapsed = addItems(statements, query, rows, items);
    const last = rows.at(-1);
    if (!last || rows.length < batchOf(size)) break;
    from = collapsed === undefined ? following(last[0]) : successor(collapsed);
    size = nextSize(size, items.length - before);
  }
  return items;
}

function batchOf(size: number): number {
  return BATCHES[size] ?? 1;
}

function keysFrom({ keys }: Statements, size: number, from: string, to: string | Buffer): readonly KeyRow[] {
  if (size > 0) return keys[size]!.all(from, to);
  const row = keys[0]!.get(from, to);
  return row ? [row] : [];
}

/** Adds what the rows come to; answers the collapsed prefix that the last row lies beneath, if it does. */
function addItems(statements: Statements, query: ScanQuery, rows: readonly KeyRow[], items: ScanItem[]): string | undefined {
  let collapsed: string | undefined;
  for (const [key, row] of rows) {
    if (items.length >= query.limit) break;
    if (collapsed !== undefined && key.startsWith(collapsed)) continue;
    collapsed = collapsedPrefix(key, query);
    const record = collapsed === undefined ? statements.record.get(row) : undefined;
    if (record) items.push(entryOf(record));
    else if (collapsed !== undefined) items.push({ prefix: collapsed });
  }
  return collapsed;
}

/** The next larger batch when half of this one or more was used, the next smaller one at a quarter or less. */
function nextSize(size: number, used: number): number {
  if (used * 2 >= batchOf(size)) return Math.min(size + 1, BATCHES.length - 1);
  return used * 4 <= batchOf(size) ? Math.max(size - 1, 0) : size;
}
