/**
 * Quarantine: bytes that were found wrong stay where they are and never leave again. The digest's record says so itself, and has no
 * segments to read, so that no reader in whatever process can pass it by; whoever brings the right bytes lifts it.
 */
import { ArtefactError, isError } from '../errors.ts';
import type { BlobId, Change, Json, Revision } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import type { Actor, Expected } from './core.ts';
import type { Digest } from './digest.ts';
import { digestHex } from './digest.ts';
import type { DigestRecord, Segment, SoundDigest } from './digests.ts';
import { newId } from './ids.ts';
import { journalChange } from './journal.ts';
import { keys } from './keys.ts';

/**
 * What makes stored bytes wrong. `differs`: all are there, and their SHA-256 is another. `length`: there are fewer, or more.
 * `missing`: a blob is not there.
 */
export type DamageKind = 'differs' | 'length' | 'missing';

/** Bytes of an upload that is open still, and were found wrong as it was completed. */
export interface UploadDamage {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly kind: DamageKind;
  /** For people: which blob, and what is wrong with it. */
  readonly detail: string;
}

/** In the record of a digest whose bytes are not given out. */
export interface Quarantine {
  /** Ms since the epoch. */
  readonly since: number;
  readonly kind: DamageKind;
  /** Where the wrong bytes are. For the scrub and the collector alone. */
  readonly segments: readonly Segment[];
}

/** The answer to whoever asks for bytes that are wrong, or turn out to be while they are read. */
export function damaged(digest?: Digest): ArtefactError {
  return new ArtefactError(
    'BytesDamaged',
    'The stored bytes of this artefact are damaged, and are not given out. Upload the same content again, under any name, to repair it.',
    { details: digest === undefined ? {} : { digest } },
  );
}

/** What is expected of bytes that are read again, and whose digest nobody states but our own record; `asDamage` goes with it. */
export function ownSha256(digest: Digest): NonNullable<Expected['sha256']> {
  return { hex: digestHex(digest), signed: false };
}

/** Throws `BytesDamaged` in the place of `DigestMismatch`: bytes that differ from our own record have rotted since. */
export function asDamage(digest: Digest): (error: unknown) => never {
  return (error) => {
    throw isError(error, 'DigestMismatch') ? damaged(digest) : error;
  };
}

/** The segments that may be read. Throws `BytesDamaged` for a digest in quarantine. */
export function soundSegments(record: DigestRecord, digest: Digest): readonly Segment[] {
  if (record.quarantined !== undefined) throw damaged(digest);
  return record.segments;
}

/** The segments that a digest holds on to, right or wrong. Never for reading. */
export function heldSegments(record: DigestRecord): readonly Segment[] {
  return record.quarantined === undefined ? record.segments : record.quarantined.segments;
}

/** The blobs of those segments. */
export function heldBlobs(record: DigestRecord): ReadonlySet<BlobId> {
  return new Set(heldSegments(record).map(([blob]) => blob));
}

/** A note that a digest's former blobs are to go: it was repaired, or is being removed. */
export interface Replaced {
  /** Ms since the epoch. */
  readonly since: number;
  readonly segments: readonly Segment[];
}

/**
 * The changes by which `segments`, whose bytes were hashed as they came, become the bytes of a digest in quarantine. The note about
 * the old ones stands first: one too many costs a look. What tells of it stands behind the change that decides.
 */
export function repair(
  { context, actor }: { readonly context: CoreContext; readonly actor: Actor },
  digest: Digest,
  found: { readonly record: DigestRecord; readonly revision: Revision },
  segments: readonly Segment[],
): readonly Change[] {
  const now = context.now();
  const replaced: Replaced = { since: now, segments: heldSegments(found.record) };
  const { size, created } = found.record;
  const record: SoundDigest = { size, created, segments };
  return [
    { put: keys.garbageReplaced(digest, newId(undefined, now)), value: replaced as unknown as Json },
    { put: keys.digest(digest), value: record as unknown as Json, ifRevision: found.revision },
    journalChange(context, { actor, change: 'repair', digest, size }),
    { delete: keys.finding(digest) },
  ];
}
