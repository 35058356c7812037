/** Upload sessions: bytes on their way to one name in parts, across requests, processes and crashes. */
import { ArtefactError, isError } from '../errors.ts';
import type { BlobId, Change, Entry, Json, Revision } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { stillOpen } from './buckets.ts';
import { beginWaiting, isClaimed, type Claim } from './claims.ts';
import type { CoreContext } from './context.ts';
import type { Actor, Arrived, UploadedPart, UploadSession } from './core.ts';
import type { Digest } from './digest.ts';
import { ID_LENGTH, isId, newId } from './ids.ts';
import type { Intent } from './intents.ts';
import { lostToCollector } from './intents.ts';
import { journalChange } from './journal.ts';
import { keys, splitNamed } from './keys.ts';
import type { ListQuery, ObjectAttributes } from './object.ts';
import { scanAll } from './scan.ts';
import { unlessConflict } from './conflict.ts';

/** A part as its record has it. */
export interface PartRecord extends UploadedPart {
  /** Undefined for an empty part. */
  readonly blob?: string;
  /** Its bytes were found wrong, twice, when the upload was to be completed. */
  readonly damaged?: true;
}

export async function beginUpload(
  context: CoreContext,
  bucket: OpenBucket,
  request: {
    readonly key: string;
    readonly attributes: ObjectAttributes;
    readonly checksum: UploadSession['checksum'];
    readonly actor: Actor;
  },
): Promise<UploadSession> {
  const { key, attributes, checksum, actor } = request;
  const uploadId = newId(undefined, context.now());
  const session: UploadSession = {
    uploadId,
    key,
    initiated: context.now(),
    owner: actor.principal,
    attributes,
    ...(checksum === undefined ? {} : { checksum }),
  };
  await bucket.store.records.write([
    { put: keys.upload(bucket.id, key, uploadId), value: session as unknown as Json, ifAbsent: true },
    journalChange(context, { actor, change: 'upload-begin', bucket: bucket.config.name, name: key, note: uploadId }),
  ]);
  await stillOpen(bucket);
  return session;
}

export interface FoundSession {
  readonly session: UploadSession & { readonly claim?: Claim };
  readonly revision: string;
}

/** Throws `UploadUnknown`. */
export async function findSession(bucket: OpenBucket, key: string, uploadId: string): Promise<FoundSession> {
  const entry = isId(uploadId) ? await bucket.store.records.get(keys.upload(bucket.id, key, uploadId)) : undefined;
  if (entry === undefined) throw uploadUnknown(uploadId);
  return { session: asSession(entry), revision: entry.revision };
}

export function asSession(entry: Entry): UploadSession {
  return entry.value as unknown as UploadSession;
}

export function uploadUnknown(uploadId: string): ArtefactError {
  return new ArtefactError('UploadUnknown', 'The specified multipart upload does not exist. It may have been aborted or completed.', {
    details: { uploadId },
  });
}

/**
 * Stores a part. The record that the part's bytes are on their way is kept until the session is known to be open still, so
 * that a part which crosses an abort or a completion leaves nothing behind.
 */
export async function storePart(
  context: CoreContext,
  bucket: OpenBucket,
  session: UploadSession,
  arriving: { readonly number: number; readonly arrived: Arrived },
): Promise<UploadedPart> {
  const { number, arrived } = arriving;
  const blob = arrived.place.kind === 'blob' ? arrived.place.blob : newId();
  const part: PartRecord = {
    number,
    size: arrived.content.size,
    etag: arrived.md5,
    checksums: arrived.checksums,
    modified: context.now(),
    ...(arrived.content.size === 0 ? {} : { blob }),
  };
  const record = keys.part(session.uploadId, number, newId());
  const intent: Intent = { beat: context.now(), part: { uploadId: session.uploadId, bucketId: bucket.id, key: session.key, record } };
  const expect = arrived.place.kind === 'blob' ? { ifRevision: arrived.place.intent } : { ifAbsent: true as const };
  const changes: Change[] = [
    { put: keys.intent(blob), value: intent as unknown as Json, ...expect },
    ...(arrived.place.kind === 'small' && part.blob !== undefined ? [{ blob, bytes: arrived.place.bytes }] : []),
    { put: record, value: part as unknown as Json, ifAbsent: true },
  ];
  try {
    await bucket.store.records.write(changes);
  } catch (error) {
    const lost = lostToCollector(error, changes);
    if (lost !== undefined) await bucket.store.blobs.delete(blob);
    throw lost ?? error;
  }
  await confirmSession(bucket, session, { blob, record });
  return part;
}

async function confirmSession(
  bucket: OpenBucket,
  session: UploadSession,
  stored: { readonly blob: string; readonly record: string },
): Promise<void> {
  const { records } = bucket.store;
  if ((await records.get(keys.upload(bucket.id, session.key, session.uploadId))) === undefined) {
    // Whether a completion that ran meanwhile took the part is for the collector to find out: it still has the intent.
    throw uploadUnknown(session.uploadId);
  }
  await records.write([{ delete: keys.intent(stored.blob) }]);
}

/** Every part record of a session, oldest first within a number. */
export async function* partRecords(
  { store }: Pick<OpenBucket, 'store'>,
  uploadId: string,
  after?: string,
): AsyncGenerator<{ readonly record: string; readonly part: PartRecord; readonly revision: Revision }, void, void> {
  for await (const { key: record, value, revision } of scanAll(store, keys.parts(uploadId), { after }))
    yield { record, part: value as unknown as PartRecord, revision };
}

/** Marks the part that has this blob as damaged; nothing happens where the upload is over and its records are gone. */
export async function markDamaged(bucket: OpenBucket, uploadId: string, blob: BlobId): Promise<void> {
  for await (const { record, part, revision } of partRecords(bucket, uploadId)) {
    if (part.blob !== blob) continue;
    const value: PartRecord = { ...part, damaged: true };
    await bucket.store.records.write([{ put: record, value: value as unknown as Json, ifRevision: revision }]).catch(unlessConflict);
  }
}

/** The part that counts of each number, in order: the one that arrived last. */
export async function* currentParts(bucket: OpenBucket, uploadId: string, afterNumber = 0): AsyncGenerator<PartRecord, void, void> {
  // The first key behind every record of `afterNumber`.
  const from = afterNumber > 0 ? `${keys.partsFrom(uploadId, afterNumber)}~` : undefined;
  let latest: PartRecord | undefined;
  for await (const { part } of partRecords(bucket, uploadId, from)) {
    if (latest !== undefined && latest.number !== part.number) yield latest;
    latest = part;
  }
  if (latest !== undefined) yield latest;
}

/** Without those that are known to be damaged: whoever resumes by this list would not send them again. */
export async function listParts(
  bucket: OpenBucket,
  uploadId: string,
  after: number,
  limit: number,
): Promise<{ readonly parts: readonly UploadedPart[]; readonly next?: number }> {
  const parts: UploadedPart[] = [];
  for await (const part of currentParts(bucket, uploadId, after)) {
    if (part.damaged) continue;
    if (parts.length === limit) return { parts, next: parts.at(-1)?.number ?? after };
    parts.push(part);
  }
  return { parts };
}

/** A note that a session's remains are to go; it holds only once the session's own record is gone. */
export interface UploadGarbage {
  readonly since: number;
  readonly session: string;
  /** Every digest that completions tried to make of its parts: what such a digest took is not garbage. */
  readonly digests: readonly Digest[];
}

/** The note for a session's record, with the digests of an earlier one; it conflicts with one that is written meanwhile. */
export async function garbageNote(bucket: Pick<OpenBucket, 'store'>, session: string, now: number, digest?: Digest): Promise<Change> {
  const key = keys.garbageUpload(session.slice(-ID_LENGTH));
  const earlier = await bucket.store.records.get(key);
  const digests = new Set((earlier?.value as UploadGarbage | undefined)?.digests);
  if (digest !== undefined) digests.add(digest);
  const over = earlier === undefined ? { ifAbsent: true as const } : { ifRevision: earlier.revision };
  return { put: key, value: { since: now, session, digests: [...digests] }, ...over };
}

/** Ends a session and gives its bytes to the collector's care, which it gets at once. Throws `UploadUnknown`. */
export async function abortUpload(
  context: CoreContext,
  bucket: OpenBucket,
  request: { readonly key: string; readonly uploadId: string; readonly actor: Actor },
): Promise<void> {
  const { key, uploadId, actor } = request;
  for (const waiting = beginWaiting(context); ; await waiting.pause()) {
    const { session, revision } = await findSession(bucket, key, uploadId);
    if (isClaimed(context, session)) continue;
    try {
      await bucket.store.records.write([
        await garbageNote(bucket, keys.upload(bucket.id, key, uploadId), context.now()),
        { delete: keys.upload(bucket.id, key, uploadId), ifRevision: revision },
        journalChange(context, { actor, change: 'upload-abort', bucket: bucket.config.name, name: key, note: uploadId }),
      ]);
      return;
    } catch (error) {
      if (!isError(error, 'Conflict')) throw error;
    }
  }
}

export interface UploadsPage {
  readonly uploads: readonly UploadSession[];
  readonly prefixes: readonly string[];
  readonly next?: { readonly key: string; readonly uploadId?: string };
}

/** Open sessions by key, oldest first within a key. */
export async function listUploads(bucket: OpenBucket, query: ListQuery & { readonly afterUpload?: string }): Promise<UploadsPage> {
  const prefix = keys.uploads(bucket.id);
  const items = await bucket.store.records.scan({
    prefix: prefix + query.prefix,
    limit: query.limit + 1,
    ...(query.delimiter === undefined || query.delimiter === '' ? {} : { delimiter: query.delimiter }),
    ...(query.after === undefined ? {} : { after: prefix + startAfter(query.after, query) }),
  });
  const shown = items.slice(0, query.limit);
  const uploads = shown.flatMap((item) => ('value' in item ? [asSession(item)] : []));
  const prefixes = shown.flatMap((item) => ('value' in item ? [] : [item.prefix.slice(prefix.length)]));
  const last = shown.at(-1);
  if (items.length <= query.limit || last === undefined) return { uploads, prefixes };
  if (!('value' in last)) return { uploads, prefixes, next: { key: last.prefix.slice(prefix.length) } };
  const { key, id } = splitNamed(last.key, prefix);
  return { uploads, prefixes, next: { key, uploadId: id } };
}

/** A key marker alone skips the whole key, or all beneath a collapsed prefix; with an upload marker, it goes on within the key. */
function startAfter(key: string, query: { readonly delimiter?: string; readonly afterUpload?: string }): string {
  if (query.afterUpload !== undefined) return `${key}\u0000${query.afterUpload}`;
  const collapsed = query.delimiter !== undefined && query.delimiter !== '' && key.endsWith(query.delimiter);
  return collapsed ? key : `${key}\u0000~`;
}
