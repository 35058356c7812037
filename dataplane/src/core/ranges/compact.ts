/**
 * Many small requests make many small pieces, which would slow down every read of the artefact. Now and then the last ones of a
 * sequential session are written once more as fewer, in steps of eight, so that each byte is written again a few times at most.
 */
import type { Store } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import { passThrough } from '../hashing/stream.ts';
import { keys } from '../keys.ts';
import { readRuns, watchRuns } from '../runs.ts';
import type { RangesRoom } from './deliver.ts';
import { keepAfter } from './keep.ts';
import type { Piece } from './pieces.ts';
import { LARGE, runOf } from './pieces.ts';
import type { Held } from './session.ts';
import type { Staged } from './staging.ts';
import { letGo, stage } from './staging.ts';

const TOGETHER = 8;

/** Powers of eight, so that pieces that were put together wait for others of their size. */
function sizeClass({ size }: Piece): number {
  return Math.floor(Math.log2(size) / 3);
}

/** The last pieces that are to become fewer; none as long as they are few. */
export function toCompact(run: readonly Piece[]): readonly Piece[] {
  for (let most = 0; most <= sizeClass({ size: LARGE } as Piece); most += 1) {
    const last = run.slice(run.findLastIndex((piece) => sizeClass(piece) > most) + 1);
    if (last.length >= TOGETHER) return last;
  }
  return [];
}

/** Puts the last pieces together where they have become many. When it fails, the session is as it was. */
export async function compact(room: RangesRoom, bucket: OpenBucket, held: Held): Promise<Held> {
  const old = toCompact(held.record.run ?? []);
  const [first] = old;
  if (first === undefined) return held;
  const { store } = bucket;
  const runs = old.map(runOf);
  // What has rotted stays as it is, to be found by whoever completes: written anew, it would pass for what came.
  const watch = watchRuns(runs);
  const slabs = passThrough(readRuns(store, runs), (slab) => watch.feed(slab));
  const staged: Staged[] = [];
  try {
    for await (const piece of stage(room.context, store, slabs, first.offset)) staged.push(piece);
  } catch (error) {
    await letGo(store, held.record, staged);
    throw error;
  } finally {
    watch.drop();
  }
  const kept = held.record.run!.slice(0, -old.length);
  const before = { tail: first.previous, run: kept, pieces: held.record.pieces - old.length };
  const after = await keepAfter(room, bucket, { held, before, pieces: staged });
  await room.pursuits.replace(held.record.uploadId, old, staged);
  await remove(store, held.record.uploadId, old);
  return after;
}

/** First the bytes: a record without bytes goes with the session, bytes without a record would stay. */
async function remove(store: Store, uploadId: string, pieces: readonly Piece[]): Promise<void> {
  for (const { blob } of pieces) await store.blobs.delete(blob);
  await store.records.write(pieces.map(({ offset, id }) => ({ delete: keys.piece(uploadId, offset, id) })));
}
