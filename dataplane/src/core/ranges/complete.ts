/** The end of a session of ranges: its pieces become one artefact without being copied, and the name points at it. */
import { ArtefactError, isError } from '../../errors.ts';
import type { Change } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import { claimSession, type Claimed } from '../claims.ts';
import type { CoreContext } from '../context.ts';
import type { Actor, PutResult } from '../core.ts';
import { adoptSegments } from '../digests.ts';
import { doneValue, findDone, finishedByAnother } from '../done.ts';
import { newId } from '../ids.ts';
import type { HashAlgorithm } from '../hashing/checksums.ts';
import { keys } from '../keys.ts';
import type { Conditions, Content, ObjectAttributes } from '../object.ts';
import { nameContent } from '../put.ts';
import { hashRuns } from '../runs.ts';
import { garbageNote, uploadUnknown } from '../uploads.ts';
import { endHeld } from './abort.ts';
import { contentOf } from './content.ts';
import type { RangeCompletion, SessionPlace } from './contract.ts';
import type { RangesRoom } from './deliver.ts';
import { withLength } from './length.ts';
import type { Piece } from './pieces.ts';
import { allPieces, chain, covered, missing, overlaps, runOf, segmentsOf, tile } from './pieces.ts';
import type { Held, SessionRecord } from './session.ts';
import { changeSession, holdSession, recordKey } from './session.ts';
import { wrongPiece } from './wrong.ts';

/** What `Ranges.complete` promises. */
export async function completeRanges(
  room: RangesRoom,
  bucket: OpenBucket,
  place: SessionPlace,
  completion: RangeCompletion,
): Promise<PutResult> {
  const finished = { uploadId: place.uploadId, key: completion.as ?? place.key, session: recordKey(bucket, place) };
  const before = await findDone(bucket, finished);
  if (before !== undefined) return before;
  return closeAndName(room, bucket, place, completion).catch((error: unknown) => finishedByAnother(error, bucket, finished));
}

async function closeAndName(room: RangesRoom, bucket: OpenBucket, place: SessionPlace, completion: RangeCompletion): Promise<PutResult> {
  const held = await changeSession(room.context, bucket, place, (record) => closing(record, completion.length));
  const { record } = held;
  const pieces = await wholeOf(bucket, record).catch((error: unknown) => reopen(room, bucket, place, error));
  const whole = { place, pieces, length: record.length ?? record.offset, withSha512: completion.sha512 !== undefined };
  const { content, sha512 } = await contentFrom(room, bucket, whole).catch(async (error: unknown) => {
    const refusal = await wrongPiece(room, bucket, { held, pieces, actor: completion.actor }, error);
    if (refusal === undefined) throw error;
    if (record.mode === 'parallel') return reopen(room, bucket, place, refusal);
    throw refusal;
  });
  await compare(room, bucket, { held, content, sha512, completion });
  const { attributes } = record;
  return nameTaken(room, bucket, {
    uploadId: place.uploadId,
    key: completion.as ?? place.key,
    content,
    pieces,
    attributes,
    conditions: { ...record.conditions, ...completion.conditions },
    actor: completion.actor,
    sessions: [held],
    memo: record.memo,
  });
}

/** What `Ranges.join` promises. */
export async function joinPartials(
  room: RangesRoom,
  bucket: OpenBucket,
  partials: readonly SessionPlace[],
  wanted: {
    readonly key: string;
    readonly attributes: ObjectAttributes;
    readonly conditions: Conditions;
    readonly actor: Actor;
    readonly memo?: string;
  },
): Promise<{ readonly uploadId: string; readonly result: PutResult }> {
  const sessions = new Map<string, Held>();
  const joined: { readonly held: Held; readonly pieces: readonly Piece[] }[] = [];
  for (const partial of partials) {
    const held = await changeSession(room.context, bucket, partial, (record) => closing(record, undefined));
    sessions.set(partial.uploadId, held);
    joined.push({ held, pieces: await wholeOf(bucket, held.record) });
  }
  const pieces = joined.flatMap((one) => one.pieces);
  const uploadId = newId(undefined, room.context.now());
  const length = pieces.reduce((sum, { size }) => sum + size, 0);
  const whole = { place: { key: wanted.key, uploadId }, pieces, length, withSha512: false };
  const { content } = await contentFrom(room, bucket, whole).catch(async (error: unknown) => {
    for (const partial of joined) {
      const refusal = await wrongPiece(room, bucket, { ...partial, actor: wanted.actor }, error);
      if (refusal !== undefined) throw refusal;
    }
    throw error;
  });
  const result = await nameTaken(room, bucket, { memo: undefined, ...wanted, uploadId, content, pieces, sessions: [...sessions.values()] });
  return { uploadId, result };
}

function closing(record: SessionRecord, length: number | undefined): SessionRecord {
  const whole = withLength(record, length ?? record.length ?? (record.mode === 'sequential' ? record.offset : undefined));
  if (whole.mode === 'sequential' && whole.length !== whole.offset) throw incomplete([[whole.offset, whole.length!]]);
  if (whole.mode === 'parallel' && whole.length === undefined) {
    throw new ArtefactError('InvalidRequest', 'Say how many bytes the whole has.', { details: { reason: 'length' } });
  }
  return whole.completing === true ? whole : { ...whole, epoch: whole.epoch + 1, completing: true };
}

/** The pieces of the whole, in order. Throws `InvalidRequest`, reason `incomplete` or `overlap`, naming the bytes. */
async function wholeOf({ store }: OpenBucket, record: SessionRecord): Promise<readonly Piece[]> {
  const pieces = await allPieces(store, record.uploadId);
  if (record.mode === 'sequential') return chain(pieces, record.tail);
  const tiling = tile(pieces, 0, record.length!);
  if (tiling !== undefined) return tiling;
  const gaps = missing(covered(pieces), record.length!);
  if (gaps.length > 0) throw incomplete(gaps);
  throw new ArtefactError(
    'InvalidRequest',
    `Ranges of this upload overlap, and do not meet: send these bytes again, each range whole: ${shown(overlaps(pieces))}.`,
    {
      details: { reason: 'overlap', overlaps: shown(overlaps(pieces)) },
    },
  );
}

function incomplete(gaps: readonly (readonly [number, number])[]): ArtefactError {
  return new ArtefactError('InvalidRequest', `Not all bytes of this upload have come: ${shown(gaps)} are missing.`, {
    details: { reason: 'incomplete', missing: shown(gaps) },
  });
}

/** `0-99, 200-299`, and how many more. */
function shown(spans: readonly (readonly [number, number])[]): string {
  const few = spans.slice(0, 20).map(([start, end]) => `${start}-${end - 1}`);
  return spans.length > few.length ? `${few.join(', ')} and ${spans.length - few.length} more` : few.join(', ');
}

/**
 * From the hash that pursued the bytes as they came; where there is none, or it took other bytes in, they are read once more. Throws
 * `RunDamaged` for bytes that are no longer those that came.
 */
async function contentFrom(
  { pursuits }: RangesRoom,
  { store }: OpenBucket,
  whole: { readonly place: SessionPlace; readonly pieces: readonly Piece[]; readonly length: number; readonly withSha512: boolean },
): Promise<{ readonly content: Content; readonly sha512: string | undefined }> {
  const { place, pieces, length, withSha512 } = whole;
  const { sha256, sha512 } = (await pursuits.digest(store, place.uploadId, pieces)) ?? {};
  const missing: HashAlgorithm[] = [
    ...(sha256 === undefined ? ['SHA256' as const] : []),
    ...(withSha512 && sha512 === undefined ? ['SHA512' as const] : []),
  ];
  const hashes = missing.length === 0 ? undefined : await hashRuns(store, pieces.map(runOf), missing);
  const read = (algorithm: HashAlgorithm): string | undefined => hashes?.get(algorithm)?.toString('hex');
  return { content: contentOf(sha256 ?? read('SHA256')!, length), sha512: sha512 ?? read('SHA512') };
}

async function compare(
  room: RangesRoom,
  bucket: OpenBucket,
  {
    held,
    content,
    sha512,
    completion,
  }: { readonly held: Held; readonly content: Content; readonly sha512: string | undefined; readonly completion: RangeCompletion },
): Promise<void> {
  const stated = [held.record.sha256, completion.sha256].filter((hex) => hex !== undefined);
  if (stated.every((hex) => content.digest === `sha256:${hex}`) && (completion.sha512 ?? sha512) === sha512) return;
  const error = new ArtefactError('DigestMismatch', 'The digest that you stated is not that of the bytes that came.', {
    details: {
      reason: 'digest',
      expectedDigest: stated[0] ?? completion.sha512!,
      calculatedDigest: content.digest.slice('sha256:'.length),
    },
  });
  if (held.record.mode === 'parallel') await reopen(room, bucket, held.record, error);
  // Appended bytes cannot be put right: the session is of no use to anyone.
  await endHeld(room, bucket, held, completion.actor);
  throw error;
}

/** A parallel session that could not be completed takes ranges again. */
async function reopen({ context }: RangesRoom, bucket: OpenBucket, place: SessionPlace, error: unknown): Promise<never> {
  const { record } = await holdSession(context, bucket, place);
  if (record.mode === 'parallel') {
    const open = ({ completing: _completing, ...rest }: SessionRecord): SessionRecord => rest;
    await changeSession(context, bucket, place, open).catch((thrown: unknown) => {
      if (!isError(thrown, 'UploadUnknown')) throw thrown;
    });
  }
  throw error;
}

interface Taking extends SessionPlace {
  readonly content: Content;
  readonly pieces: readonly Piece[];
  readonly attributes: ObjectAttributes;
  readonly conditions: Conditions;
  readonly actor: Actor;
  readonly memo: string | undefined;
  /** The sessions whose pieces they are; they end with the naming. */
  readonly sessions: readonly Held[];
}

async function nameTaken({ context }: RangesRoom, bucket: OpenBucket, taking: Taking): Promise<PutResult> {
  const claims: { readonly key: string; readonly claimed: Claimed }[] = [];
  try {
    for (const { record, revision } of taking.sessions) {
      const key = recordKey(bucket, record);
      const claimed = await claimSession(context, bucket.store, { key, value: record, revision });
      if (claimed === undefined) throw uploadUnknown(record.uploadId);
      claims.push({ key, claimed });
    }
    return await nameClaimed(context, bucket, taking, claims);
  } catch (error) {
    for (const { claimed } of claims) await claimed.release(error);
    throw error;
  }
}

async function nameClaimed(
  context: CoreContext,
  bucket: OpenBucket,
  taking: Taking,
  claims: readonly { readonly key: string; readonly claimed: Claimed }[],
): Promise<PutResult> {
  const { key, uploadId, content, attributes, conditions, actor } = taking;
  const segments = segmentsOf(taking.pieces);
  const notes = (): Promise<readonly Change[]> =>
    Promise.all(claims.map((claim) => garbageNote(bucket, claim.key, context.now(), content.digest)));
  return nameContent(context, {
    bucket,
    key,
    content,
    attributes,
    conditions,
    actor,
    adopt: () => adoptSegments(bucket.store, content, segments, { context, actor }),
    also: async (version) => ({
      before: [...(await notes()), { put: keys.done(uploadId), value: doneValue(bucket, version, taking.memo) }],
      after: claims.map((claim) => ({ delete: claim.key, ifRevision: claim.claimed.revision })),
    }),
  });
}
