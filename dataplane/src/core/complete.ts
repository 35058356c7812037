/** Completing an upload: its parts become one artefact without being copied, and the name points at it. */
import { createHash } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { mapInSlices } from '../slices.ts';
import type { Json, Store } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { claimSession } from './claims.ts';
import type { CoreContext } from './context.ts';
import { refuseDamaged } from './damage.ts';
import type { Actor, PartClaim, PutResult, StoredPart, UploadSession } from './core.ts';
import type { Digest } from './digest.ts';
import { sha256Digest } from './digest.ts';
import { adoptSegments } from './digests.ts';
import { doneValue, findDone, finishedByAnother } from './done.ts';
import type { HashAlgorithm } from './hashing/checksums.ts';
import { startHash } from './hashing/checksums.ts';
import { keys } from './keys.ts';
import type { Checksum, Conditions, Content } from './object.ts';
import { nameContent } from './put.ts';
import { hashRuns, RunDamaged, segmentsOfRuns } from './runs.ts';
import type { StoredRun } from './runs.ts';
import type { PartRecord } from './uploads.ts';
import { currentParts, findSession, garbageNote, markDamaged, uploadUnknown } from './uploads.ts';

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

/** What `Uploads.complete` promises. */
export async function completeUpload(context: CoreContext, completion: Completion): Promise<PutResult> {
  const { bucket, key, uploadId } = completion;
  const record = keys.upload(bucket.id, key, uploadId);
  const before = await findDone(bucket, { key, uploadId, session: record });
  if (before !== undefined) return before;
  return joinAndName(context, completion).catch((error: unknown) => finishedByAnother(error, bucket, { key, uploadId, session: record }));
}

async function joinAndName(context: CoreContext, completion: Completion): Promise<PutResult> {
  const { bucket, key, uploadId } = completion;
  const record = keys.upload(bucket.id, key, uploadId);
  const { session, revision } = await findSession(bucket, key, uploadId);
  const parts = await claimedParts(completion, session);
  const runs = runsOf(parts);
  const content = await joinedContent(completion, session, { parts, runs }).catch((error: unknown) =>
    refuseWrongPart(context, completion, parts, error),
  );
  const claimed = await claimSession(context, bucket.store, { key: record, value: session, revision });
  if (claimed === undefined) throw uploadUnknown(uploadId);
  return nameContent(context, {
    bucket,
    key,
    content,
    attributes: session.attributes,
    conditions: completion.conditions,
    actor: completion.actor,
    adopt: () => adoptSegments(bucket.store, content, segmentsOfRuns(runs), { context, actor: completion.actor }),
    also: async (version) => ({
      before: [
        { put: keys.layout(content.digest, uploadId), value: layoutOf(parts) },
        await garbageNote(bucket, record, context.now(), content.digest),
        { put: keys.done(uploadId), value: doneValue(bucket, version) },
      ],
      after: [{ delete: record, ifRevision: claimed.revision }],
    }),
  }).catch(async (error: unknown) => {
    await claimed.release(error);
    throw error;
  });
}

async function claimedParts(completion: Completion, session: UploadSession): Promise<readonly PartRecord[]> {
  const { claims } = completion;
  if (claims.length === 0) throw new ArtefactError('MalformedBody', 'You must specify at least one part.');
  checkOrder(completion);
  const stored = new Map<number, PartRecord>();
  for await (const part of currentParts(completion.bucket, session.uploadId)) stored.set(part.number, part);
  return mapInSlices(claims, (claim, index) => {
    const part = stored.get(claim.number);
    if (part === undefined || !agrees(part, claim)) throw partUnknown(session, claim);
    if (part.damaged) throw partDamaged(part, session);
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

/** What is stored of the parts, in order. They are compared by what costs least of what came with each. */
function runsOf(parts: readonly PartRecord[]): readonly StoredRun[] {
  return parts.flatMap(({ blob, size, checksums }) => {
    if (blob === undefined) return [];
    const algorithm = CHECKS.find((one) => checksums[one] !== undefined);
    return [{ blob, size, check: algorithm && { algorithm, value: checksums[algorithm]! } }];
  });
}

const CHECKS = ['CRC32', 'SHA256'] as const;

async function refuseWrongPart(
  context: CoreContext,
  { bucket, key, uploadId, actor }: Completion,
  parts: readonly PartRecord[],
  error: unknown,
): Promise<never> {
  const part = error instanceof RunDamaged ? parts.find(({ blob }) => blob === error.run.blob) : undefined;
  if (!(error instanceof RunDamaged) || part === undefined) throw error;
  const ruined = {
    bucket,
    key,
    uploadId,
    session: keys.upload(bucket.id, key, uploadId),
    actor,
    refusal: partDamaged(part, { uploadId }, error),
  };
  const refusal = await refuseDamaged(context, error, ruined);
  if (refusal === ruined.refusal) await markDamaged(bucket, uploadId, error.run.blob);
  throw refusal;
}

function partDamaged({ number, etag }: PartRecord, { uploadId }: Pick<UploadSession, 'uploadId'>, cause?: RunDamaged): ArtefactError {
  return new ArtefactError(
    'PartDamaged',
    `Part ${number} was damaged in storage after it came. Upload this part again, and then complete the upload.`,
    { details: { uploadId, partNumber: number, etag }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** What becomes one artefact: its parts, and where their bytes are. */
interface Joined {
  readonly parts: readonly PartRecord[];
  readonly runs: readonly StoredRun[];
}

/**
 * Reads the parts once more, in order, since a SHA-256 cannot be put together from those of its parts. Throws `RunDamaged` for one
 * that is no longer what came.
 */
async function joinedContent(completion: Completion, session: UploadSession, { parts, runs }: Joined): Promise<Content> {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (completion.expected.size !== undefined && completion.expected.size !== size) {
    throw new ArtefactError('InvalidRequest', `The parts have ${size} bytes, and you declared ${completion.expected.size}.`);
  }
  const whole = session.checksum?.type === 'FULL_OBJECT' ? session.checksum.algorithm : undefined;
  const algorithms: readonly HashAlgorithm[] = whole === undefined || whole === 'SHA256' ? ['SHA256'] : ['SHA256', whole];
  const hashes = await hashRuns(completion.bucket.store, runs, algorithms);
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

function layoutOf(parts: readonly PartRecord[]): Json {
  return parts.map(({ number, size, checksums }) => ({ number, size, checksums }));
}

/** The parts that an artefact's upload was made of. */
export async function readLayout(store: Store, digest: Digest, uploadId: string): Promise<readonly StoredPart[] | undefined> {
  const entry = await store.records.get(keys.layout(digest, uploadId));
  return entry === undefined ? undefined : (entry.value as unknown as readonly StoredPart[]);
}
