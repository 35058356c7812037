/** Sessions that take byte ranges: each function opens the bucket, takes the session's turn where it must, and leaves the work to the file of its verb. */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import { openBucket } from '../buckets.ts';
import { removeRemains } from '../collect/uploads.ts';
import type { CoreContext } from '../context.ts';
import type { PutResult } from '../core.ts';
import { readSegments } from '../digests.ts';
import { findDone } from '../done.ts';
import { abortRanges } from './abort.ts';
import { append } from './append.ts';
import { completeRanges, joinPartials } from './complete.ts';
import type { Ranges, RangeSession } from './contract.ts';
import type { RangesRoom } from './deliver.ts';
import { nameKnown } from './known.ts';
import { allPieces, chain, covered, segmentsOf, tile } from './pieces.ts';
import type { SessionRecord } from './session.ts';
import { changeSession, holdSession, openSession, recordKey } from './session.ts';
import { createPursuits } from './pursuit.ts';
import { createTurns } from './turns.ts';
import { writeRange } from './write.ts';

export function createRanges(context: CoreContext): Ranges {
  const room: RangesRoom = { context, pursuits: createPursuits() };
  const turns = createTurns();
  const completions = new Map<string, Promise<PutResult>>();
  const open = (bucket: BucketConfig): Promise<OpenBucket> => openBucket(context, bucket);
  return {
    begin: async (bucket, key, options, actor) => (await openSession(context, await open(bucket), { key, options, actor })).record,
    known: async (bucket, key, content, mayRead, naming) => nameKnown(context, await open(bucket), { key, ...content, ...naming }, mayRead),
    find: async (bucket, place) => (await holdSession(context, await open(bucket), place)).record,
    seize: async (bucket, place) => {
      await turns.interrupt(place.uploadId);
      return (await changeSession(context, await open(bucket), place, fence)).record;
    },
    finished: async (bucket, place, as) => {
      const opened = await open(bucket);
      return findDone(opened, { uploadId: place.uploadId, key: as ?? place.key, session: recordKey(opened, place) });
    },
    append: async (bucket, place, delivery) => {
      const opened = await open(bucket);
      const turn = await turns.take(place.uploadId);
      return append(room, opened, place, { delivery, signal: turn.signal }).finally(() => turn.end());
    },
    write: async (bucket, place, delivery) => writeRange(room, await open(bucket), place, delivery),
    spans: async (bucket, place) => {
      const opened = await open(bucket);
      return spansOf(opened, (await holdSession(context, opened, place)).record);
    },
    read: async (bucket, place, range) => {
      const opened = await open(bucket);
      return readStaged(opened, (await holdSession(context, opened, place)).record, range);
    },
    complete: async (bucket, place, completion) => {
      const opened = await open(bucket);
      // Two requests that complete one session in one process share the work, and its answer.
      const running = completions.get(place.uploadId);
      if (running !== undefined) return running;
      const work = completeRanges(room, opened, place, completion).finally(() => completions.delete(place.uploadId));
      completions.set(place.uploadId, work);
      const result = await work;
      room.pursuits.drop(place.uploadId);
      await removeRemains(opened.store, place.uploadId);
      return result;
    },
    join: async (bucket, key, partials, attributes, naming) => {
      const opened = await open(bucket);
      const joined = await joinPartials(room, opened, partials, { key, attributes, ...naming });
      for (const { uploadId } of partials) {
        room.pursuits.drop(uploadId);
        await removeRemains(opened.store, uploadId);
      }
      return joined;
    },
    abort: async (bucket, place, actor) => {
      await turns.interrupt(place.uploadId);
      await abortRanges(room, await open(bucket), place, actor);
    },
  };
}

/** Parallel sessions have no offset to hold, and completing ones none that changes. */
function fence(record: SessionRecord): SessionRecord {
  return record.mode === 'parallel' || record.completing === true ? record : { ...record, epoch: record.epoch + 1 };
}

async function spansOf({ store }: OpenBucket, { uploadId, mode, offset }: RangeSession): ReturnType<Ranges['spans']> {
  if (mode === 'sequential') return offset === 0 ? [] : [[0, offset]];
  return covered(await allPieces(store, uploadId));
}

async function readStaged(
  { store }: OpenBucket,
  session: SessionRecord,
  range: { readonly offset: number; readonly length: number },
): ReturnType<Ranges['read']> {
  const pieces = await allPieces(store, session.uploadId);
  const end = range.offset + range.length;
  const from = pieces.findLast(({ offset }) => offset <= range.offset)?.offset ?? 0;
  if (session.mode === 'sequential') {
    if (end > session.offset) throw notStored();
    return readSegments(store, segmentsOf(chain(pieces, session.tail)), range);
  }
  const to = pieces.find(({ offset, size }) => offset + size >= end);
  const tiling = to === undefined ? undefined : tile(pieces, from, to.offset + to.size);
  if (tiling === undefined) throw notStored();
  return readSegments(store, segmentsOf(tiling), { offset: range.offset - from, length: range.length });
}

function notStored(): ArtefactError {
  return new ArtefactError('InvalidRange', 'Not all of these bytes are stored yet.');
}
