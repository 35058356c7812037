/** Digest records: where the bytes of a digest are, and how a name comes to hold on to them. */
import { ArtefactError, isError } from '../errors.ts';
import { readAhead } from './ahead.ts';
import type { BlobId, ByteRange, Bytes, Change, Entry, Json, Revision, Store } from '../storage/contract.ts';
import { SMALL_BLOB } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import type { Actor, Place } from './core.ts';
import type { Digest } from './digest.ts';
import { newId } from './ids.ts';
import { keys } from './keys.ts';
import type { Quarantine } from './quarantine.ts';
import { damaged, heldBlobs, repair } from './quarantine.ts';

/** A run of an artefact's bytes, in order. */
export type Segment = readonly [blob: BlobId, size: number];

interface DigestFacts {
  readonly size: number;
  readonly created: number;
  /** Set by the collector when nothing names it; whoever names it again takes that back. */
  readonly condemned?: number;
}

export interface SoundDigest extends DigestFacts {
  readonly segments: readonly Segment[];
  readonly quarantined?: undefined;
}

/** It has no `segments`, so that nobody reads it by mistake. */
export interface QuarantinedDigest extends DigestFacts {
  readonly quarantined: Quarantine;
  readonly segments?: undefined;
}

export type DigestRecord = SoundDigest | QuarantinedDigest;

export interface FoundDigest {
  readonly record: DigestRecord;
  readonly revision: Revision;
}

/** The record of a digest, if its bytes are stored. */
export async function findDigest(store: Store, digest: Digest): Promise<FoundDigest | undefined> {
  const entry = await store.records.get(keys.digest(digest));
  return entry === undefined ? undefined : { record: asDigestRecord(entry), revision: entry.revision };
}

export function asDigestRecord(entry: Entry): DigestRecord {
  return entry.value as unknown as DigestRecord;
}

export function digestValue(record: DigestRecord): Json {
  return record as unknown as Json;
}

/** How bytes that arrived become the bytes of a digest: the changes that do it, to stand before whatever names it. */
export interface Adoption {
  readonly changes: readonly Change[];
  /** Changes to stand behind everything else of the batch. */
  readonly after: readonly Change[];
  /** True when the store already has these bytes in another place: then the ones that arrived are not needed, and `confirm` must follow. */
  readonly known: boolean;
}

/** Who brings bytes. */
export interface Bringing {
  readonly context: CoreContext;
  readonly actor: Actor;
}

/**
 * Plans how `place`, of `size` bytes, becomes `digest`. With a known digest nothing is added but the taking back of a condemnation; one
 * in quarantine takes these bytes in the place of its own.
 */
export async function planAdoption(
  store: Store,
  digest: Digest,
  { place, size }: { readonly place: Place; readonly size: number },
  bringing: Bringing,
): Promise<Adoption> {
  const found = await findDigest(store, digest);
  const own = found !== undefined && holdsAny(found.record, place.kind === 'blob' ? [place.blob] : []);
  // Where a batch that was cut off has adopted these very bytes already, they are not needed anew.
  if (found !== undefined && isSound(found)) return { known: !own, changes: takeBack(digest, found), after: [] };
  if (own) throw damaged(digest);
  const blob = place.kind === 'blob' ? place.blob : newId();
  const adopt = settle(digest, found, { size, segments: size === 0 ? [] : [[blob, size]] }, bringing);
  return { known: false, ...bringIn(store, { digest, place, size, blob }, adopt, bringing.context.now()) };
}

interface Incoming {
  readonly digest: Digest;
  readonly place: Place;
  readonly size: number;
  readonly blob: BlobId;
}

/** The changes that `adopt` bytes, with what must stand around them as long as they are not named. */
function bringIn(
  store: Store,
  { digest, place, size, blob }: Incoming,
  adopt: readonly Change[],
  now: number,
): Pick<Adoption, 'changes' | 'after'> {
  const bytes: readonly Change[] = place.kind === 'small' && size > 0 ? [{ blob, bytes: place.bytes }] : [];
  if (place.kind === 'small' && store.records.transactional === true) return { changes: [...bytes, ...adopt], after: [] };
  // The intent's change is the fence: it fails when the collector has given these bytes up.
  const expect = place.kind === 'blob' ? { ifRevision: place.intent } : { ifAbsent: true as const };
  const fence: Change = { put: keys.intent(blob), value: { beat: now, digest }, ...expect };
  return { changes: [fence, ...bytes, ...adopt], after: [{ delete: keys.intent(blob) }] };
}

/** The changes that make stored segments the bytes of a digest that is not there, or whose bytes are in quarantine. */
function settle(
  digest: Digest,
  found: FoundDigest | undefined,
  content: { readonly size: number; readonly segments: readonly Segment[] },
  bringing: Bringing,
): readonly Change[] {
  if (found !== undefined) return repair(bringing, digest, found, content.segments);
  const value = digestValue({ size: content.size, created: bringing.context.now(), segments: content.segments });
  return [{ put: keys.digest(digest), value, ifAbsent: true }];
}

/** Plans how stored blobs, in order, become the bytes of a digest, without being copied. */
export async function adoptSegments(
  store: Store,
  content: { readonly digest: Digest; readonly size: number },
  segments: readonly Segment[],
  bringing: Bringing,
): Promise<Adoption> {
  const { digest, size } = content;
  const found = await findDigest(store, digest);
  if (found !== undefined && isSound(found)) {
    return { known: !isMadeOf(found.record, segments), changes: takeBack(digest, found), after: [] };
  }
  const blobs = segments.map(([blob]) => blob);
  if (found !== undefined && holdsAny(found.record, blobs)) throw damaged(digest);
  return { known: false, changes: settle(digest, found, { size, segments }, bringing), after: [] };
}

function isSound(found: FoundDigest): found is FoundDigest & { readonly record: SoundDigest } {
  return found.record.quarantined === undefined;
}

function holdsAny(record: DigestRecord, blobs: readonly BlobId[]): boolean {
  const held = heldBlobs(record);
  return blobs.some((blob) => held.has(blob));
}

function isMadeOf(record: SoundDigest, segments: readonly Segment[]): boolean {
  return record.segments.length === segments.length && record.segments.every(([blob], index) => blob === segments[index]?.[0]);
}

/** The change that un-condemns a digest that is named again. */
export function takeBack(digest: Digest, found: FoundDigest): readonly Change[] {
  if (found.record.condemned === undefined) return [];
  const { condemned: _condemned, ...live } = found.record;
  return [{ put: keys.digest(digest), value: digestValue(live), ifRevision: found.revision }];
}

/**
 * After a name was written that relies on a known digest: makes sure that the collector, which may have looked just before,
 * leaves it alone. Answers false when the digest is gone, or in quarantine by now; then the caller brings its own bytes or undoes the name.
 */
export async function confirm(store: Store, digest: Digest): Promise<boolean> {
  for (;;) {
    const found = await findDigest(store, digest);
    if (found === undefined || found.record.quarantined !== undefined) return false;
    if (found.record.condemned === undefined) return true;
    try {
      await store.records.write(takeBack(digest, found));
      return true;
    } catch (error) {
      if (!isError(error, 'Conflict')) throw error;
    }
  }
}

/** The bytes of a digest, or a range of them, across its segments. Throws `DigestUnknown`, and `BytesDamaged` for one in quarantine. */
export async function* openDigest(store: Store, digest: Digest, range?: ByteRange): AsyncGenerator<Uint8Array, void, void> {
  const read = ({ segments, size }: SoundDigest) => readSegments(store, segments, range ?? { offset: 0, length: size });
  const known = recallSound(store, digest);
  const ahead = known && readAhead(read(known));
  try {
    const found = await soundDigest(store, digest);
    // Where they are may have changed; then what was read ahead is of no use.
    yield* known && ahead && isMadeOf(found, known.segments) ? ahead.bytes() : read(found);
  } finally {
    await ahead?.close();
  }
}

/** What was last known of a digest, where that costs nothing to look up and says where its bytes are. */
function recallSound(store: Store, digest: Digest): SoundDigest | undefined {
  const entry = store.records.recall?.(keys.digest(digest));
  const known = entry && asDigestRecord(entry);
  return known?.quarantined === undefined ? known : undefined;
}

/** The same at once, where they stand in one small blob that the store has at hand; else undefined. Nobody may change them. */
export async function smallDigest(store: Store, digest: Digest, range?: ByteRange): Promise<Uint8Array | undefined> {
  if (!store.blobs.small) return undefined;
  const [segment, ...rest] = (await soundDigest(store, digest)).segments;
  if (segment === undefined || rest.length > 0 || segment[1] > SMALL_BLOB) return undefined;
  const bytes = await store.blobs.small(segment[0]);
  if (bytes !== undefined && bytes.length < segment[1]) throw damaged(digest);
  return range ? bytes?.subarray(range.offset, range.offset + range.length) : bytes;
}

/** Where the bytes of a digest are, that may be read. Throws `DigestUnknown`, and `BytesDamaged` for one in quarantine. */
export async function soundDigest(store: Store, digest: Digest): Promise<SoundDigest> {
  const found = await findDigest(store, digest);
  if (found === undefined) throw new ArtefactError('DigestUnknown', `The bytes of ${digest} are not stored here.`, { details: { digest } });
  if (found.record.quarantined !== undefined) throw damaged(digest);
  return found.record;
}

/** Bytes of consecutive segments. Throws `BytesDamaged` where a segment is not there, or has fewer bytes than it had. */
export async function* readSegments(store: Store, segments: readonly Segment[], range: ByteRange): AsyncGenerator<Uint8Array, void, void> {
  let start = 0;
  const end = range.offset + range.length;
  for (const [blob, size] of segments) {
    const from = Math.max(range.offset, start);
    const to = Math.min(end, start + size);
    if (from < to) yield* allOf(store.blobs.get(blob, { offset: from - start, length: to - from }), to - from);
    start += size;
    if (start >= end) return;
  }
}

/** Bytes that come up short must end the answer there: what follows would stand in their place. */
async function* allOf(bytes: Bytes, length: number): AsyncGenerator<Uint8Array, void, void> {
  let came = 0;
  try {
    for await (const chunk of bytes) {
      came += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw isError(error, 'DigestUnknown') ? damaged() : error;
  }
  if (came < length) throw damaged();
}
