/** Records in SQLite: read on a connection of the calling thread, written through the queue. */
import type { Change, Entry, Records, Revision } from '../contract.ts';
import { checkChanges, checkKey, checkScan } from '../limits.ts';
import type { Db } from './database.ts';
import { onDisk, translate } from './failure.ts';
import { openRemembered } from './remembered.ts';
import { openRevisions } from './revisions.ts';
import { entryOf, openScan } from './scan.ts';
import type { WireChange } from './wire.ts';
import type { WriteQueue } from './writeQueue.ts';

export interface LocalRecordsOptions {
  readonly db: Db;
  readonly queue: Pick<WriteQueue, 'write'>;
  /** See `openFreshness`, of this connection. */
  readonly version: () => number;
  readonly location: string;
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
}

/** Records read one by one that stay in memory while none changes, in bytes. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;

/** What an object of JSON takes in memory, by the length of its text. */
const PER_CHARACTER = 5;

/** Records over an open database. A point read takes microseconds, so reads are not sent to another thread. */
export function openLocalRecords({ db, queue, version, location, stillOpen }: LocalRecordsOptions): Records {
  const byKey = db.prepare<[string], [string, string, string]>('SELECT key, value, revision FROM records WHERE key = ?').raw();
  const remembered = openRemembered<Kept>({ version, weigh: ({ size }) => size, budget: REMEMBERED_BYTES });
  const read = (key: string): Kept | undefined => {
    const row = byKey.get(key);
    return row && { entry: frozen(entryOf(row)), size: row[1].length * PER_CHARACTER };
  };
  const scan = openScan(db);
  const nextRevision = openRevisions();
  return {
    transactional: true,
    async get(key) {
      stillOpen();
      checkKey(key);
      try {
        return remembered.find(key, read)?.entry;
      } catch (thrown) {
        throw translate(thrown, location);
      }
    },
    async scan(query) {
      stillOpen();
      checkScan(query);
      return onDisk(location, () => scan(query));
    },
    async write(changes) {
      stillOpen();
      checkChanges(changes);
      if (changes.length === 0) return [];
      const batch = changes.map((change) => encode(change, nextRevision));
      await queue.write(batch);
      return batch.map((change) => ('put' in change ? change.revision : ''));
    },
  };
}

interface Kept {
  readonly entry: Entry;
  readonly size: number;
}

/** It is given to many: a change of it by one would be found by all. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** The change as the writer performs it. Values become text and bytes are copied now, so the caller may change them afterwards. */
function encode(change: Change, nextRevision: (key: string, json: string) => Revision): WireChange {
  if ('blob' in change) return { blob: change.blob, bytes: new Uint8Array(change.bytes) };
  if (!('put' in change)) return { delete: change.delete, ifRevision: change.ifRevision };
  const { put, value, ifRevision, ifAbsent } = change;
  const json = JSON.stringify(value);
  return { put, json, revision: nextRevision(put, json), ifRevision, ifAbsent };
}
