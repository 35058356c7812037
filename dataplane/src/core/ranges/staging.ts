/** Bytes on their way become stored pieces, one after another; nothing counts them yet. */
import type { BlobId, Change, Json, Revision, Store } from '../../storage/contract.ts';
import { SMALL_BLOB } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import { checksumOf } from '../hashing/checksums.ts';
import type { LaneHash } from '../hashing/lanes.ts';
import { openLaneHash } from '../hashing/lanes.ts';
import { newId } from '../ids.ts';
import type { Intent, OpenIntent } from '../intents.ts';
import { beginIntent, forgetBytes } from '../intents.ts';
import { keys } from '../keys.ts';
import type { SessionPlace } from './contract.ts';
import type { Piece } from './pieces.ts';
import { pieceSize, pieceValue } from './pieces.ts';
import { recordKey } from './session.ts';

/** A stored piece that no record speaks of. */
export interface Staged {
  readonly id: string;
  readonly offset: number;
  readonly size: number;
  readonly blob: BlobId;
  /** Of its bytes, in base64. */
  readonly crc32: string;
  /** Small ones travel in the batch that makes them count. */
  readonly bytes?: Uint8Array;
  readonly intent?: OpenIntent;
}

type LentSlab = Uint8Array<SharedArrayBuffer>;
type LentSlabs = AsyncGenerator<LentSlab, void, void>;

/** Stores what comes from `offset` on. `slabs` are full but for the last, so that a small one ends them. */
export async function* stage(context: CoreContext, store: Store, slabs: LentSlabs, offset: number): AsyncGenerator<Staged, void, void> {
  for (let at = offset; ;) {
    const first = await slabs.next();
    if (first.done === true) return;
    const staged =
      first.value.length <= SMALL_BLOB ? await small(first.value, at) : await large(context, store, { first: first.value, slabs, at });
    at += staged.size;
    yield staged;
  }
}

async function small(lent: Uint8Array, offset: number): Promise<Staged> {
  const bytes = Buffer.from(lent);
  return { id: newId(), offset, size: bytes.length, blob: newId(), crc32: await checksumOf('CRC32', bytes), bytes };
}

async function large(
  context: CoreContext,
  store: Store,
  { first, slabs, at }: { readonly first: LentSlab; readonly slabs: LentSlabs; readonly at: number },
): Promise<Staged> {
  const blob = newId();
  const intent = beginIntent(context, store, blob);
  const crc = openLaneHash('CRC32');
  try {
    const size = await store.blobs.put(blob, intent.before(checked(onePiece(first, slabs, pieceSize(at)), crc)));
    return { id: newId(), offset: at, size, blob, crc32: (await crc.digest()).toString('base64'), intent };
  } catch (error) {
    await intent.giveUp(error);
    throw error;
  } finally {
    crc.drop();
  }
}

/** The same slabs, hashed by another thread while they are lent. */
async function* checked(slabs: LentSlabs, hash: LaneHash): AsyncGenerator<Uint8Array, void, void> {
  for await (const slab of slabs) {
    const taken = hash.update(slab.buffer, slab.byteLength, slab.byteOffset);
    // Whoever leaves the loop here has failed, and tells of that.
    taken.catch(() => undefined);
    yield slab;
    await taken;
  }
}

/** Leaves the slab after the last where it is. */
async function* onePiece(first: LentSlab, slabs: LentSlabs, limit: number): LentSlabs {
  yield first;
  for (let size = first.length; size < limit;) {
    const next = await slabs.next();
    if (next.done === true) return;
    size += next.value.length;
    yield next.value;
  }
}

/** The changes that make staged pieces count, in two halves: what stands before the change that decides, and what behind it. */
export interface Keeping {
  readonly before: readonly Change[];
  readonly after: readonly Change[];
}

/** Plans how pieces come to count; throws `Unavailable`, letting all of them go, when the collector gave one up. `previous` has the piece before each, for sessions that chain them and decide in the same batch. */
export async function planKeeping(
  context: CoreContext,
  bucket: OpenBucket,
  place: SessionPlace,
  wanted: { readonly pieces: readonly Staged[]; readonly previous?: ReadonlyMap<Staged, string | undefined> },
): Promise<Keeping> {
  const { pieces, previous } = wanted;
  // Within one transaction that also decides, small bytes are there or nothing is: nobody has to be told that they are coming.
  const atOnce = previous !== undefined && bucket.store.records.transactional === true;
  const before: Change[] = [];
  const after: Change[] = [];
  for (const piece of pieces) {
    const record = keys.piece(place.uploadId, piece.offset, piece.id);
    const intent: Intent = {
      beat: context.now(),
      part: { uploadId: place.uploadId, bucketId: bucket.id, key: place.key, record, session: recordKey(bucket, place) },
    };
    const expect =
      piece.intent === undefined ? { ifAbsent: true as const } : { ifRevision: await settled(bucket.store, place, piece, pieces) };
    const announced = !atOnce || piece.bytes === undefined;
    if (announced) before.push({ put: keys.intent(piece.blob), value: intent as unknown as Json, ...expect });
    if (piece.bytes !== undefined) before.push({ blob: piece.blob, bytes: piece.bytes });
    before.push({
      put: record,
      value: pieceValue({ ...(piece as Omit<Piece, 'previous'>), previous: previous?.get(piece) }),
      ifAbsent: true,
    });
    if (announced) after.push({ delete: keys.intent(piece.blob) });
  }
  return { before, after };
}

async function settled(store: Store, place: SessionPlace, { intent }: Staged, pieces: readonly Staged[]): Promise<Revision> {
  try {
    return await intent!.settle();
  } catch (error) {
    await letGo(store, place, pieces);
    throw error;
  }
}

/**
 * Lets staged pieces go that certainly do not count. Their records may stand where a batch was made in part: they go first, so
 * that no record speaks of bytes that are not there.
 */
export async function letGo(store: Store, place: SessionPlace, pieces: readonly Staged[]): Promise<void> {
  for (const piece of pieces) {
    if (store.records.transactional !== true) {
      await store.records.write([{ delete: keys.piece(place.uploadId, piece.offset, piece.id) }]).catch(() => undefined);
      if (piece.intent === undefined) await forgetBytes(store, piece.blob);
    }
    await piece.intent?.giveUp();
  }
}
