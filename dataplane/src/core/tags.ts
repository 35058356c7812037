/** Tags: the one thing of a version that changes after it was made. */
import { ArtefactError } from '../errors.ts';
import type { Change, Json } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import type { Actor } from './core.ts';
import { journalChange } from './journal.ts';
import { keys } from './keys.ts';
import type { ObjectVersion } from './object.ts';
import { concurrentChange, repeatOnConflict } from './put.ts';
import type { FoundHead } from './versions.ts';
import { findHead, findVersion, headValue, notFound } from './versions.ts';

export interface Tagging {
  readonly bucket: OpenBucket;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly actor: Actor;
}

/** What `Objects.setTags` promises. */
export async function setTags(context: CoreContext, tagging: Tagging): Promise<ObjectVersion> {
  let seen: Found | undefined;
  return repeatOnConflict(async () => {
    seen = seen === undefined ? await find(tagging) : await findAgain(tagging, seen.version);
    return tag(context, tagging, seen);
  });
}

interface Found {
  readonly head: FoundHead;
  readonly version: ObjectVersion;
}

async function tag(context: CoreContext, tagging: Tagging, { head, version }: Found): Promise<ObjectVersion> {
  const { bucket, key, versionId, tags, actor } = tagging;
  const tagged: ObjectVersion = { ...version, tags };
  await bucket.store.records.write([
    ...(await tagChanges(bucket, head, tagged)),
    journalChange(context, {
      actor,
      change: 'tag',
      bucket: bucket.config.name,
      name: key,
      versionId: versionId ?? version.versionId,
      digest: version.digest,
    }),
  ]);
  return tagged;
}

/**
 * The version that was seen first, wherever it stands now. Tags are words about some bytes: one that became current meanwhile may
 * not get them, so that a version which has been replaced for good is a `ConcurrentChange`.
 */
async function findAgain(tagging: Tagging, seen: ObjectVersion): Promise<Found> {
  const { bucket, key } = tagging;
  const again = await findVersion(bucket, key, seen.versionId);
  if (again?.version.id === seen.id) return { head: again.head, version: seen };
  await find(tagging);
  throw concurrentChange();
}

async function find({ bucket, key, versionId }: Tagging): Promise<Found> {
  const head = versionId === undefined ? await findHead(bucket, key) : undefined;
  const found =
    head === undefined
      ? versionId === undefined
        ? undefined
        : await findVersion(bucket, key, versionId)
      : { head, version: head.version };
  if (found === undefined) throw notFound(key, versionId);
  if (!found.version.deleteMarker) return { head: found.head, version: found.version };
  throw new ArtefactError('DeleteMarkerFound', 'The specified version is a delete marker.', {
    details: { key, versionId: found.version.versionId, byVersionId: versionId !== undefined },
  });
}

/** The head's record is written in every case, so that every change of a name meets in one record. */
async function tagChanges(bucket: OpenBucket, head: FoundHead, tagged: ObjectVersion): Promise<readonly Change[]> {
  const value = headValue(head.version.id === tagged.id ? { ...head, version: tagged } : head);
  const change: Change = { put: keys.head(bucket.id, tagged.key), value, ifRevision: head.revision };
  const past = await bucket.store.records.get(keys.past(bucket.id, tagged.key, tagged.id));
  if (past === undefined) return [change];
  return [change, { put: past.key, value: tagged as unknown as Json, ifRevision: past.revision }];
}
