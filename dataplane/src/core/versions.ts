/** Versions of names as records: the head, which every change of a name changes, and the past behind it. */
import { ArtefactError } from '../errors.ts';
import type { Change, Entry, Json, Revision } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { isId, newId } from './ids.ts';
import { keys } from './keys.ts';
import type { Version } from './object.ts';
import type { PastVersion } from './past.ts';
import { asPast, settlePast, standsBehind, withoutPending, writeOwn } from './past.ts';

/** The current version, and what a reader must know of the past without looking. */
export interface Head {
  readonly version: Version;
  /** True when there may be older versions. */
  readonly older: boolean;
  /** Id of the `null` version, when it is in the past. */
  readonly nullId?: string;
}

/** Where a bucket's records are. */
export type BucketPlace = Pick<OpenBucket, 'store' | 'id'>;

export interface FoundHead extends Head {
  readonly revision: Revision;
}

export function asHead(entry: Entry): FoundHead {
  return { ...(entry.value as unknown as Head), revision: entry.revision };
}

export function headValue(head: Head): Json {
  return { version: head.version, older: head.older, nullId: head.nullId } as unknown as Json;
}

/** The version of a record of the past, whether it stands or not. */
export function asVersion(entry: Entry): Version {
  return withoutPending(asPast(entry));
}

export async function findHead(bucket: BucketPlace, key: string): Promise<FoundHead | undefined> {
  const entry = await bucket.store.records.get(keys.head(bucket.id, key));
  return entry === undefined ? undefined : asHead(entry);
}

/** A version's own record, whether it stands or not. */
export async function findPast(bucket: BucketPlace, key: string, id: string): Promise<PastVersion | undefined> {
  const entry = await bucket.store.records.get(keys.past(bucket.id, key, id));
  return entry === undefined ? undefined : asPast(entry);
}

export interface FoundVersion {
  readonly head: FoundHead;
  readonly version: Version;
}

/** The version that a client calls `versionId`, with the head it was found under. */
export async function findVersion(bucket: BucketPlace, key: string, versionId: string): Promise<FoundVersion | undefined> {
  const found = await findRemains(bucket, key, versionId);
  if (found === undefined) return undefined;
  const { head, version } = found;
  // What is newer than the current one does not stand: its making, or its removal, was cut off.
  const stands = head.version.id === version.id || (version.id < head.version.id && standsBehind(head, version));
  return stands ? { head, version: withoutPending(version) } : undefined;
}

/** The version of an id of ours, whatever a client calls it. */
export async function findVersionById(bucket: BucketPlace, key: string, id: string): Promise<Version | undefined> {
  for (const versionId of ['null', id]) {
    const found = await findVersion(bucket, key, versionId);
    if (found?.version.id === id) return found.version;
  }
  return undefined;
}

/** The same as `findVersion`, or what is left of one whose removal was begun, and is to be brought to its end. */
export async function findRemains(
  bucket: BucketPlace,
  key: string,
  versionId: string,
): Promise<{ readonly head: FoundHead; readonly version: PastVersion } | undefined> {
  const head = await findHead(bucket, key);
  if (head === undefined) return undefined;
  if (head.version.versionId === versionId) return { head, version: head.version };
  const id = versionId === 'null' ? head.nullId : versionId;
  if (id === undefined || !isId(id)) return undefined;
  const version = await findPast(bucket, key, id);
  return version?.versionId === versionId ? { head, version } : undefined;
}

/** Throws `NameUnknown` or, with a version id, `VersionUnknown`. */
export function notFound(key: string, versionId?: string): ArtefactError {
  if (versionId === undefined) return new ArtefactError('NameUnknown', 'The specified key does not exist.', { details: { key } });
  return new ArtefactError('VersionUnknown', 'The specified version does not exist.', { details: { key, versionId } });
}

/** Where a new version of a name goes, and what becomes of the one that stood there. */
export interface Succession {
  readonly id: string;
  readonly versionId: string;
  readonly head: Omit<Head, 'version'>;
  /** Changes that must stand before the head's, given the new version. */
  history(version: Version): readonly Change[];
  /** Versions that the new one replaces for good. */
  readonly replaced: readonly Version[];
  /** Changes that take replaced ones out of the past; after the head's. */
  readonly forget: readonly Change[];
}

/** The versions whose own records a batch would leave behind if it were cut off, given the new one. */
export function trailOf(bucket: OpenBucket, next: Succession, version: Version): readonly Version[] {
  return [...(bucket.config.versioning === 'Enabled' ? [version] : []), ...(next.forget.length > 0 ? next.replaced : [])];
}

/**
 * Plans the version that follows `head`, by the bucket's versioning. A version that is to be kept is written to the past when it
 * is made, under its own id, which nobody else can name; so no writer ever copies what another may be deleting.
 */
export async function planSuccession(bucket: OpenBucket, key: string, head: FoundHead | undefined, now: number): Promise<Succession> {
  const id = newId(head?.version.id, now);
  if (bucket.config.versioning !== 'Enabled') return planNull(bucket, key, head, id);
  const old = head?.version;
  if (head === undefined || old === undefined)
    return { id, versionId: id, head: { older: false }, history: (version) => [writeOwn(bucket, version)], replaced: [], forget: [] };
  // The null version is in the past only once another one stands before it.
  const nullId = old.versionId === 'null' ? old.id : head.nullId;
  const toPast: readonly Change[] =
    old.versionId === 'null' ? [{ put: keys.past(bucket.id, key, old.id), value: old as unknown as Json }] : await settlePast(bucket, old);
  return {
    id,
    versionId: id,
    head: { older: true, ...(nullId === undefined ? {} : { nullId }) },
    history: (version) => [...toPast, writeOwn(bucket, version)],
    replaced: [],
    forget: [],
  };
}

/** A null version replaces the one before it, wherever that is, and leaves all others alone. */
async function planNull(bucket: OpenBucket, key: string, head: FoundHead | undefined, id: string): Promise<Succession> {
  const plain = { id, versionId: 'null', history: () => [], forget: [] };
  if (head === undefined) return { ...plain, head: { older: false }, replaced: [] };
  if (head.version.versionId === 'null') {
    // It has a copy in the past when another stood before it for a while, which takes versioning.
    const copied = bucket.config.versioning !== 'Disabled' && (await findPast(bucket, key, head.version.id)) !== undefined;
    const forget = copied ? [{ delete: keys.past(bucket.id, key, head.version.id) }] : [];
    return { ...plain, head: { older: head.older }, replaced: [head.version], forget };
  }
  const toPast = await settlePast(bucket, head.version);
  const kept = { ...plain, history: () => toPast, head: { older: true } };
  const lost = head.nullId === undefined ? undefined : await findPast(bucket, key, head.nullId);
  if (lost === undefined) return { ...kept, replaced: [] };
  return { ...kept, replaced: [withoutPending(lost)], forget: [{ delete: keys.past(bucket.id, key, lost.id) }] };
}

/** Tells the collector to look at what versions held. It goes first in a batch: a note too many costs a look, one too few costs the space for ever. */
export function noteGarbage(versions: readonly Version[], now: number): readonly Change[] {
  return versions.flatMap((version) => (version.deleteMarker ? [] : [{ put: keys.garbageDigest(version.digest), value: { since: now } }]));
}

/** Removing versions for good ends their hold on the digest. It goes last. */
export function letGo(bucket: BucketPlace, versions: readonly Version[]): readonly Change[] {
  return versions.flatMap((version) =>
    version.deleteMarker ? [] : [{ delete: keys.ref(version.digest, bucket.id, version.key, version.id) }],
  );
}
