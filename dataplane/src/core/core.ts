/**
 * The core as protocols see it: artefacts by digest, names that point at them, upload sessions, the journal, collection.
 * It knows no protocol, no credential and no policy: whoever calls it has already authorised.
 */
import type { BucketConfig } from '@bonded/crds';
import type { BlobId, Bytes, ByteRange, Revision } from '../storage/contract.ts';
import type { Collection } from './collect/contract.ts';
import type { Digest } from './digest.ts';
import type { Admitted } from './door.ts';
import type { Giving } from './locate.ts';
import type { Ranges } from './ranges/contract.ts';
import type { Registry } from './registry/contract.ts';
import type { Scrub } from './scrub/contract.ts';
import type {
  Checksum,
  ChecksumAlgorithm,
  Conditions,
  Content,
  ListPage,
  ListQuery,
  ListVersionsPage,
  ListVersionsQuery,
  ObjectAttributes,
  ObjectVersion,
  Version,
} from './object.ts';

/** Who makes a change, through what: every mutating function asks for one, and the journal keeps it. */
export interface Actor {
  readonly principal: string;
  /** The claims worth keeping (issuer, sub, repository, …), already trimmed. */
  readonly claims?: Readonly<Record<string, string>>;
  readonly operation: string;
  readonly requestId: string;
  readonly traceId?: string;
  readonly remoteAddress: string;
}

/** What arriving bytes must turn out to be; a difference stores nothing. */
export interface Expected {
  /** Bytes. */
  readonly size?: number;
  /** Lower-case hex. A difference throws `PayloadMismatch` when `signed`, else `DigestMismatch`. */
  readonly sha256?: { readonly hex: string; readonly signed: boolean };
  /** Lower-case hex; throws `DigestMismatch`. */
  readonly sha512?: string;
  /** Lower-case hex; throws `DigestMismatch`. */
  readonly md5?: string;
  /**
   * A checksum to compute and, if it has a value, compare (base64). `value` may be a function that is asked after the
   * last byte (trailers); its answering undefined is a `MalformedBody`. Throws `DigestMismatch`.
   */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value?: string | (() => string | undefined) };
  /** Refuse with `BodyTooLarge` beyond this many bytes. */
  readonly maxSize?: number;
  /** Refuse with `BodyTooLarge`-twin `InvalidArgument` (form uploads' content-length-range) below this many. */
  readonly minSize?: number;
}

/** Where bytes that arrived stand until something names them. For the core alone. */
export type Place =
  { readonly kind: 'small'; readonly bytes: Uint8Array } | { readonly kind: 'blob'; readonly blob: BlobId; readonly intent: Revision };

/** Bytes that have arrived and were checked, not yet named. Give it to `put` or `putPart` once, or `discard` it. */
export interface Arrived {
  readonly place: Place;
  readonly content: Content;
  /** Hex MD5 of the bytes. */
  readonly md5: string;
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

export interface PutResult {
  readonly version: ObjectVersion;
  /** True when the name did not exist before. */
  readonly created: boolean;
}

export interface DeleteResult {
  /** Undefined when nothing was there. */
  readonly versionId?: string;
  /** True when a delete marker was made, or one was removed. */
  readonly deleteMarker: boolean;
}

/** Names in buckets. A bucket is given by its configuration: what is not in the snapshot cannot be reached. */
export interface Objects {
  /**
   * Streams bytes in: hashes them (SHA-256, MD5 and what `expected` asks for), stores them durably, checks what is
   * expected. Nothing is named yet, and what is never named is collected.
   */
  receive(bucket: BucketConfig, bytes: Bytes, expected: Expected): Promise<Arrived>;
  discard(bucket: BucketConfig, arrived: Arrived): Promise<void>;
  /** Names bytes that arrived. Throws `PreconditionFailed`, `NameUnknown` (If-Match on nothing), `Immutable`, `ConcurrentChange`. */
  put(
    bucket: BucketConfig,
    key: string,
    arrived: Arrived,
    attributes: ObjectAttributes,
    conditions: Conditions,
    actor: Actor,
  ): Promise<PutResult>;
  /** Names the bytes of another version: no byte is read, O(1). Across locations it streams. */
  copy(
    from: { readonly bucket: BucketConfig; readonly version: ObjectVersion },
    to: { readonly bucket: BucketConfig; readonly key: string },
    attributes: ObjectAttributes,
    conditions: Conditions,
    actor: Actor,
  ): Promise<PutResult>;
  /** The current version, or the one asked for ('null' too). `NameUnknown` / `VersionUnknown` when there is none; a delete marker is answered as one. */
  get(bucket: BucketConfig, key: string, versionId?: string): Promise<Version>;
  /** Without `versionId`: a delete marker where versioning is (or was) on, else removal. With it: that version is gone for good. */
  delete(bucket: BucketConfig, key: string, versionId: string | undefined, conditions: Conditions, actor: Actor): Promise<DeleteResult>;
  /**
   * Tags the current version, or the one asked for: the one that it finds first, also where another becomes current meanwhile. Where
   * that one is replaced for good before it is tagged, `ConcurrentChange`.
   */
  setTags(
    bucket: BucketConfig,
    key: string,
    versionId: string | undefined,
    tags: Readonly<Record<string, string>>,
    actor: Actor,
  ): Promise<ObjectVersion>;
  list(bucket: BucketConfig, query: ListQuery): Promise<ListPage>;
  listVersions(bucket: BucketConfig, query: ListVersionsQuery): Promise<ListVersionsPage>;
  /** The bytes of an admitted digest. The first pull fails if they cannot be read, before any byte. */
  open(bucket: BucketConfig, admitted: Admitted, range?: ByteRange): Bytes;
  /**
   * Where the storage server itself gives the admitted bytes to whoever has the address; undefined where it cannot, or shall not.
   * The journal durably says who got it before this resolves; throws when it cannot be made to.
   */
  locate(bucket: BucketConfig, admitted: Admitted, giving: Giving): Promise<string | undefined>;
  /** The same bytes as `open` answers, where they are few and at hand; else undefined. Nobody may change them. */
  small(bucket: BucketConfig, admitted: Admitted, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** Throws `BytesDamaged` where `open` would, without opening anything. */
  checkSound(bucket: BucketConfig, version: ObjectVersion): Promise<void>;
  /** Parts of a multipart object in order; undefined for a single put. */
  parts(bucket: BucketConfig, version: ObjectVersion): Promise<readonly StoredPart[] | undefined>;
  /** True when no version of any name is in the bucket (open uploads do not count: they end with it). */
  isEmpty(bucket: BucketConfig): Promise<boolean>;
  /** Removes everything, in steps that can be repeated after a crash. */
  empty(bucket: BucketConfig, actor: Actor): Promise<void>;
}

/** A part of a completed multipart object. */
export interface StoredPart {
  readonly number: number;
  readonly size: number;
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

/** An upload session: bytes on their way to one name, across requests and crashes. */
export interface UploadSession {
  readonly uploadId: string;
  readonly key: string;
  readonly initiated: number;
  readonly owner: string;
  readonly attributes: ObjectAttributes;
  /** What the whole will be checked and reported by. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: 'FULL_OBJECT' | 'COMPOSITE' };
}

export interface UploadedPart extends StoredPart {
  /** Hex MD5. */
  readonly etag: string;
  readonly modified: number;
}

/** One line of a completion request. */
export interface PartClaim {
  readonly number: number;
  readonly etag: string;
  readonly checksums?: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

export interface Uploads {
  begin(
    bucket: BucketConfig,
    key: string,
    attributes: ObjectAttributes,
    checksum: UploadSession['checksum'],
    actor: Actor,
  ): Promise<UploadSession>;
  /** Throws `UploadUnknown`. */
  find(bucket: BucketConfig, key: string, uploadId: string): Promise<UploadSession>;
  /** Stores or replaces part `number` (1–10,000). */
  putPart(bucket: BucketConfig, session: UploadSession, number: number, arrived: Arrived): Promise<UploadedPart>;
  listParts(
    bucket: BucketConfig,
    session: UploadSession,
    after: number,
    limit: number,
  ): Promise<{ readonly parts: readonly UploadedPart[]; readonly next?: number }>;
  list(
    bucket: BucketConfig,
    query: ListQuery & { readonly afterUpload?: string },
  ): Promise<{
    readonly uploads: readonly UploadSession[];
    readonly prefixes: readonly string[];
    readonly next?: { readonly key: string; readonly uploadId?: string };
  }>;
  /**
   * Joins parts without copying them, and names the result. Throws `PartsOutOfOrder`, `PartUnknown`, `PartTooSmall`, `PartDamaged` (its
   * stored bytes are no longer those that came: send it again), `DigestMismatch` (`checksum`), `InvalidRequest` (`size`), and what `Objects.put` throws; the session then stays open.
   * Repeating a completion that succeeded answers the same again.
   */
  complete(
    bucket: BucketConfig,
    session: { readonly key: string; readonly uploadId: string },
    parts: readonly PartClaim[],
    expected: { readonly checksum?: Checksum; readonly size?: number },
    conditions: Conditions,
    actor: Actor,
  ): Promise<PutResult>;
  abort(bucket: BucketConfig, key: string, uploadId: string, actor: Actor): Promise<void>;
}

type ChangeOfName = 'create' | 'overwrite' | 'delete' | 'delete-marker' | 'tag';

/** What the scrub found, and what became of it: see `scrub/contract.ts`; `upload-damage`: see `damage.ts`. */
type ChangeOfBytes = 'quarantine' | 'release' | 'repair' | 'unreadable' | 'upload-damage';

/** One change that happened. */
export interface JournalEntry {
  /** Time-ordered; the cursor of the journal. */
  readonly id: string;
  readonly time: string;
  readonly actor: Actor;
  /** `redirect`: an address at the storage server was given away; it is no change of anything stored. */
  readonly change: ChangeOfName | 'upload-begin' | 'upload-abort' | 'configure' | 'collect' | 'redirect' | ChangeOfBytes;
  readonly bucket?: string;
  readonly name?: string;
  readonly versionId?: string;
  readonly digest?: Digest;
  readonly size?: number;
  /** Until when the address that was given away may be used, as ISO 8601. */
  readonly expires?: string;
  readonly note?: string;
}

export interface Journal {
  /** Called once before anything is written: entries then follow those that are there, also when the clock was put back since. */
  resume(): Promise<void>;
  /** Appends one entry on its own (changes of names append theirs in the same batch). */
  append(entry: Omit<JournalEntry, 'id' | 'time'>): Promise<void>;
  /** Oldest first, strictly after `after`; with `tail`, the newest `limit` of them. */
  read(query: { readonly after?: string; readonly limit: number; readonly tail?: boolean }): Promise<readonly JournalEntry[]>;
}

export interface SearchQuery {
  readonly bucket: BucketConfig;
  readonly prefix?: string;
  readonly glob?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly digest?: Digest;
  readonly after?: string;
  readonly limit: number;
}

export interface Core {
  readonly objects: Objects;
  readonly uploads: Uploads;
  /** Upload sessions that take byte ranges. */
  readonly ranges: Ranges;
  /** Repositories of container images and other artefacts. */
  readonly registry: Registry;
  readonly journal: Journal;
  readonly collection: Collection;
  readonly scrub: Scrub;
  /** Current versions that match; a page may be short of `limit` with `next` set, since one call looks at a bounded number of names. */
  search(query: SearchQuery): Promise<{ readonly objects: readonly ObjectVersion[]; readonly next?: string }>;
  readonly configuration: Configuration;
}

/** What may be changed of a bucket through an API. */
export interface BucketSettings {
  readonly versioning?: 'Enabled' | 'Suspended';
  readonly cors?: BucketConfig['cors'];
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Configuration changes through an API: they become custom resources (manifests on one machine), and are in force in every
 * process before the promise resolves. What others manage is refused with `ManagedElsewhere`, naming the owner.
 */
export interface Configuration {
  /** Throws `BucketTaken`, `InvalidBucketName`. `namespace` is the tenant it belongs to; `settings` are in force from the first moment. */
  createBucket(name: string, namespace: string, actor: Actor, settings?: BucketSettings): Promise<void>;
  /** Throws `BucketNotEmpty`. */
  deleteBucket(bucket: BucketConfig, actor: Actor): Promise<void>;
  /** Replaces the given settings. */
  updateBucket(bucket: BucketConfig, settings: BucketSettings, actor: Actor): Promise<void>;
  /** `document` is the JSON text as the client sent it; throws `InvalidPolicy`. */
  putPolicy(bucket: BucketConfig, document: string, actor: Actor): Promise<void>;
  deletePolicy(bucket: BucketConfig, actor: Actor): Promise<void>;
  /** When the bucket was first seen, ms since the epoch. */
  bucketCreated(bucket: BucketConfig): Promise<number>;
}
