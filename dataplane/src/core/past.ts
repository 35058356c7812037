/**
 * Records of versions in the past, and which of them stand. Where batches are not transactions, a batch may be cut off between a
 * version's own record and the head, which decides: so that record says `pending` until a successor, whose head is to speak of it as past,
 * takes that back; and before a version is removed for good it says so again. What is pending stands only as long as it is the head.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Change, Entry, Json } from '../storage/contract.ts';
import type { Digest } from './digest.ts';
import { keys } from './keys.ts';
import type { Version } from './object.ts';
import type { BucketPlace, Head } from './versions.ts';

/** A version as its own record has it. */
export type PastVersion = Version & { readonly pending?: true };

export function asPast(entry: Entry): PastVersion {
  return entry.value as unknown as PastVersion;
}

/** The version itself. */
export function withoutPending({ pending: _pending, ...version }: PastVersion): Version {
  return version;
}

/**
 * Whether a version behind the head stands. A null version does where the head says that it is the one, for its removal, or the making
 * of another, may have been cut off once the head was changed.
 */
export function standsBehind(head: Head, version: PastVersion): boolean {
  return version.pending !== true && (version.versionId !== 'null' || version.id === head.nullId);
}

/** Where batches are not transactions. */
export function isCutAnywhere({ store }: BucketPlace): boolean {
  return store.records.transactional !== true;
}

/** The change that writes a new version's own record, to stand before the head's. */
export function writeOwn(bucket: BucketPlace, version: Version): Change {
  const value = isCutAnywhere(bucket) ? { ...version, pending: true } : version;
  return { put: keys.past(bucket.id, version.key, version.id), value: value as unknown as Json };
}

/**
 * The change by which the head that is to be succeeded comes to stand in the past, just as the head has it. Whoever removes it
 * meanwhile has changed its record, and wins.
 */
export async function settlePast(bucket: BucketPlace, version: Version): Promise<readonly Change[]> {
  const entry = await ownRecord(bucket, version);
  // Removed since the head was read: then that has changed too.
  if (entry === undefined || isDeepStrictEqual(entry.value, version)) return [];
  return [{ put: entry.key, value: version as unknown as Json, ifRevision: entry.revision }];
}

/** The change by which a version that is to be removed stands no more, unless it is the head; before the head's. */
export async function unsettlePast(bucket: BucketPlace, version: Version): Promise<readonly Change[]> {
  const entry = await ownRecord(bucket, version);
  if (entry === undefined || asPast(entry).pending === true) return [];
  return [{ put: entry.key, value: { ...asPast(entry), pending: true } as unknown as Json, ifRevision: entry.revision }];
}

/** A version's own record, where it may have to say whether it is pending; elsewhere nobody needs to look. */
async function ownRecord(bucket: BucketPlace, { key, id }: Version): Promise<Entry | undefined> {
  return isCutAnywhere(bucket) ? bucket.store.records.get(keys.past(bucket.id, key, id)) : undefined;
}

/** Where a note about a version is, and what it says. */
export interface Trail {
  readonly key: string;
  /** Undefined for a delete marker. */
  readonly digest?: Digest;
}

/** The change that leaves a note about a version for the collector, as of `since` (ms since the epoch). */
export function noteTrail({ key, digest }: Trail, since: number): Extract<Change, { put: string }> {
  return { put: key, value: { since, digest } };
}

/** A batch with what tells the collector of versions whose records it may leave behind: notes that end with it. */
export interface Trailing {
  readonly before: readonly Change[];
  readonly changes: readonly Change[];
  readonly after: readonly Change[];
}

/**
 * Around `changes`. Where those declare the bytes that they bring, the record that does so, which ends with the batch as well, tells of
 * the versions too, and saves the notes.
 */
export function leaveTrail(bucket: BucketPlace, versions: readonly Version[], now: number, changes: readonly Change[] = []): Trailing {
  if (!isCutAnywhere(bucket) || versions.length === 0) return { before: [], changes, after: [] };
  const trails = versions.map((version): Trail => ({
    key: keys.garbageVersion(bucket.id, version.key, version.id),
    ...(version.deleteMarker ? {} : { digest: version.digest }),
  }));
  const at = changes.findIndex((change) => 'put' in change && change.put.startsWith(keys.intents));
  if (at < 0) return { before: trails.map((trail) => noteTrail(trail, now)), changes, after: trails.map(({ key }) => ({ delete: key })) };
  const intent = changes[at] as Extract<Change, { put: string }>;
  const telling = { ...intent, value: { ...(intent.value as object), trails } as unknown as Json };
  return { before: [], changes: changes.with(at, telling), after: [] };
}
