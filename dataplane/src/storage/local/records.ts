/** Records in SQLite: read on a connection of the calling thread, written through the queue. */
import type { Change, Records, Revision } from '../contract.ts';
import { checkChanges, checkKey, checkScan } from '../limits.ts';
import type { Db } from './database.ts';
import { onDisk } from './failure.ts';
import { openRevisions } from './revisions.ts';
import { entryOf, openScan } from './scan.ts';
import type { WireChange } from './wire.ts';
import type { WriteQueue } from './writeQueue.ts';

export interface LocalRecordsOptions {
  readonly db: Db;
  readonly queue: WriteQueue;
  readonly location: string;
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
}

/** Records over an open database. A point read takes microseconds, so reads are not sent to another thread. */
export function openLocalRecords({ db, queue, location, stillOpen }: LocalRecordsOptions): Records {
  const byKey = db.prepare<[string], [string, string, string]>('SELECT key, value, revision FROM records WHERE key = ?').raw();
  const scan = openScan(db);
  const nextRevision = openRevisions();
  return {
    transactional: true,
    async get(key) {
      stillOpen();
      checkKey(key);
      const row = await onDisk(location, () => byKey.get(key));
      return row && entryOf(row);
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

/** The change as the writer performs it. Values become text and bytes are copied now, so the caller may change them afterwards. */
function encode(change: Change, nextRevision: () => Revision): WireChange {
  if ('blob' in change) return { blob: change.blob, bytes: new Uint8Array(change.bytes) };
  if (!('put' in change)) return { delete: change.delete, ifRevision: change.ifRevision };
  const { put, value, ifRevision, ifAbsent } = change;
  return { put, json: JSON.stringify(value), revision: nextRevision(), ifRevision, ifAbsent };
}
