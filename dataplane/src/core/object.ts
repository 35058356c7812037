/** What a name points at, and what the core is asked about names. Shared by every protocol that has names. */
import type { Digest } from './digest.ts';

/** The checksum algorithms that S3 clients send by default or by option. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** Whole-object checksum as S3 reports it: base64, with `-N` behind it when composite. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  readonly value: string;
}

/** Headers that travel with an object, as the client gave them. */
export interface ContentHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
  readonly websiteRedirectLocation?: string;
}

/** What the client says about an object beside its bytes. */
export interface ObjectAttributes {
  readonly headers: ContentHeaders;
  /** User metadata: lower-cased names without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
}

/** The bytes of an object, by digest, with the other names that protocols know the same bytes by. */
export interface Content {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** S3's ETag without quotes: hex MD5, or `<hex>-<parts>` of a multipart upload. */
  readonly etag: string;
  readonly checksum?: Checksum;
  /** Number of parts of a multipart upload; absent for a single put. */
  readonly partCount?: number;
  /** The upload session whose parts it was made of. */
  readonly layout?: string;
}

/** One version of a name. */
export interface ObjectVersion extends Content, ObjectAttributes {
  readonly key: string;
  /** Unique in the store, time-ordered. */
  readonly id: string;
  /** What S3 calls it: the id, or `null` for one made while versioning was not enabled. */
  readonly versionId: string;
  readonly deleteMarker: false;
  /** Ms since the epoch. */
  readonly modified: number;
  /** Principal id of who made it. */
  readonly owner: string;
}

/** A delete marker: a version that says "not here". */
export interface DeleteMarker {
  readonly key: string;
  readonly id: string;
  readonly versionId: string;
  readonly deleteMarker: true;
  readonly modified: number;
  readonly owner: string;
}

export type Version = ObjectVersion | DeleteMarker;

/** Preconditions on the present state of a name, as HTTP has them (RFC 9110 §13); each undefined one asks for nothing. */
export interface Conditions {
  /** `*` or ETags without quotes; fails with `PreconditionFailed`, or `NameUnknown` where nothing is. */
  readonly ifMatch?: readonly string[];
  /** `*` or ETags; fails with `PreconditionFailed`. */
  readonly ifNoneMatch?: readonly string[];
  /** S3's conditional delete: last-modified (ms) and size the current version must have. */
  readonly ifMatchModified?: number;
  readonly ifMatchSize?: number;
}

/** A page of a listing. */
export interface ListQuery {
  readonly prefix: string;
  readonly delimiter?: string;
  /** Strictly after this key or collapsed prefix. */
  readonly after?: string;
  readonly limit: number;
}

export interface ListPage {
  readonly objects: readonly ObjectVersion[];
  /** Each ends with the delimiter. */
  readonly prefixes: readonly string[];
  /** Where the next page begins (give it as `after`); undefined at the end. */
  readonly next?: string;
}

export interface ListVersionsQuery extends ListQuery {
  /** With `after`: strictly after this version id of that key. */
  readonly afterVersion?: string;
}

export interface ListVersionsPage {
  /** Key order, newest first within a key. */
  readonly versions: readonly (Version & { readonly isLatest: boolean })[];
  readonly prefixes: readonly string[];
  readonly next?: { readonly key: string; readonly versionId?: string };
}
