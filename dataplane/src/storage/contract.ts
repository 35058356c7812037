/**
 * The two contracts that everything above storage is written against. Every driver passes `test/storage/conformance.ts`.
 *
 * - **Blobs**: immutable bytes by opaque id, written once to their final place.
 * - **Records**: small JSON documents under byte-ordered keys, changed by compare-and-set only.
 *
 * Drivers throw `ArtefactError` only: `Conflict`, `Unavailable`, `SlowDown`, `DigestUnknown` (a blob that is not there); and, before
 * anything happened, `InvalidArgument` or `NameTooLong` for what is no id, key, range, page or batch.
 */

/** Opaque id of stored bytes: 1–128 characters of `[0-9A-Za-z._-]`, chosen by the core, never reused. */
export type BlobId = string;

/** Opaque; changes at every write of its record, also when the value is the same. */
export type Revision = string;

/** What a JSON document may be. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** Part of a blob, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Bytes on their way. Each chunk is *lent*: it is valid until the next one is asked for, since its buffer may be used
 * again. Whoever keeps bytes longer copies them. Leaving the loop early closes the source.
 */
export type Bytes = AsyncIterable<Uint8Array>;

/** Immutable bytes by opaque id. */
export interface Blobs {
  /**
   * Stores all of `body` under `id`, durably before it resolves; answers the size. All or nothing: when `body` throws,
   * or the process dies, `get` never answers a part of it. The id must be new: an existing one is a `Conflict`.
   */
  put(id: BlobId, body: Bytes): Promise<number>;
  /** The bytes, or `range` of them as far as there are any. A missing blob throws `DigestUnknown` at the first pull, before any byte. */
  get(id: BlobId, range?: ByteRange): Bytes;
  /**
   * Where the driver has small blobs at hand: all bytes of one, or undefined for any other, which `get` then answers. Many may
   * have been given the same buffer, so nobody changes it.
   */
  small?(id: BlobId): Promise<Uint8Array | undefined>;
  /** Size in bytes, or undefined when there is none. */
  head(id: BlobId): Promise<number | undefined>;
  /** Removes it; deleting what is not there succeeds. */
  delete(id: BlobId): Promise<void>;
  /** Ids in ascending byte order, strictly after `after`. At most `limit`; fewer than that means the end. */
  list(after: BlobId | undefined, limit: number): Promise<readonly BlobId[]>;
}

export interface Entry {
  readonly key: string;
  readonly value: Json;
  readonly revision: Revision;
}

export interface ScanQuery {
  /** Only keys that start with it; may be ''. */
  readonly prefix: string;
  /** Strictly after this key. One that is itself a collapsed prefix (it ends with `delimiter` after `prefix`) skips all beneath it. */
  readonly after?: string;
  /** Collapses keys that hold it after `prefix` into one `{ prefix }` item, which costs one seek however much is beneath. */
  readonly delimiter?: string;
  /** At most this many items, 1–10,000. */
  readonly limit: number;
}

/** A record, or a collapsed prefix (it ends with the delimiter). */
export type ScanItem = Entry | { readonly prefix: string };

/**
 * One change of a batch.
 * - `put`: with `ifRevision`, only over just that revision; with `ifAbsent`, only where no record is; with neither,
 *   whatever stands there (for keys that only one writer can name).
 * - `delete`: with `ifRevision`, only of just that revision (where no record is, that is a conflict too); with neither, whatever stands there; of nothing, succeeds.
 * - `blob`: a small blob (at most `SMALL_BLOB` bytes), stored as `Blobs.put` would.
 */
export type Change = (
  | { readonly put: string; readonly value: Json; readonly ifRevision?: Revision; readonly ifAbsent?: true }
  | { readonly delete: string; readonly ifRevision?: Revision }
  | { readonly blob: BlobId; readonly bytes: Uint8Array }
) & {
  /** It need not wait for the change before it, nor that for it: see `inAnyOrder`. */
  readonly beside?: true;
};

/**
 * Changes of a batch, of different keys, among which there is no order: each may be made, or not, whichever others of them are. A store
 * in which every change costs a round trip makes them at once. What stands before and behind all of them in the batch keeps its order.
 */
export function inAnyOrder(changes: readonly Change[]): readonly Change[] {
  return changes.map((change, index) => (index === 0 ? change : { ...change, beside: true as const }));
}

/** The largest blob that may travel in a batch of changes, in bytes. */
export const SMALL_BLOB = 32 * 1024;

/** The largest key, in UTF-8 bytes. */
export const MAX_KEY = 2048;

/**
 * Small JSON documents under keys, which are well-formed Unicode without U+0000 at either end and are ordered by their UTF-8
 * bytes. Reads see every write that was acknowledged before they began, through whichever process it went.
 */
export interface Records {
  /** Set where a batch that lost by `Conflict` has changed nothing at all; elsewhere, its changes before the lost one may have been made. */
  readonly transactional?: true;
  /** The record under `key`. Nobody may change what was answered: others may have been given the same. */
  get(key: string): Promise<Entry | undefined>;
  /**
   * What is known of a record without asking for it: it may be out of date, or gone. Whoever uses it asks at the same time whether it
   * still is so. Absent where asking costs no round trip.
   */
  recall?(key: string): Entry | undefined;
  /** In ascending byte order of key (a collapsed prefix at its own place). Fewer items than `limit` means the end. */
  scan(query: ScanQuery): Promise<readonly ScanItem[]>;
  /**
   * Makes the changes in order and durably, and answers each one's new revision ('' for deletes and blobs).
   * A change is visible only when all before it in the batch are, but for those that are `beside` each other. When a condition fails it
   * throws `Conflict` with `details.change` (index in the batch): neither that change has happened nor any behind it; what stands before
   * or beside it may have (a driver with transactions undoes it). Batches of one caller that do not wait for each other may take effect in any order.
   */
  write(changes: readonly Change[]): Promise<readonly Revision[]>;
}

/** Headers that the answer at a presigned address shall have; others are the storage server's own. */
export interface PresignedHeaders {
  readonly contentType?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly expires?: string;
}

/** Lets clients fetch blobs from the storage server itself. */
export interface Presign {
  /**
   * An address at which whoever has it may GET the blob, whole or in ranges, for `expiresSeconds` (1–604,800). Nothing is asked
   * of the server: that a blob is missing shows at the address.
   */
  presignGet(id: BlobId, options: { readonly expiresSeconds: number; readonly responseHeaders: PresignedHeaders }): Promise<string>;
}

/** One storage location. */
export interface Store {
  readonly blobs: Blobs;
  readonly records: Records;
  /** Absent where clients cannot, or shall not, fetch blobs themselves. */
  readonly presign?: Presign;
  /** Proves that the location can be written now; throws `Unavailable` with the reason when it cannot. */
  check(): Promise<void>;
  /** Finishes what was begun and lets go of files, threads and connections. */
  close(): Promise<void>;
}
