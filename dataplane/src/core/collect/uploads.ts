/** What upload sessions leave behind: sessions nobody completes, parts that no artefact took, bytes that were never named. */
import { inAnyOrder, type BlobId, type Change, type Entry, type Store } from '../../storage/contract.ts';
import { isClaimed, type Claim } from '../claims.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import { findDigest } from '../digests.ts';
import { timeOfId } from '../ids.ts';
import type { Intent } from '../intents.ts';
import { seizeIntent } from '../intents.ts';
import { journalChange } from '../journal.ts';
import { keys } from '../keys.ts';
import { noteTrail } from '../past.ts';
import type { UploadGarbage } from '../uploads.ts';
import { asSession, garbageNote, partRecords } from '../uploads.ts';
import type { Collected } from './digests.ts';
import { heldBlobs } from '../quarantine.ts';
import { scanAll } from '../scan.ts';
import { tookPlace, unlessConflict } from '../conflict.ts';

/** Records removed in one batch. */
const AT_ONCE = 500;

/** Ends sessions that were not completed in their time. Answers how many. */
export async function expireUploads(context: CoreContext, store: Store, signal: AbortSignal): Promise<number> {
  let expired = 0;
  for await (const entry of scanAll(store, keys.allUploads, { signal })) {
    const session = asSession(entry);
    if (context.now() - session.initiated < context.terms.uploadLife) continue;
    if (await endSession(context, store, entry)) expired += 1;
  }
  return expired;
}

/** The same for sessions of ranges, which say themselves when their time is over. */
export async function expireRanges(context: CoreContext, store: Store, signal: AbortSignal): Promise<number> {
  let expired = 0;
  for await (const entry of scanAll(store, keys.allRangeSessions, { signal })) {
    const { expires } = entry.value as { readonly expires: number };
    if (context.now() >= expires && (await endSession(context, store, entry))) expired += 1;
  }
  return expired;
}

/** Ends one session on the collector's own account; false when its owner was quicker, or is completing it. */
export async function endSession(context: CoreContext, store: Store, entry: Entry): Promise<boolean> {
  const session = asSession(entry);
  if (isClaimed(context, entry.value as { readonly claim?: Claim })) return false;
  const actor = { principal: 'bonded:collector', operation: 'collect', requestId: '', remoteAddress: '' };
  const changes = [
    await garbageNote({ store }, entry.key, context.now()),
    { delete: entry.key, ifRevision: entry.revision },
    journalChange(context, { actor, change: 'upload-abort', name: session.key, note: session.uploadId }),
  ];
  return tookPlace(store.records.write(changes));
}

/** Removes what every finished or aborted session left. */
export async function collectUploads(store: Store, signal: AbortSignal): Promise<Collected> {
  let blobs = 0;
  let bytes = 0;
  for await (const entry of scanAll(store, keys.garbageUploads, { signal })) {
    const removed = await removeRemains(store, entry.key.slice(keys.garbageUploads.length));
    blobs += removed.blobs;
    bytes += removed.bytes;
  }
  return { blobs, bytes };
}

/** Removes a finished or aborted session's part records, and the bytes that its artefact did not take. May be repeated. */
export async function removeRemains(store: Store, uploadId: string): Promise<Collected> {
  const note = await store.records.get(keys.garbageUpload(uploadId));
  if (note === undefined) return { blobs: 0, bytes: 0 };
  const { digests, session, since } = note.value as unknown as UploadGarbage;
  // The batch that was to end the session was cut off: it goes on, and its parts are needed.
  if ((await store.records.get(session)) !== undefined) return { blobs: 0, bytes: 0 };
  const taken = await blobsOf(store, digests);
  let blobs = 0;
  let bytes = 0;
  const records: Change[] = [];
  for await (const { record, part } of partRecords({ store }, uploadId)) {
    records.push({ delete: record });
    if (part.blob === undefined || taken.has(part.blob)) continue;
    await store.blobs.delete(part.blob);
    blobs += 1;
    bytes += part.size;
  }
  for (let at = 0; at < records.length; at += AT_ONCE) await store.records.write(inAnyOrder(records.slice(at, at + AT_ONCE)));
  await lookAtDigests(store, digests, since);
  await store.records.write([{ delete: note.key }]);
  return { blobs, bytes };
}

/**
 * Without transactions, a completion may be cut off when it has made a digest of a session's parts, and the session is open still: its parts
 * are needed, whether anything names that digest or not.
 */
export async function digestsOfOpenSessions(store: Store): Promise<ReadonlySet<Digest>> {
  const needed = new Set<Digest>();
  if (store.records.transactional === true) return needed;
  for await (const note of scanAll(store, keys.garbageUploads)) {
    const { digests, session } = note.value as unknown as UploadGarbage;
    if ((await store.records.get(session)) !== undefined) for (const digest of digests) needed.add(digest);
  }
  return needed;
}

/** Without transactions, a completion may have been cut off when it had made a digest of the parts, and before the name: then nothing names it. */
async function lookAtDigests(store: Store, digests: readonly Digest[], since: number): Promise<void> {
  if (store.records.transactional === true) return;
  for (const key of digests.map(keys.garbageDigest)) {
    // A look that is due already will do.
    if ((await store.records.get(key)) !== undefined) continue;
    await store.records.write([{ put: key, value: { since }, ifAbsent: true }]).catch(unlessConflict);
  }
}

/** The blobs that hold the bytes of any of these digests. */
async function blobsOf(store: Store, digests: readonly Digest[]): Promise<Set<BlobId>> {
  const found = await Promise.all(digests.map((digest) => findDigest(store, digest)));
  return new Set(found.flatMap((one) => (one === undefined ? [] : [...heldBlobs(one.record)])));
}

/** Gives up bytes whose sender fell silent before they were named. */
export async function settleIntents(context: CoreContext, store: Store, signal: AbortSignal): Promise<Collected> {
  let blobs = 0;
  let bytes = 0;
  for await (const entry of scanAll(store, keys.intents, { signal })) {
    const intent = entry.value as unknown as Intent;
    if (context.now() - intent.beat < context.terms.grace) continue;
    const size = await settleIntent(store, entry, intent);
    if (size === undefined) continue;
    blobs += 1;
    bytes += size;
  }
  return { blobs, bytes };
}

/** Answers the size of what was removed, or undefined when the bytes found their place. */
async function settleIntent(store: Store, entry: Entry, intent: Intent): Promise<number | undefined> {
  const blob = entry.key.slice(keys.intents.length);
  // The batch that named them may have been cut off before the name: then nothing names the digest, which has no blob where it is empty.
  const look: Change[] = (intent.trails ?? []).map((trail) => noteTrail(trail, 0));
  if (intent.digest !== undefined) look.push({ put: keys.garbageDigest(intent.digest), value: { since: 0 } });
  if (await isTaken(store, blob, intent)) {
    await store.records.write([...look, { delete: entry.key }]);
    return undefined;
  }
  if (!(await seizeIntent(store, blob, entry.revision))) return undefined;
  const size = (await store.blobs.head(blob)) ?? 0;
  await store.blobs.delete(blob);
  await store.records.write([...look, { delete: entry.key }, ...(intent.part === undefined ? [] : [{ delete: intent.part.record }])]);
  return size;
}

/** True when a digest took the bytes, or the session that they are a part of is open still. */
async function isTaken(store: Store, blob: BlobId, intent: Intent): Promise<boolean> {
  if (intent.part !== undefined && (await isOpenPart(store, intent.part))) return true;
  const digests = intent.digest === undefined ? await digestsOfUpload(store, intent.part?.uploadId) : [intent.digest];
  return (await blobsOf(store, digests)).has(blob);
}

async function isOpenPart(store: Store, part: NonNullable<Intent['part']>): Promise<boolean> {
  if ((await store.records.get(part.record)) === undefined) return false;
  return (await store.records.get(part.session ?? keys.upload(part.bucketId, part.key, part.uploadId))) !== undefined;
}

/** What a session became, or may have. */
async function digestsOfUpload(store: Store, uploadId: string | undefined): Promise<readonly Digest[]> {
  if (uploadId === undefined) return [];
  const note = await store.records.get(keys.garbageUpload(uploadId));
  if (note !== undefined) return (note.value as unknown as UploadGarbage).digests;
  const done = await store.records.get(keys.done(uploadId));
  return done === undefined ? [] : [(done.value as unknown as { readonly digest: Digest }).digest];
}

/** Forgets finished sessions that nobody will ask for again. */
export async function forgetDone(context: CoreContext, store: Store, signal: AbortSignal): Promise<void> {
  for await (const entry of scanAll(store, keys.allDone, { signal })) {
    const { finished } = entry.value as { readonly finished: number };
    if (context.now() - Math.max(finished, timeOfId(entry.key.slice(keys.allDone.length))) < context.terms.doneLife) continue;
    await store.records.write([{ delete: entry.key }]);
  }
}
