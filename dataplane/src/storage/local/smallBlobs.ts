/** Whole small blobs, for answers that go out in one piece: rows of SQLite, kept in memory while nothing changes. */
import type { BlobId, Blobs } from '../contract.ts';
import { checkBlobId } from '../limits.ts';
import type { Db } from './database.ts';
import { translate } from './failure.ts';
import { openRemembered } from './remembered.ts';

/** Small blobs that stay in memory, in bytes. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;

export interface SmallBlobsOptions {
  readonly db: Db;
  /** See `openFreshness`, of this connection. */
  readonly version: () => number;
  readonly location: string;
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
}

/** `Blobs.small` over an open database. */
export function openSmallBlobs({ db, version, location, stillOpen }: SmallBlobsOptions): NonNullable<Blobs['small']> {
  const row = db.prepare<[BlobId], Buffer>('SELECT bytes FROM blobs WHERE id = ?').pluck();
  const remembered = openRemembered<Uint8Array>({ version, weigh: ({ byteLength }) => byteLength, budget: REMEMBERED_BYTES });
  const read = (id: BlobId): Uint8Array | undefined => row.get(id);
  return async (id) => {
    stillOpen();
    checkBlobId(id);
    try {
      return remembered.find(id, read);
    } catch (thrown) {
      throw translate(thrown, location);
    }
  };
}
