/** Completing an upload: its parts become one artefact without being copied, and the name points at it. */
import { createHash } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import type { Change, Json, Store } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import type { Actor, PartClaim, PutResult, StoredPart, UploadSession } from './core.ts';
import type { Digest } from './digest.ts';
import { sha256Digest } from './digest.ts';
import type { Adoption, Segment } from './digests.ts';
import { digestValue, findDigest, readSegments, takeBack } from './digests.ts';
import type { HashAlgorithm } from './hashing/checksums.ts';
import { startHash } from './hashing/checksums.ts';
import { hashStream } from './hashing/stream.ts';
import { isId } from './ids.ts';
import { keys } from './keys.ts';
import type { Checksum, Conditions, Content, ObjectVersion } from './object.ts';
import { nameContent } from './put.ts';
import type { PartRecord } from './uploads.ts';
import { currentParts, findSession, garbageNote, uploadUnknown } from './uploads.ts';
import { findVersion } from './versions.ts';

/** The smallest part that is not the last, in bytes (S3's limit). */
export const MIN_PART = 5 * 1024 * 1024;

export interface Completion {
  readonly bucket: OpenBucket;
  readonly key: string;
  readonly uploadId: string;
  readonly claims: readonly PartClaim[];
  readonly expected: { readonly checksum?: Checksum; readonly size?: number };
  readonly conditions: Conditions;
  readonly actor: Actor;
}

/** What a finished session became. */
interface DoneRecord {
  readonly bucketId: string;
  readonly key: string;
  readonly versionId: string;
  readonly id: string;
  readonly digest: Digest;
  /** Ms since the epoch. */
  readonly finished: number;
}

/** What `Uploads.complete` promises. */
export async function completeUpload(context: CoreContext, completion: Completion): Promise<PutResult> {
  const { bucket, key, uploadId } = completion;
  const before = await findDone(completion);
  if (before !== undefined) return before;
  const { session, revision } = await findSession(bucket, key, uploadId);
  const parts = await claimedParts(completion, session);
  const segments: readonly Segment[] = parts.flatMap((part) => (part.blob === undefined ? [] : [[part.blob, part.size] as const]));
  const content = await joinedContent(completion, session, { parts, segments });
  const garbage = await garbageNote(bucket, keys.upload(bucket.id, key, uploadId), context.now(), content.digest);
  return nameContent(context, {
    bucket,
    key,
    content,
    attributes: session.attributes,
    conditions: completion.conditions,
    actor: completion.actor,
    adopt: () => adoptParts(context, bucket, content, segments),
    also: (version) => ({
      before: [
        { put: keys.layout(content.digest, uploadId), value: layoutOf(parts) },
        garbage,
        { put: keys.done(uploadId), value: doneValue(completion, version) },
      ],
      after: [{ delete: keys.upload(bucket.id, key, uploadId), ifRevision: revision }],
    }),
  }).catch((error: unknown) => finishedByAnother(completion, error));
}

/** A repeated completion answers what the first one did. While the session is there, it is not done, whatever was noted. */
async function findDone(completion: Completion): Promise<PutResult | undefined> {
  const { bucket, key, uploadId } = completion;
  if (!isId(uploadId) || (await bucket.store.records.get(keys.upload(bucket.id, key, uploadId))) !== undefined) return undefined;
  const entry = await bucket.store.records.get(keys.done(uploadId));
  if (entry === undefined) return undefined;
  const done = entry.value as unknown as DoneRecord;
  if (done.bucketId !== bucket.id || done.key !== key) throw uploadUnknown(uploadId);
  const found = await findVersion(bucket, key, done.versionId);
  if (found === undefined || found.version.deleteMarker || found.version.id !== done.id) throw uploadUnknown(uploadId);
  return { version: found.version, created: false };
}

function doneValue(completion: Completion, version: ObjectVersion): Json {
  const done: DoneRecord = {
    bucketId: completion.bucket.id,
    key: completion.key,
    versionId: version.versionId,
    id: version.id,
    digest: version.digest,
    finished: version.modified,
  };
  return done as unknown as Json;
}

/** Two completions of one session race: the session's record lets one through, and the other answers the same. */
async function finishedByAnother(completion: Completion, error: unknown): Promise<PutResult> {
  const done = await findDone(completion).catch(() => undefined);
  if (done !== undefined) return done;
  throw error;
}

async function claimedParts(completion: Completion, session: UploadSession): Promise<readonly PartRecord[]> {
  const { claims } = completion;
  if (claims.length === 0) throw new ArtefactError('MalformedBody', 'You must specify at least one part.');
  checkOrder(completion);
  const stored = new Map<number, PartRecord>();
  for await (const part of currentParts(completion.bucket, session.uploadId)) stored.set(part.number, part);
  return claims.map((claim, index) => {
    const part = stored.get(claim.number);
    if (part === undefined || !agrees(part, claim)) throw partUnknown(session, claim);
    if (part.size < MIN_PART && index < claims.length - 1) throw partTooSmall(part);
    return part;
  });
}

function checkOrder({ claims, uploadId }: Completion): void {
  if (claims.every((claim, index) => index === 0 || claims[index - 1]!.number < claim.number)) return;
  throw new ArtefactError('PartsOutOfOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.', {
    details: { uploadId },
  });
}

function agrees(part: PartRecord, claim: PartClaim): boolean {
  if (part.etag !== claim.etag) return false;
  return Object.entries(claim.checksums ?? {}).every(
    ([algorithm, value]) => part.checksums[algorithm as keyof typeof part.checksums] === value,
  );
}

function partUnknown(session: UploadSession, claim: PartClaim): ArtefactError {
  return new ArtefactError(
    'PartUnknown',
    'One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part’s.',
    { details: { uploadId: session.uploadId, partNumber: claim.number, etag: claim.etag } },
  );
}

function partTooSmall(part: PartRecord): ArtefactError {
  return new ArtefactError('PartTooSmall', 'Your proposed upload is smaller than the minimum allowed size.', {
    details: { proposedSize: part.size, minSizeAllowed: MIN_PART, partNumber: part.number, etag: part.etag },
  });
}

/** Reads the parts once more, in order, since a SHA-256 cannot be put together from those of its parts. */
async function joinedContent(
  completion: Completion,
  session: UploadSession,
  joined: { readonly parts: readonly PartRecord[]; readonly segments: readonly Segment[] },
): Promise<Content> {
  const { parts, segments } = joined;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (completion.expected.size !== undefined && completion.expected.size !== size) {
    throw new ArtefactError('InvalidRequest', `The parts have ${size} bytes, and you declared ${completion.expected.size}.`);
  }
  const whole = session.checksum?.type === 'FULL_OBJECT' ? session.checksum.algorithm : undefined;
  const algorithms: readonly HashAlgorithm[] = whole === undefined || whole === 'SHA256' ? ['SHA256'] : ['SHA256', whole];
  const hashes = await hashStream(readSegments(completion.bucket.store, segments, { offset: 0, length: size }), algorithms);
  const full = whole === undefined ? undefined : hashes.get(whole)?.toString('base64');
  const checksum = await wholeChecksum(session, parts, full);
  compareChecksum(completion.expected.checksum, checksum);
  return {
    digest: sha256Digest(hashes.get('SHA256')!.toString('hex')),
    size,
    etag: joinedEtag(parts),
    partCount: parts.length,
    layout: session.uploadId,
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** S3's ETag of a multipart upload: the MD5 of the parts' MD5s, and their number. */
function joinedEtag(parts: readonly PartRecord[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(Buffer.from(part.etag, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

async function wholeChecksum(
  session: UploadSession,
  parts: readonly PartRecord[],
  full: string | undefined,
): Promise<Checksum | undefined> {
  if (session.checksum === undefined) return undefined;
  const { algorithm, type } = session.checksum;
  if (type === 'FULL_OBJECT') return full === undefined ? undefined : { algorithm, type, value: full };
  const hash = await startHash(algorithm);
  for (const part of parts) {
    const value = part.checksums[algorithm];
    if (value === undefined) {
      throw new ArtefactError(
        'InvalidRequest',
        `The upload was created with ${algorithm}, and part ${part.number} was uploaded without it.`,
      );
    }
    hash.update(Buffer.from(value, 'base64'));
  }
  return { algorithm, type, value: `${hash.digest().toString('base64')}-${parts.length}` };
}

function compareChecksum(expected: Checksum | undefined, computed: Checksum | undefined): void {
  if (expected === undefined) return;
  const same = computed?.algorithm === expected.algorithm && computed.value === expected.value;
  if (same) return;
  throw new ArtefactError('DigestMismatch', `The ${expected.algorithm} you specified did not match the calculated checksum.`, {
    details: { algorithm: expected.algorithm, expectedDigest: expected.value },
  });
}

async function adoptParts(context: CoreContext, bucket: OpenBucket, content: Content, segments: readonly Segment[]): Promise<Adoption> {
  const found = await findDigest(bucket.store, content.digest);
  if (found !== undefined) {
    const own =
      found.record.segments.length === segments.length && found.record.segments.every(([blob], index) => blob === segments[index]?.[0]);
    return { known: !own, changes: takeBack(content.digest, found), after: [] };
  }
  const value = digestValue({ size: content.size, created: context.now(), segments });
  const changes: readonly Change[] = [{ put: keys.digest(content.digest), value, ifAbsent: true }];
  return { known: false, changes, after: [] };
}

function layoutOf(parts: readonly PartRecord[]): Json {
  return parts.map(({ number, size, checksums }) => ({ number, size, checksums }));
}

/** The parts that an artefact's upload was made of. */
export async function readLayout(store: Store, digest: Digest, uploadId: string): Promise<readonly StoredPart[] | undefined> {
  const entry = await store.records.get(keys.layout(digest, uploadId));
  return entry === undefined ? undefined : (entry.value as unknown as readonly StoredPart[]);
}
