/** Digests that nothing names any more: condemned, looked at once more, and removed with their bytes. */
import { isError } from '../../errors.ts';
import type { Entry, Store } from '../../storage/contract.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import { sha256Digest } from '../digest.ts';
import type { Segment } from '../digests.ts';
import { digestValue, findDigest, takeBack } from '../digests.ts';
import { heldBlobs, heldSegments } from '../quarantine.ts';
import { timeOfId } from '../ids.ts';
import { keys } from '../keys.ts';
import { asReference, referent } from '../refs.ts';
import { removeAll, scanAll } from '../scan.ts';

/** A note that a digest may have to go; `removing` once its record is gone and its blobs are being removed. */
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
  for await (const note of scanAll(store, keys.garbageDigests, { signal })) {
    const garbage = note.value as unknown as DigestGarbage;
    if (garbage.removing === undefined && context.now() - garbage.since < context.terms.grace) continue;
    const removed = await collectDigest(context, store, { note, garbage }).catch(unlessConflict);
    if (removed === undefined) continue;
    digests += 1;
    blobs += removed.blobs;
    bytes += removed.bytes;
  }
  return { digests, blobs, bytes };
}

/** A conflict means that somebody came to name it meanwhile: it is looked at again in the next round. */
function unlessConflict(error: unknown): undefined {
  if (!isError(error, 'Conflict')) throw error;
  return undefined;
}

async function collectDigest(
  context: CoreContext,
  store: Store,
  { note, garbage }: { readonly note: Entry; readonly garbage: DigestGarbage },
): Promise<Collected | undefined> {
  const digest = sha256Digest(note.key.slice(keys.garbageDigests.length));
  const segments =
    garbage.removing === undefined ? await condemn(context, store, { digest, note }) : await resume(store, digest, garbage.removing);
  if (segments === undefined) return undefined;
  for (const [blob] of segments) await store.blobs.delete(blob);
  await removeAll(store, keys.layouts(digest));
  await store.records.write([{ delete: note.key }]);
  return { blobs: segments.length, bytes: segments.reduce((sum, [, size]) => sum + size, 0) };
}

/**
 * Removes the digest's record if nothing names it. The order makes it safe against a writer who comes to name it at the
 * same time: the record is condemned before the names are looked at, and a writer, after naming, takes a condemnation back
 * (`confirm`); so one of the two finds the other's write.
 */
async function condemn(
  context: CoreContext,
  store: Store,
  candidate: { readonly digest: Digest; readonly note: Entry },
): Promise<readonly Segment[] | undefined> {
  const { digest, note } = candidate;
  const found = await findDigest(store, digest);
  const naming = found === undefined ? 'named' : await namingOf(context, store, digest);
  // Whether a young reference comes to stand is not known yet: the note stays for another look.
  if (naming === 'perhaps') return undefined;
  if (found === undefined || naming === 'named') {
    if (found !== undefined) await store.records.write([...takeBack(digest, found), { delete: note.key, ifRevision: note.revision }]);
    else await store.records.write([{ delete: note.key, ifRevision: note.revision }]);
    return undefined;
  }
  const segments = heldSegments(found.record);
  const condemned = { ...found.record, condemned: context.now() };
  const [revision] = await store.records.write([{ put: keys.digest(digest), value: digestValue(condemned), ifRevision: found.revision }]);
  if ((await namingOf(context, store, digest)) !== 'unnamed') return undefined;
  await store.records.write([
    { put: note.key, value: { since: context.now(), removing: segments }, ifRevision: note.revision },
    { delete: keys.digest(digest), ifRevision: revision! },
    { delete: keys.finding(digest) },
  ]);
  return segments;
}

/** A removal that was cut off: goes on unless the digest was taken back meanwhile; segments that it has now stay. */
async function resume(store: Store, digest: Digest, removing: readonly Segment[]): Promise<readonly Segment[]> {
  const found = await findDigest(store, digest);
  if (found === undefined) return removing;
  if (found.record.condemned !== undefined) {
    await store.records.write([{ delete: keys.digest(digest), ifRevision: found.revision }, { delete: keys.finding(digest) }]);
    return removing;
  }
  const kept = heldBlobs(found.record);
  return removing.filter(([blob]) => !kept.has(blob));
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
