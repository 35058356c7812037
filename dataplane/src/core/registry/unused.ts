/**
 * Blobs of a repository that no manifest names: pushed and never used, or used by manifests that were deleted. Each has a note since
 * when, and goes when that is longer ago than the grace time.
 *
 * A push that relies on a blob settles with the collector by the blob's note: the push, once its manifest stands, removes the note;
 * the collector, before it removes the blob, changes it. One of the two fails, and then the push says that the blob is missing, or
 * the collector leaves it.
 */
import type { Change, Entry, Json, Store } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { DigestName } from '../digest.ts';
import { keys } from '../keys.ts';
import { scanAll } from '../scan.ts';
import type { BucketPlace, FoundHead } from '../versions.ts';
import { findHead, letGo, noteGarbage } from '../versions.ts';
import { blobKey, blobPlace, placeName } from './names.ts';
import type { Place } from './names.ts';
import { useOf } from './uses.ts';
import { tookPlace, unlessConflict } from '../conflict.ts';

interface Note {
  readonly since: number;
  /** The collector is removing it. */
  readonly removing?: true;
}

/** The change that has the collector look at a blob, when a key is one. */
export function noteUnused(bucket: OpenBucket, key: string, now: number): readonly Change[] {
  const place = bucket.config.realm === 'registry' ? blobPlace(key) : undefined;
  return place === undefined ? [] : [noteBlob(bucket, place, now)];
}

export function noteBlob(bucket: BucketPlace, place: Place, now: number): Change {
  const note: Note = { since: now };
  return { put: keys.garbageUnused(bucket.id, placeName(place)), value: note as unknown as Json };
}

/** Says that somebody is about to use a blob that may be waiting for its removal: the time begins anew. False when that has begun. */
export async function touchBlob(context: CoreContext, bucket: OpenBucket, place: Place): Promise<boolean> {
  const entry = await noteOf(bucket, place);
  if (entry === undefined) return true;
  const { since, removing } = entry.value as unknown as Note;
  if (removing === true) return false;
  if (context.now() - since < context.terms.grace / 2) return true;
  // Who changed it meanwhile has touched it too, or begun to remove it: then the push will be told.
  await tookPlace(bucket.store.records.write([{ put: entry.key, value: { since: context.now() }, ifRevision: entry.revision }]));
  return true;
}

/** After a manifest that names them stands: those of the blobs that are not there, or are being removed. */
export async function settleUsed(bucket: OpenBucket, repository: string, blobs: readonly DigestName[]): Promise<readonly DigestName[]> {
  const settled = await Promise.all(blobs.map(async (digest) => ((await settleOne(bucket, { repository, digest })) ? [] : [digest])));
  return settled.flat();
}

async function settleOne(bucket: OpenBucket, place: Place): Promise<boolean> {
  for (;;) {
    const entry = await noteOf(bucket, place);
    if (entry !== undefined && (entry.value as unknown as Note).removing === true) return false;
    if (entry === undefined || (await tookPlace(bucket.store.records.write([{ delete: entry.key, ifRevision: entry.revision }]))))
      return (await findHead(bucket, blobKey(place))) !== undefined;
  }
}

/** The note of a blob, where it has one. */
export function noteOf(bucket: BucketPlace, place: Place): Promise<Entry | undefined> {
  return bucket.store.records.get(keys.garbageUnused(bucket.id, placeName(place)));
}

/** Looks at every blob that has been without a manifest for the grace time, and removes those that still are. */
export async function collectUnused(context: CoreContext, store: Store, signal: AbortSignal): Promise<void> {
  for await (const entry of scanAll(store, keys.garbageAllUnused, { signal })) {
    const { since } = entry.value as unknown as Note;
    if (context.now() - since < context.terms.grace) continue;
    const rest = entry.key.slice(keys.garbageAllUnused.length);
    const id = rest.slice(0, rest.indexOf('/'));
    const place = blobPlace(`l/${rest.slice(id.length + 1)}`);
    if (place === undefined) continue;
    await collectBlob(context, { store, id }, place, entry).catch(unlessConflict);
  }
}

async function collectBlob(context: CoreContext, bucket: BucketPlace, place: Place, note: Entry): Promise<void> {
  const { records } = bucket.store;
  const head = await findHead(bucket, blobKey(place));
  const use = head === undefined ? 'used' : await useOf(context, bucket, place);
  if (use === 'perhaps') return;
  if (head === undefined || use === 'used') return void (await records.write([{ delete: note.key, ifRevision: note.revision }]));
  await removeUnused(context, bucket, { place, head, note, told: [] });
}

/**
 * Removes a blob that no manifest names; false when one has come to name it. `told` goes in the batch that removes it. Throws `Conflict`
 * when somebody else changed the blob or its note meanwhile.
 */
export async function removeUnused(
  context: CoreContext,
  bucket: BucketPlace,
  { place, head, note, told }: { readonly place: Place; readonly head: FoundHead; readonly note?: Entry; readonly told: readonly Change[] },
): Promise<boolean> {
  const { records } = bucket.store;
  const key = keys.garbageUnused(bucket.id, placeName(place));
  const since = note === undefined ? context.now() : (note.value as unknown as Note).since;
  const removing: Note = { since, removing: true };
  const expected = note === undefined ? { ifAbsent: true as const } : { ifRevision: note.revision };
  const [revision] = await records.write([{ put: key, value: removing as unknown as Json, ...expected }]);
  // From here on a push that names it fails; one that stood before is seen now.
  if ((await useOf(context, bucket, place)) !== 'unused') {
    await records.write([{ put: key, value: { since }, ifRevision: revision! }]);
    return false;
  }
  await records.write([
    ...noteGarbage([head.version], context.now()),
    { delete: keys.head(bucket.id, blobKey(place)), ifRevision: head.revision },
    ...told,
    ...letGo(bucket, [head.version]),
    { delete: key, ifRevision: revision! },
  ]);
  return true;
}
