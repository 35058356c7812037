/** Digests that nothing names any more: condemned, looked at once more, and removed with their bytes. */
import type { Change, Entry, Json, Store } from '../../storage/contract.ts';
import { unlessConflict } from '../conflict.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import { sha256Digest } from '../digest.ts';
import type { Segment } from '../digests.ts';
import type { FoundDigest } from '../digests.ts';
import { digestValue, findDigest, takeBack } from '../digests.ts';
import { heldSegments } from '../quarantine.ts';
import type { Replaced } from '../quarantine.ts';
import { newId, timeOfId } from '../ids.ts';
import { keys } from '../keys.ts';
import { asReference, referent } from '../refs.ts';
import { removeAll, scanAll } from '../scan.ts';
import { digestsOfOpenSessions } from './uploads.ts';

/**
 * A note that a digest may have to go. It says no more than that, so that whoever lets go of the digest may write it without looking;
 * which blobs are being removed is in a note of its own (`Replaced`). Earlier releases said it here, in `removing`.
 */
interface DigestGarbage {
  readonly since: number;
  readonly removing?: readonly Segment[];
}

export interface Collected {
  readonly blobs: number;
  readonly bytes: number;
}

/** Looks at every digest that lost a name longer than the grace time ago. */
export async function collectDigests(
  context: CoreContext,
  store: Store,
  signal: AbortSignal,
): Promise<Collected & { readonly digests: number }> {
  let digests = 0;
  let blobs = 0;
  let bytes = 0;
  let needed: ReadonlySet<Digest> | undefined;
  for await (const note of scanAll(store, keys.garbageDigests, { signal })) {
    const garbage = note.value as unknown as DigestGarbage;
    if (garbage.removing === undefined && context.now() - garbage.since < context.terms.grace) continue;
    const candidate: Candidate = { digest: sha256Digest(note.key.slice(keys.garbageDigests.length)), note };
    needed ??= await digestsOfOpenSessions(store);
    if (needed.has(candidate.digest)) continue;
    // A conflict means that somebody came to name it meanwhile: it is looked at again in the next round.
    const removed = await collectDigest(context, store, candidate, garbage.removing).catch(unlessConflict);
    if (removed === undefined) continue;
    digests += 1;
    blobs += removed.blobs;
    bytes += removed.bytes;
  }
  return { digests, blobs, bytes };
}

interface Candidate {
  readonly digest: Digest;
  readonly note: Entry;
}

async function collectDigest(
  context: CoreContext,
  store: Store,
  candidate: Candidate,
  removing: readonly Segment[] | undefined,
): Promise<Collected | undefined> {
  const { digest, note } = candidate;
  if (removing !== undefined) {
    const moved = leftBehind(digest, removing, context.now());
    await store.records.write([moved, { delete: note.key, ifRevision: note.revision }]);
    return undefined;
  }
  const left = await condemn(context, store, candidate);
  if (left === undefined) return undefined;
  for (const [blob] of left.segments) await store.blobs.delete(blob);
  await removeAll(store, keys.layouts(digest));
  // The content may have come and gone again meanwhile: a note that was written since then is about that.
  await store.records.write([{ delete: left.note }, { delete: note.key, ifRevision: note.revision }]);
  return { blobs: left.segments.length, bytes: left.segments.reduce((sum, [, size]) => sum + size, 0) };
}

/** The note that a digest's blobs are to go, whatever becomes of the digest. */
function leftBehind(digest: Digest, segments: readonly Segment[], now: number): Extract<Change, { put: string }> {
  const replaced: Replaced = { since: now, segments };
  return { put: keys.garbageReplaced(digest, newId(undefined, now)), value: replaced as unknown as Json };
}

/**
 * Removes the digest's record if nothing names it. The order makes it safe against a writer who comes to name it at the
 * same time: the record is condemned before the names are looked at, and a writer, after naming, takes a condemnation back
 * (`confirm`); so one of the two finds the other's write.
 */
async function condemn(
  context: CoreContext,
  store: Store,
  { digest, note }: Candidate,
): Promise<{ readonly segments: readonly Segment[]; readonly note: string } | undefined> {
  const found = await findDigest(store, digest);
  const naming = found === undefined ? 'named' : await namingOf(context, store, digest);
  // Whether a young reference comes to stand is not known yet: the note stays for another look.
  if (naming === 'perhaps' || (found !== undefined && mayBeOfSession(context, store, found))) return undefined;
  if (found === undefined || naming === 'named') {
    if (found !== undefined) await store.records.write([...takeBack(digest, found), { delete: note.key, ifRevision: note.revision }]);
    else await forgetGone(store, { digest, note });
    return undefined;
  }
  const segments = heldSegments(found.record);
  const condemned = { ...found.record, condemned: context.now() };
  const [revision] = await store.records.write([{ put: keys.digest(digest), value: digestValue(condemned), ifRevision: found.revision }]);
  if ((await namingOf(context, store, digest)) !== 'unnamed') return undefined;
  const left = leftBehind(digest, segments, context.now());
  await store.records.write([left, { delete: keys.digest(digest), ifRevision: revision! }, { delete: keys.finding(digest) }]);
  return { segments, note: left.put };
}

/** A digest that was made of a session's parts since those of open sessions were looked for; it is looked at again when it is older. */
function mayBeOfSession(context: CoreContext, store: Store, { record }: FoundDigest): boolean {
  return store.records.transactional !== true && context.now() - record.created < context.terms.grace;
}

/** A removal may have been cut off when the digest's record was gone: its blobs have their own note, and the rest goes here. */
async function forgetGone(store: Store, { digest, note }: Candidate): Promise<void> {
  await removeAll(store, keys.layouts(digest));
  await store.records.write([{ delete: keys.finding(digest) }, { delete: note.key, ifRevision: note.revision }]);
}

/**
 * Whether a version names it. A reference whose version does not stand is removed, once its writer cannot be under way any more; until
 * then it `perhaps` is.
 */
async function namingOf(context: CoreContext, store: Store, digest: Digest): Promise<'named' | 'perhaps' | 'unnamed'> {
  let young = false;
  for await (const ref of scanAll(store, keys.refs(digest))) {
    const reference = asReference(ref, digest);
    if ((await referent(store, reference)) !== undefined) return 'named';
    if (context.now() - timeOfId(reference.id) < context.terms.grace) young = true;
    else await store.records.write([{ delete: keys.past(reference.bucketId, reference.key, reference.id) }, { delete: ref.key }]);
  }
  return young ? 'perhaps' : 'unnamed';
}
