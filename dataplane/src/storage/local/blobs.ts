/** Blobs of a local store: small ones are rows in SQLite (they share commits with records), larger ones are files. */
import { stat, unlink } from 'node:fs/promises';
import { ArtefactError } from '../../errors.ts';
import type { BlobId, Blobs, ByteRange, Bytes } from '../contract.ts';
import { checkBlobId, checkLimit, checkRange } from '../limits.ts';
import type { Db } from './database.ts';
import { isErrno, onDisk, translate } from './failure.ts';
import { Intake } from './intake.ts';
import { leafOf, pathOf } from './layout.ts';
import type { PartPlace } from './part.ts';
import { readFileBytes } from './reading.ts';
import { openWalk } from './walk.ts';
import { withhold } from './withheld.ts';
import type { WriteQueue } from './writeQueue.ts';

export interface LocalBlobsOptions extends PartPlace {
  readonly db: Db;
  readonly queue: WriteQueue;
  readonly location: string;
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
  /** Throws `Unavailable` when the directory is no longer the one that was opened. */
  readonly stillStanding: () => void;
}

/** Blobs over an open database and its directory. */
export function openLocalBlobs(options: LocalBlobsOptions): Blobs {
  const { layout, directories, queue, location, stillOpen, stillStanding } = options;
  const rows = smallBlobs(options.db);
  const walk = openWalk(layout);
  const sizeOf = async (id: BlobId): Promise<number | undefined> => {
    const size = rows.size.get(id) ?? (await fileSize(pathOf(layout, id)));
    if (size === undefined) stillStanding();
    return size;
  };
  const intakeOptions = { ...options, isRow: (id: BlobId) => rows.size.get(id) !== undefined };

  return {
    async put(id, body) {
      stillOpen();
      checkBlobId(id);
      await onDisk(location, stillStanding);
      const size = await receive(new Intake(intakeOptions, id), body);
      await onDisk(location, stillStanding);
      return size;
    },
    get: (id, range) => lend(options, rows, id, range),
    async head(id) {
      stillOpen();
      checkBlobId(id);
      return onDisk(location, () => sizeOf(id));
    },
    async delete(id) {
      stillOpen();
      checkBlobId(id);
      if (await onDisk(location, () => rows.size.get(id) !== undefined)) await queue.write([{ erase: id }]);
      await onDisk(location, async () => {
        const path = pathOf(layout, id);
        if ((await withhold(layout, id, path)) || (await unlinkIfThere(path))) await directories.sync(leafOf(layout, id));
        else stillStanding();
      });
    },
    async list(after, limit) {
      stillOpen();
      checkLimit(limit);
      return onDisk(location, async () => {
        const found = merge(rows.ids.all(after ?? '', limit), await walk.list(after, limit), limit);
        stillStanding();
        return found;
      });
    },
  };
}

function smallBlobs(db: Db) {
  return {
    size: db.prepare<[BlobId], number>('SELECT length(bytes) FROM blobs WHERE id = ?').pluck(),
    bytes: db.prepare<[BlobId], Buffer>('SELECT bytes FROM blobs WHERE id = ?').pluck(),
    ids: db.prepare<[BlobId, number], BlobId>('SELECT id FROM blobs WHERE id > ? ORDER BY id LIMIT ?').pluck(),
  };
}

type SmallBlobs = ReturnType<typeof smallBlobs>;

/** What the body throws goes to the caller as it is. */
async function receive(intake: Intake, body: Bytes): Promise<number> {
  try {
    for await (const chunk of body) await intake.take(chunk);
    return await intake.finish();
  } catch (thrown) {
    await intake.discard();
    throw thrown;
  }
}

async function* lend(options: LocalBlobsOptions, rows: SmallBlobs, id: BlobId, range: ByteRange | undefined): Bytes {
  options.stillOpen();
  checkBlobId(id);
  checkRange(range);
  const small = await onDisk(options.location, () => rows.bytes.get(id));
  if (!small) {
    yield* lendFile(options, id, range);
    return;
  }
  const end = range ? range.offset + range.length : small.byteLength;
  const bytes = small.subarray(range?.offset ?? 0, end);
  if (bytes.byteLength > 0) yield bytes;
}

/** Translates failures of reading only: what a consumer throws in is not the disk's. */
async function* lendFile(options: LocalBlobsOptions, id: BlobId, range: ByteRange | undefined): Bytes {
  const source = readFileBytes(pathOf(options.layout, id), range, options.slabs)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await source.next().catch((thrown: unknown) => {
        throw unreadable(options, thrown);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

/** Where the whole directory is gone, nothing is known of one blob. */
function unreadable({ location, stillStanding }: LocalBlobsOptions, thrown: unknown): unknown {
  if (!isErrno(thrown, 'ENOENT')) return translate(thrown, location);
  try {
    stillStanding();
  } catch (gone) {
    return translate(gone, location);
  }
  return new ArtefactError('DigestUnknown', 'These bytes are not in the store.', { cause: thrown });
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

/** Both lists ascend; an id in both is named once. */
function merge(left: readonly BlobId[], right: readonly BlobId[], limit: number): readonly BlobId[] {
  if (right.length === 0) return left;
  return [...new Set([...left, ...right])].sort().slice(0, limit);
}
