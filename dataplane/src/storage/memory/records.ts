/** Records in memory: the JSON text of each value under its key, and the keys in order. */
import { ArtefactError } from '../../errors.ts';
import type { Change, Entry, Json, Records, Revision, ScanItem, ScanQuery } from '../contract.ts';
import { collapsedPrefix, compareKeys, following, scanRange, successor } from '../keys.ts';
import { checkChanges, checkKey, checkScan } from '../limits.ts';

interface Stored {
  readonly json: string;
  readonly revision: Revision;
}

/** Where a batch writes to, and how it takes back what it did. */
interface Table {
  readonly records: Map<string, Stored>;
  /** The keys of `records` in byte order. */
  readonly keys: string[];
  readonly bytesById: Map<string, Uint8Array>;
  writes: number;
}

/** Records beside the given blobs (a batch may hold small ones); `stillOpen` throws when the store is closed. */
export function openMemoryRecords(bytesById: Map<string, Uint8Array>, stillOpen: () => void): Records {
  const table: Table = { records: new Map(), keys: [], bytesById, writes: 0 };
  return {
    transactional: true,
    async get(key) {
      stillOpen();
      checkKey(key);
      return entry(table, key);
    },
    async scan(query) {
      stillOpen();
      checkScan(query);
      return scan(table, query);
    },
    async write(changes) {
      stillOpen();
      checkChanges(changes);
      return writeAll(table, changes);
    },
  };
}

function entry(table: Table, key: string): Entry | undefined {
  const stored = table.records.get(key);
  return stored && { key, value: JSON.parse(stored.json) as Json, revision: stored.revision };
}

/** Index of the first key that is not before `key`. */
function seek(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function scan(table: Table, query: ScanQuery): ScanItem[] {
  const range = scanRange(query);
  const items: ScanItem[] = [];
  let from = range?.from;
  while (from !== undefined && items.length < query.limit) {
    const key = table.keys[seek(table.keys, from)];
    if (!key?.startsWith(query.prefix)) break;
    const prefix = collapsedPrefix(key, query);
    items.push(prefix === undefined ? (entry(table, key) as Entry) : { prefix });
    from = prefix === undefined ? following(key) : successor(prefix);
  }
  return items;
}

function writeAll(table: Table, changes: readonly Change[]): Revision[] {
  const undo: (() => void)[] = [];
  return changes.map((change, index) => {
    if (!holds(table, change)) {
      for (const step of undo.reverse()) step();
      throw new ArtefactError('Conflict', 'Another change came first; read again and retry.', { details: { change: index } });
    }
    return 'blob' in change ? addBlob(table, change, undo) : changeRecord(table, change, undo);
  });
}

function holds(table: Table, change: Change): boolean {
  if ('blob' in change) return !table.bytesById.has(change.blob);
  const stored = table.records.get('put' in change ? change.put : change.delete);
  if ('put' in change && change.ifAbsent) return stored === undefined;
  return change.ifRevision === undefined || stored?.revision === change.ifRevision;
}

function addBlob(table: Table, change: Extract<Change, { blob: string }>, undo: (() => void)[]): Revision {
  table.bytesById.set(change.blob, new Uint8Array(change.bytes));
  undo.push(() => table.bytesById.delete(change.blob));
  return '';
}

function changeRecord(table: Table, change: Exclude<Change, { blob: string }>, undo: (() => void)[]): Revision {
  const key = 'put' in change ? change.put : change.delete;
  const before = table.records.get(key);
  undo.push(() => replace(table, key, before));
  if (!('put' in change)) {
    replace(table, key, undefined);
    return '';
  }
  table.writes += 1;
  const revision = `m${table.writes.toString(36)}`;
  replace(table, key, { json: JSON.stringify(change.value), revision });
  return revision;
}

function replace(table: Table, key: string, stored: Stored | undefined): void {
  const there = table.records.has(key);
  if (stored) table.records.set(key, stored);
  else table.records.delete(key);
  const at = seek(table.keys, key);
  if (stored && !there) table.keys.splice(at, 0, key);
  if (!stored && there) table.keys.splice(at, 1);
}
