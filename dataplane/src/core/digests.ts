/** Digest records: where the bytes of a digest are, and how a name comes to hold on to them. */
import { ArtefactError } from '../errors.ts';
import { readAhead } from './ahead.ts';
import type { BlobId, ByteRange, Change, Entry, Json, Revision, Store } from '../storage/contract.ts';
import { SMALL_BLOB } from '../storage/contract.ts';
import type { Place } from './core.ts';
import type { Digest } from './digest.ts';
import { newId } from './ids.ts';
import { keys } from './keys.ts';

/** A run of an artefact's bytes, in order. */
export type Segment = readonly [blob: BlobId, size: number];

export interface DigestRecord {
  readonly size: number;
  readonly created: number;
  readonly segments: readonly Segment[];
  /** Set by the collector when nothing names it; whoever names it again takes that back. */
  readonly condemned?: number;
}

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

interface Arrival {
  readonly size: number;
  readonly now: number;
}

/** Plans how `place` becomes `digest`. With a known digest nothing is added but the taking back of a condemnation. */
export async function planAdoption(store: Store, digest: Digest, place: Place, arrival: Arrival): Promise<Adoption> {
  const found = await findDigest(store, digest);
  if (found === undefined) return { known: false, ...adoptNew(store, digest, place, arrival) };
  // A batch that was cut off may have adopted these very bytes already.
  const own = place.kind === 'blob' && found.record.segments.some(([blob]) => blob === place.blob);
  return { known: !own, changes: takeBack(digest, found), after: [] };
}

function adoptNew(store: Store, digest: Digest, place: Place, { size, now }: Arrival): Pick<Adoption, 'changes' | 'after'> {
  const blob = place.kind === 'blob' ? place.blob : newId();
  const record: DigestRecord = { size, created: now, segments: size === 0 ? [] : [[blob, size]] };
  const adopt: Change = { put: keys.digest(digest), value: digestValue(record), ifAbsent: true };
  const bytes: readonly Change[] = place.kind === 'small' && size > 0 ? [{ blob, bytes: place.bytes }] : [];
  if (place.kind === 'small' && store.records.transactional === true) return { changes: [...bytes, adopt], after: [] };
  // The intent's change is the fence: it fails when the collector has given these bytes up.
  const expect = place.kind === 'blob' ? { ifRevision: place.intent } : { ifAbsent: true as const };
  const fence: Change = { put: keys.intent(blob), value: { beat: now, digest }, ...expect };
  return { changes: [fence, ...bytes, adopt], after: [{ delete: keys.intent(blob) }] };
}

/** Plans how stored blobs, in order, become the bytes of a digest, without being copied. */
export async function adoptSegments(
  store: Store,
  content: { readonly digest: Digest; readonly size: number },
  segments: readonly Segment[],
  now: number,
): Promise<Adoption> {
  const found = await findDigest(store, content.digest);
  if (found !== undefined) {
    return { known: !isMadeOf(found.record, segments), changes: takeBack(content.digest, found), after: [] };
  }
  const value = digestValue({ size: content.size, created: now, segments });
  return { known: false, changes: [{ put: keys.digest(content.digest), value, ifAbsent: true }], after: [] };
}

function isMadeOf(record: DigestRecord, segments: readonly Segment[]): boolean {
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
 * leaves it alone. Answers false when the digest is gone; then the caller brings its own bytes or undoes the name.
 */
export async function confirm(store: Store, digest: Digest): Promise<boolean> {
  for (;;) {
    const found = await findDigest(store, digest);
    if (found === undefined) return false;
    if (found.record.condemned === undefined) return true;
    try {
      await store.records.write(takeBack(digest, found));
      return true;
    } catch (error) {
      if (!(error instanceof ArtefactError) || error.code !== 'Conflict') throw error;
    }
  }
}

/** The bytes of a digest, or a range of them, across its segments. */
export async function* openDigest(store: Store, digest: Digest, range?: ByteRange): AsyncGenerator<Uint8Array, void, void> {
  const read = ({ segments, size }: DigestRecord) => readSegments(store, segments, range ?? { offset: 0, length: size });
  const entry = store.records.recall?.(keys.digest(digest));
  const known = entry && asDigestRecord(entry);
  const ahead = known && readAhead(read(known));
  try {
    const found = await findDigest(store, digest);
    if (found === undefined)
      throw new ArtefactError('DigestUnknown', `The bytes of ${digest} are not stored here.`, { details: { digest } });
    // Where they are may have changed; then what was read ahead is of no use.
    yield* known && ahead && isMadeOf(found.record, known.segments) ? ahead.bytes() : read(found.record);
  } finally {
    await ahead?.close();
  }
}

/** The same at once, where they stand in one small blob that the store has at hand; else undefined. Nobody may change them. */
export async function smallDigest(store: Store, digest: Digest, range?: ByteRange): Promise<Uint8Array | undefined> {
  if (!store.blobs.small) return undefined;
  const [segment, ...rest] = (await findDigest(store, digest))?.record.segments ?? [];
  if (segment === undefined || rest.length > 0 || segment[1] > SMALL_BLOB) return undefined;
  const bytes = await store.blobs.small(segment[0]);
  return range ? bytes?.subarray(range.offset, range.offset + range.length) : bytes;
}

/** Bytes of consecutive segments. */
export async function* readSegments(store: Store, segments: readonly Segment[], range: ByteRange): AsyncGenerator<Uint8Array, void, void> {
  let start = 0;
  const end = range.offset + range.length;
  for (const [blob, size] of segments) {
    const from = Math.max(range.offset, start);
    const to = Math.min(end, start + size);
    if (from < to) yield* store.blobs.get(blob, { offset: from - start, length: to - from });
    start += size;
    if (start >= end) return;
  }
}
