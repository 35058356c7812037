/**
 * The record of a session of ranges. Of a sequential one it is also the fence: every appended piece moves `offset` by a
 * compare-and-set of it, and whoever takes over changes `epoch` first, so that an older request's pieces fail, in any process.
 */
import { ArtefactError, isError } from '../../errors.ts';
import type { Json, Revision } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import { stillOpen } from '../buckets.ts';
import type { Claim } from '../claims.ts';
import type { CoreContext } from '../context.ts';
import type { Actor } from '../core.ts';
import { isId, newId } from '../ids.ts';
import { journalChange } from '../journal.ts';
import { keys } from '../keys.ts';
import { publicName } from '../realm.ts';
import { uploadUnknown } from '../uploads.ts';
import type { RangeOptions, RangeSession, SessionPlace } from './contract.ts';
import { checkMax } from './length.ts';
import type { Piece } from './pieces.ts';

/** What the record holds beyond what protocols see. */
export interface SessionRecord extends RangeSession {
  readonly claim?: Claim;
  /** Changed by whoever takes the session over. */
  readonly epoch: number;
  /** Sequential: id of the last piece that counts. */
  readonly tail?: string;
  /** Sequential: how many count. */
  readonly pieces: number;
  /** Sequential: the last pieces, as far as they are small. */
  readonly run?: readonly Piece[];
}

/** A session as it was read, or last written. */
export interface Held {
  readonly record: SessionRecord;
  readonly revision: Revision;
}

/** The key of the session's record. */
export function recordKey(bucket: OpenBucket, { key, uploadId }: SessionPlace): string {
  return keys.rangeSession(bucket.id, key, uploadId);
}

export async function openSession(
  context: CoreContext,
  bucket: OpenBucket,
  { key, options, actor }: { readonly key: string; readonly options: RangeOptions; readonly actor: Actor },
): Promise<Held> {
  const now = context.now();
  const uploadId = newId(undefined, now);
  const { attributes, mode, length, sha256 } = options;
  checkMax(length);
  const record: SessionRecord = {
    uploadId,
    key,
    initiated: now,
    expires: now + context.terms.uploadLife,
    owner: actor.principal,
    attributes,
    mode,
    conditions: options.conditions ?? {},
    offset: 0,
    epoch: 0,
    pieces: 0,
    ...(options.partial === true ? { partial: true as const } : {}),
    ...(length === undefined ? {} : { length }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(options.memo === undefined ? {} : { memo: options.memo }),
    ...(options.withSha512 === true ? { withSha512: true as const } : {}),
  };
  const [revision] = await bucket.store.records.write([
    { put: recordKey(bucket, record), value: valueOf(record), ifAbsent: true },
    journalChange(context, {
      actor,
      change: 'upload-begin',
      bucket: bucket.config.name,
      name: publicName(bucket.config, key),
      note: uploadId,
    }),
  ]);
  await stillOpen(bucket);
  return { record, revision: revision! };
}

/** Throws `UploadUnknown`, also when its time is over. */
export async function holdSession(context: CoreContext, bucket: OpenBucket, place: SessionPlace): Promise<Held> {
  const entry = isId(place.uploadId) ? await bucket.store.records.get(recordKey(bucket, place)) : undefined;
  if (entry === undefined) throw uploadUnknown(place.uploadId);
  const record = entry.value as unknown as SessionRecord;
  if (context.now() >= record.expires) throw uploadUnknown(place.uploadId);
  return { record, revision: entry.revision };
}

export function valueOf(record: SessionRecord): Json {
  return record as unknown as Json;
}

/** Tries of a change that others may come between; each loser has seen another win. */
const TRIES = 20;

/** Changes the record, whoever comes between; a change that answers the same record writes nothing. */
export async function changeSession(
  context: CoreContext,
  bucket: OpenBucket,
  place: SessionPlace,
  change: (record: SessionRecord) => SessionRecord,
): Promise<Held> {
  for (let tries = 1; ; tries += 1) {
    const held = await holdSession(context, bucket, place);
    const record = change(held.record);
    if (record === held.record) return held;
    try {
      const [revision] = await bucket.store.records.write([
        { put: recordKey(bucket, place), value: valueOf(record), ifRevision: held.revision },
      ]);
      return { record, revision: revision! };
    } catch (error) {
      if (!isError(error, 'Conflict')) throw error;
      if (tries === TRIES) throw superseded();
    }
  }
}

/** The answer to a request whose session another one took over. */
export function superseded(): ArtefactError {
  return new ArtefactError('ConcurrentChange', 'A later request took this upload over. Ask for its offset, and go on from there.', {
    details: { reason: 'superseded' },
  });
}
