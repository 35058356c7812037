/** Bucket records: the id under which a bucket's names are kept, so that a name used again never shows what was there before. */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import type { Change, Entry, Json, Revision, Store } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import { storeOf } from './context.ts';
import { newId } from './ids.ts';
import { keys } from './keys.ts';
import { bucketIdOf, idsOf, realmId, type InRealm } from './realm.ts';
import { unlessConflict } from './conflict.ts';

export interface BucketRecord {
  readonly id: string;
  readonly created: number;
  /** The tenant whose content it is; absent in records from before this was kept. */
  readonly namespace?: string;
  /** As last seen in the configuration, since the resource that says so is gone when it matters. */
  readonly deletionPolicy: 'Retain' | 'Delete';
  /** Since when no resource claims the name (ms), as the collector saw it. */
  readonly unclaimed?: number;
  /** Set (ms) while a deletion looks whether it is empty: nothing may be named in it meanwhile. */
  readonly closing?: number;
}

/** A deletion that was cut off stops counting after this, in ms. */
const CLOSING_LIFE = 30_000;

/** True while a deletion of the bucket is under way. */
export function isClosing(record: BucketRecord, now: number): boolean {
  return record.closing !== undefined && now - record.closing < CLOSING_LIFE;
}

export interface FoundBucket {
  readonly record: BucketRecord;
  readonly revision: Revision;
}

/** A bucket, or a realm of it, opened for work: its store and its id. */
export interface OpenBucket {
  readonly store: Store;
  readonly id: string;
  readonly config: InRealm;
  readonly created: number;
}

export function asBucketRecord(entry: Entry): BucketRecord {
  return entry.value as unknown as BucketRecord;
}

export function bucketValue(record: BucketRecord): Json {
  return record as unknown as Json;
}

export async function findBucket(store: Store, name: string): Promise<FoundBucket | undefined> {
  const entry = await store.records.get(keys.bucket(name));
  return entry === undefined ? undefined : { record: asBucketRecord(entry), revision: entry.revision };
}

/** A bucket as it was when it was last looked at, where that is known and it was in use. */
export function recallBucket(context: CoreContext, config: InRealm): OpenBucket | undefined {
  const store = storeOf(context, config);
  const entry = store.records.recall?.(keys.bucket(config.name));
  const record = entry && asBucketRecord(entry);
  return record && isCurrent(record, config) ? { store, id: realmId(record.id, config.realm), config, created: record.created } : undefined;
}

/** Opens a bucket, giving it an id when it is first used; one that is being deleted is `BucketUnknown`. */
export async function openBucket(context: CoreContext, config: InRealm): Promise<OpenBucket> {
  const store = storeOf(context, config);
  for (;;) {
    const found = await findBucket(store, config.name);
    if (found !== undefined && isClosing(found.record, context.now())) throw bucketGone(config.name);
    if (found !== undefined && isCurrent(found.record, config))
      return { store, id: realmId(found.record.id, config.realm), config, created: found.record.created };
    await writeRecord(store, config, found, context.now());
  }
}

/**
 * After something was named in the bucket: throws when the bucket was deleted meanwhile, so that no write into a deleted
 * bucket is ever acknowledged.
 */
export async function stillOpen(bucket: OpenBucket): Promise<void> {
  const found = await findBucket(bucket.store, bucket.config.name);
  if (found?.record.id !== bucketIdOf(bucket.id)) throw bucketGone(bucket.config.name);
  if (found.record.closing !== undefined) throw new ArtefactError('ConcurrentChange', 'The bucket is being deleted. Please try again.');
}

/** True when nothing is named in the bucket, nor in any of its realms. */
export async function isEmpty({ store, id }: Pick<OpenBucket, 'store' | 'id'>): Promise<boolean> {
  const firsts = idsOf(id).map((one) => store.records.scan({ prefix: keys.heads(one), limit: 1 }));
  return (await Promise.all(firsts)).every((first) => first.length === 0);
}

/** A name that another tenant has now is another bucket. */
function isOfTenant({ namespace }: BucketRecord, config: BucketConfig): boolean {
  return namespace === undefined || namespace === config.namespace;
}

function isCurrent(record: BucketRecord, config: BucketConfig): boolean {
  return (
    record.namespace === config.namespace &&
    record.deletionPolicy === config.deletionPolicy &&
    record.unclaimed === undefined &&
    record.closing === undefined
  );
}

async function writeRecord(store: Store, config: BucketConfig, found: FoundBucket | undefined, now: number): Promise<void> {
  const isOthers = found !== undefined && !isOfTenant(found.record, config);
  const own = found === undefined || isOthers ? await findKept(store, config) : found;
  const condition = found === undefined ? { ifAbsent: true as const } : { ifRevision: found.revision };
  const changes: readonly Change[] = [
    ...(isOthers ? [keep(config.name, found.record, now)] : []),
    { put: keys.bucket(config.name), value: bucketValue(recordOf(config, own, now)), ...condition },
    // what was kept is dropped last: an interruption leaves it twice, never not at all
    ...(own === found ? [] : [{ delete: keys.kept(config.namespace, config.name) }]),
  ];
  await store.records.write(changes).catch(unlessConflict);
}

function recordOf({ namespace, deletionPolicy }: BucketConfig, own: FoundBucket | undefined, now: number): BucketRecord {
  const { id, created } = own?.record ?? { id: newId(), created: now };
  return { id, created, namespace, deletionPolicy };
}

/** Puts aside what a tenant has under a name that another one takes, until it claims the name again. */
function keep(name: string, record: BucketRecord, now: number): Change {
  return { put: keys.kept(record.namespace ?? '', name), value: bucketValue({ ...record, unclaimed: record.unclaimed ?? now }) };
}

/** What the bucket's tenant had under its name before another took it; not what is being removed. */
async function findKept(store: Store, { namespace, name }: BucketConfig): Promise<FoundBucket | undefined> {
  const entry = await store.records.get(keys.kept(namespace, name));
  if (entry === undefined) return undefined;
  const record = asBucketRecord(entry);
  return (await store.records.get(keys.gone(record.id))) === undefined ? { record, revision: entry.revision } : undefined;
}

function bucketGone(name: string): ArtefactError {
  return new ArtefactError('BucketUnknown', 'The specified bucket does not exist.', { details: { bucket: name } });
}
