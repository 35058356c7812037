/** The local driver's records without its care for crashes: one long transaction, for filling a store fast. */
import { layoutOf } from '../../dataplane/src/storage/local/layout.ts';
import { openDatabase, type Db } from '../../dataplane/src/storage/local/database.ts';
import { openLocalRecords } from '../../dataplane/src/storage/local/records.ts';
import type { WireChange } from '../../dataplane/src/storage/local/wire.ts';
import type { Store } from '../../dataplane/src/storage/contract.ts';

/** The whole index of keys stays in memory while it grows, in KiB. */
const CACHE_KIB = 2 * 1024 * 1024;

const LOCATION = 'default';

/** Opens a new store in an empty directory; what it holds is whole once it was closed. Bytes beyond small blobs are refused. */
export function openBulkStore(directory: string): Store {
  const db = openDatabase(layoutOf(directory).database, LOCATION, 0);
  db.pragma('synchronous = OFF');
  db.pragma('journal_mode = OFF');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.exec('BEGIN EXCLUSIVE');
  const perform = performer(db);
  // This connection writes what it reads, so nothing may be remembered.
  let reads = 0;
  const records = openLocalRecords({
    db,
    queue: { write: async (batch) => batch.forEach(perform) },
    version: () => (reads += 1),
    location: LOCATION,
    stillOpen: () => undefined,
  });
  const refuse = () => {
    throw new Error('Only small blobs are filled in bulk.');
  };
  return {
    records,
    blobs: { put: refuse, get: refuse, head: refuse, delete: refuse, list: refuse },
    check: async () => undefined,
    async close() {
      db.exec('COMMIT');
      db.pragma('journal_mode = WAL');
      db.close();
    },
  };
}

/** Conditions are not looked at: whoever fills a store is alone in it. */
function performer(db: Db): (change: WireChange) => void {
  const put = db.prepare('INSERT OR REPLACE INTO records (key, value, revision) VALUES (?, ?, ?)');
  const remove = db.prepare('DELETE FROM records WHERE key = ?');
  const blob = db.prepare('INSERT INTO blobs (id, bytes) VALUES (?, ?)');
  return (change) => {
    if ('put' in change) put.run(change.put, change.json, change.revision);
    else if ('blob' in change) blob.run(change.blob, change.bytes);
    else if ('delete' in change) remove.run(change.delete);
  };
}
