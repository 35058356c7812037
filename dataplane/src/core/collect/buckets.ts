/** Buckets that are no more: what is left in them goes, in steps that can be repeated. */
import type { Change, Entry, Store } from '../../storage/contract.ts';
import type { BucketRecord } from '../buckets.ts';
import { asBucketRecord, bucketValue, findBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import { keys, registryRemains } from '../keys.ts';
import type { Version } from '../object.ts';
import { idsOf } from '../realm.ts';
import { asHead, asVersion, letGo, noteGarbage } from '../versions.ts';
import { endSession } from './uploads.ts';
import { removeAll, scanAll } from '../scan.ts';
import { unlessConflict } from '../conflict.ts';

/** Takes a bucket's name from it: from here on its content cannot be reached, and is removed in time. */
export function retireBucket(name: string, record: BucketRecord, now: number): readonly Change[] {
  return [{ put: keys.gone(record.id), value: { name, since: now } }];
}

/**
 * Notes which buckets no resource claims any more. With deletionPolicy Delete they are retired after the grace time, so that
 * a directory of manifests that is away for a moment costs nothing; with Retain they wait for a resource to claim them.
 */
export async function retireUnclaimed(context: CoreContext, store: Store, claimed: ReadonlySet<string>): Promise<void> {
  for await (const entry of scanAll(store, keys.buckets)) {
    const name = entry.key.slice(keys.buckets.length);
    const record = asBucketRecord(entry);
    if (claimed.has(name) || record.deletionPolicy === 'Retain') continue;
    await retireOne(context, store, { entry, name, record }).catch(unlessConflict);
  }
}

/** The same for what tenants had under names that others have now. */
export async function retireKept(context: CoreContext, store: Store): Promise<void> {
  for await (const entry of scanAll(store, keys.keptBuckets)) {
    const name = entry.key.slice(entry.key.lastIndexOf('/') + 1);
    const record = asBucketRecord(entry);
    if (record.deletionPolicy === 'Retain') continue;
    // An interrupted change of hands leaves a copy of what is in use.
    const inUse = (await findBucket(store, name))?.record.id === record.id;
    await (inUse ? dropCopy(store, entry) : retireOne(context, store, { entry, name, record })).catch(unlessConflict);
  }
}

async function dropCopy(store: Store, entry: Entry): Promise<void> {
  await store.records.write([{ delete: entry.key, ifRevision: entry.revision }]);
}

async function retireOne(
  context: CoreContext,
  store: Store,
  { entry, name, record }: { readonly entry: Entry; readonly name: string; readonly record: BucketRecord },
): Promise<void> {
  if (record.unclaimed === undefined) {
    await store.records.write([
      { put: entry.key, value: bucketValue({ ...record, unclaimed: context.now() }), ifRevision: entry.revision },
    ]);
    return;
  }
  if (context.now() - record.unclaimed < context.terms.grace) return;
  await store.records.write([...retireBucket(name, record, context.now()), { delete: entry.key, ifRevision: entry.revision }]);
}

/** Removes what is left in retired buckets. */
export async function emptyRetired(context: CoreContext, store: Store, signal: AbortSignal): Promise<void> {
  for await (const entry of scanAll(store, keys.goneBuckets, { signal })) {
    const { since } = entry.value as { readonly since: number };
    const bucketId = entry.key.slice(keys.goneBuckets.length);
    for (const id of idsOf(bucketId)) await removeContent(context, store, id, signal);
    // A request that began before may still write something: the note stays for the grace time.
    if (!signal.aborted && context.now() - since > context.terms.grace) await store.records.write([{ delete: entry.key }]);
  }
}

/** Removes every name of a bucket id, or a realm's, current and past, and ends its sessions. */
async function removeContent(context: CoreContext, store: Store, bucketId: string, signal: AbortSignal): Promise<void> {
  for await (const entry of scanAll(store, keys.pastOfBucket(bucketId), { signal }))
    await removeRecord(context, store, { entry, version: asVersion(entry), bucketId });
  for await (const entry of scanAll(store, keys.heads(bucketId), { signal }))
    await removeRecord(context, store, { entry, version: asHead(entry).version, bucketId });
  for (const prefix of registryRemains(bucketId)) await removeAll(store, prefix);
  for await (const entry of scanAll(store, keys.uploads(bucketId), { signal })) await endSession(context, store, entry);
  for await (const entry of scanAll(store, keys.rangeSessions(bucketId), { signal })) await endSession(context, store, entry);
}

async function removeRecord(
  context: CoreContext,
  store: Store,
  { entry, version, bucketId }: { readonly entry: Entry; readonly version: Version; readonly bucketId: string },
): Promise<void> {
  const versions = [version];
  await store.records.write([...noteGarbage(versions, context.now()), { delete: entry.key }, ...letGo({ store, id: bucketId }, versions)]);
}
