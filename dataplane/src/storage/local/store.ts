/** The store on a local disk: files and SQLite in one directory, which several processes of one machine may open at once. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobId, Bytes, Store } from '../contract.ts';
import { openLocalBlobs } from './blobs.ts';
import { joinCompany } from './company.ts';
import type { Company } from './company.ts';
import { watchDamage } from './damage.ts';
import { openDatabase } from './database.ts';
import type { Db } from './database.ts';
import { DIRECTORY_MODE, openDirectories, syncDirectory } from './directories.ts';
import { onDisk, unavailable } from './failure.ts';
import { openFreshness } from '../../freshness.ts';
import { layoutOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { checkLogEnd } from './log.ts';
import { openProbe } from './probe.ts';
import { openLocalRecords } from './records.ts';
import { openSlabs } from './slabs.ts';
import { openSmallBlobs } from './smallBlobs.ts';
import { marksOf, openStanding } from './standing.ts';
import { removeOrphans, startSweeping } from './sweep.ts';
import { openUnderWay } from '../underWay.ts';
import { sweepWithheld } from './withheld.ts';
import { checkBeforeOpening, hasLostBlobs } from './whole.ts';
import { openWriteQueue } from './writeQueue.ts';
import type { WriteQueue } from './writeQueue.ts';

/** How long a read waits for a process that is opening or recovering the database, in ms. */
const READ_PATIENCE_MS = 2000;

export interface LocalStoreOptions {
  /** Made, with mode 0700, when it is not there. On a local file system: SQLite's log and hard links need one. */
  readonly directory: string;
  /** What messages call this location; default `default`. */
  readonly name?: string;
  /** Bytes of records and small blobs that may wait for their commit before writes are answered `SlowDown`; default 32 MiB. */
  readonly maxPendingBytes?: number;
}

/**
 * Opens the store in a directory, making it when there is none. Throws `Unavailable` when it cannot be used: no space, no
 * permission, damaged, or written by a newer Bonded.
 *
 * `close` waits for writes that were begun; a body that is being read keeps its own file and may be read to its end.
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  const location = options.name ?? 'default';
  const layout = layoutOf(options.directory);
  const db = await onDisk(location, () => prepare(layout, location));
  let company: Company | undefined;
  try {
    const joined = await onDisk(location, () => joinCompany(layout, location));
    company = joined;
    await onDisk(location, () => removeOrphans(layout, joined.orphans));
    const marks = marksOf(layout);
    const queue = await onDisk(location, () => openWriteQueue({ ...options, location, marks }));
    return assemble({ db, queue, company, layout, location, stillStanding: openStanding(layout, location, marks) });
  } catch (thrown) {
    company?.leave();
    db.close();
    throw thrown;
  }
}

async function prepare(layout: Layout, location: string): Promise<Db> {
  checkBeforeOpening(layout, location);
  const lostBlobs = hasLostBlobs(layout);
  if (!lostBlobs) for (const path of [layout.blobs, layout.incoming]) await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  const db = openDatabase(layout.database, location, READ_PATIENCE_MS);
  try {
    if (lostBlobs) throw unavailable(location, 'its directory blobs is gone, while its records are there; mount it, or restore a backup');
    checkLogEnd(db, layout.database, location);
    // A reader that cannot write by mistake: all changes go through the writer.
    db.pragma('query_only = ON');
    for (const path of [layout.directory, dirname(layout.directory)]) await syncDirectory(path);
    if ([layout.withheld, layout.letGo].some(existsSync)) await sweepWithheld(layout);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

interface Parts {
  readonly db: Db;
  readonly queue: WriteQueue;
  readonly company: Company;
  readonly layout: Layout;
  readonly location: string;
  readonly stillStanding: () => void;
}

function assemble({ db, queue, company, layout, location, stillStanding }: Parts): Store {
  let closing: Promise<void> | undefined;
  const stillOpen = (): void => {
    if (closing) throw unavailable(location, 'it is closed');
  };
  const room = { db, queue, version: openFreshness(db), layout, location, stillOpen, stillStanding };
  const underWay = openUnderWay();
  const blobs = openLocalBlobs({ ...room, directories: openDirectories(layout.blobs), slabs: openSlabs() });
  const probe = underWay.tracking(openProbe(room));
  const stopSweeping = startSweeping(layout);

  async function close(): Promise<void> {
    stopSweeping();
    await underWay.settled();
    // The writer goes last: whoever closes the database last moves the log into it, and that may take a while.
    db.close();
    await queue.close();
    company.leave();
  }

  return watchDamage({
    blobs: {
      ...blobs,
      small: openSmallBlobs(room),
      put: underWay.tracking((id: BlobId, body: Bytes) => blobs.put(id, body)),
      delete: underWay.tracking((id: BlobId) => blobs.delete(id)),
      list: underWay.tracking((after: BlobId | undefined, limit: number) => blobs.list(after, limit)),
    },
    records: openLocalRecords(room),
    async check() {
      stillOpen();
      await probe();
    },
    close: () => (closing ??= close()),
  });
}
