/** What finished upload sessions became: remembered for a while, so that a repeated completion answers what the first one did. */
import type { Json } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import type { PutResult } from './core.ts';
import type { Digest } from './digest.ts';
import { isId } from './ids.ts';
import { keys } from './keys.ts';
import type { ObjectVersion } from './object.ts';
import { uploadUnknown } from './uploads.ts';
import { findVersion } from './versions.ts';

interface DoneRecord {
  readonly bucketId: string;
  readonly key: string;
  readonly versionId: string;
  readonly id: string;
  readonly digest: Digest;
  /** Ms since the epoch. */
  readonly finished: number;
  readonly memo?: string;
}

/** A session that may have finished; `session` is the key of its record. */
export interface Finished {
  readonly key: string;
  readonly uploadId: string;
  readonly session: string;
}

/** What it became; undefined while its record is there, whatever was noted. Throws `UploadUnknown` when that is no more. */
export async function findDone(
  bucket: OpenBucket,
  { key, uploadId, session }: Finished,
): Promise<(PutResult & { readonly memo?: string }) | undefined> {
  if (!isId(uploadId) || (await bucket.store.records.get(session)) !== undefined) return undefined;
  const entry = await bucket.store.records.get(keys.done(uploadId));
  if (entry === undefined) return undefined;
  const done = entry.value as unknown as DoneRecord;
  if (done.bucketId !== bucket.id || done.key !== key) throw uploadUnknown(uploadId);
  const found = await findVersion(bucket, key, done.versionId);
  if (found === undefined || found.version.deleteMarker || found.version.id !== done.id) throw uploadUnknown(uploadId);
  return { version: found.version, created: false, ...(done.memo === undefined ? {} : { memo: done.memo }) };
}

/** The value of a `done` record. */
export function doneValue(bucket: OpenBucket, version: ObjectVersion, memo?: string): Json {
  const done: DoneRecord = {
    bucketId: bucket.id,
    key: version.key,
    versionId: version.versionId,
    id: version.id,
    digest: version.digest,
    finished: version.modified,
    ...(memo === undefined ? {} : { memo }),
  };
  return done as unknown as Json;
}

/** Two completions of one session race: the session's record lets one through, and the other answers the same. */
export async function finishedByAnother(error: unknown, bucket: OpenBucket, finished: Finished): Promise<PutResult> {
  const done = await findDone(bucket, finished).catch(() => undefined);
  if (done !== undefined) return done;
  throw error;
}
