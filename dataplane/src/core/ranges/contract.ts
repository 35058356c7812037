/** Sessions that take byte ranges, as protocols see them. */
import type { BucketConfig } from '@bonded/crds';
import type { Bytes, ByteRange } from '../../storage/contract.ts';
import type { Actor, PutResult } from '../core.ts';
import type { HashAlgorithm } from '../hashing/checksums.ts';
import type { Conditions, ObjectAttributes } from '../object.ts';
import type { Realm } from '../realm.ts';

/** An upload session that takes byte ranges of one name's content. */
export interface RangeSession {
  readonly uploadId: string;
  readonly key: string;
  /** Ms since the epoch. */
  readonly initiated: number;
  /** Ms since the epoch: after this it is gone. */
  readonly expires: number;
  readonly owner: string;
  readonly attributes: ObjectAttributes;
  /** `sequential`: bytes are appended, one request at a time. `parallel`: ranges in any order, over several connections. */
  readonly mode: 'sequential' | 'parallel';
  /** It names nothing itself: `join` makes one artefact of several such. */
  readonly partial?: true;
  /** Bytes of the whole, once they are known. */
  readonly length?: number;
  /** What the whole must have, in lower-case hex, where the client said so at the start. */
  readonly sha256?: string;
  /** What the name must be like at the completion, where the client said so at the start. */
  readonly conditions: Conditions;
  /** What the protocol wants to be told again; at most some KiB. */
  readonly memo?: string;
  /** Sequential: the bytes that are stored and will never be asked for again. */
  readonly offset: number;
  /** Its SHA-512 will be asked for: it is computed while the bytes stream. */
  readonly withSha512?: true;
  /** A completion began: nothing is appended any more. */
  readonly completing?: true;
}

export interface RangeOptions {
  readonly attributes: ObjectAttributes;
  readonly mode: RangeSession['mode'];
  readonly partial?: boolean;
  readonly length?: number;
  readonly sha256?: string;
  readonly conditions?: Conditions;
  readonly memo?: string;
  readonly withSha512?: boolean;
}

/** Where a session is. */
export interface SessionPlace {
  readonly key: string;
  readonly uploadId: string;
}

/** What the content of one request must turn out to be; a difference keeps none of it. */
export interface ContentCheck {
  readonly algorithm: HashAlgorithm;
  readonly value: Uint8Array;
  /** True for the digest that the request's signature covers: then a difference is a `PayloadMismatch`. */
  readonly signed?: boolean;
}

/** Bytes for a session, to be kept as far as they arrive. */
export interface Delivery {
  /** Where they begin in the whole. */
  readonly offset: number;
  readonly bytes: Bytes;
  /** How many there are, where that was declared. More are refused with `BodyTooLarge`, and what came before is kept. */
  readonly size?: number;
  /** Bytes of the whole, where this request says so; it must agree with what is known (`InvalidRequest`, reason `length`). */
  readonly length?: number;
  readonly checks?: readonly ContentCheck[];
  /** The SHA-512 of the whole will be asked for, as this request, which brings the first bytes, says. */
  readonly withSha512?: boolean;
  /** Told after each piece how far the contiguous bytes of this request are stored. */
  readonly onStored?: (offset: number) => void;
}

/** Bytes `[start, end)`. */
export type Span = readonly [start: number, end: number];

export interface RangeCompletion {
  /** Bytes of the whole, where this request says so. */
  readonly length?: number;
  /** What the whole must have, in lower-case hex. */
  readonly sha256?: string;
  /** The same; computed as the bytes came where that was asked for then, else by reading them once more. */
  readonly sha512?: string;
  /** The name that it becomes, where that is another than the one it was begun under. */
  readonly as?: string;
  readonly conditions: Conditions;
  readonly actor: Actor;
}

/** What a session became, with its memo. */
export interface FinishedRanges extends PutResult {
  readonly memo?: string;
}

/** A name whose current version has the bytes. The bucket is the one that this tenant has in the location: another's of the same name is another. */
export interface Holder {
  readonly bucket: string;
  readonly namespace: string;
  readonly key: string;
  /** Of what kind `key` is; undefined for the bucket's own keys. */
  readonly realm: Realm | undefined;
}

/** Asks whether the caller may read a name's current version. */
export type MayRead = (holder: Holder) => Promise<boolean>;

/**
 * Errors carry `details.reason` where a protocol has its own words: `offset` (with `expectedOffset`, `providedOffset`),
 * `superseded` (a later request of this session took over), `length`, `completed`, `incomplete`, `overlap`, `mode`, `pieces`.
 */
export interface Ranges {
  /**
   * Opens a session. With `sha256` and `length` of bytes that the store has and the caller may read under some name, the name is
   * made at once, and the session is done.
   */
  begin(bucket: BucketConfig, key: string, options: RangeOptions, actor: Actor): Promise<RangeSession>;
  /** Names bytes that the store has, if the caller may read them under some name; undefined otherwise, and nothing has happened. */
  known(
    bucket: BucketConfig,
    key: string,
    content: { readonly sha256: string; readonly length: number; readonly attributes: ObjectAttributes },
    mayRead: MayRead,
    naming: { readonly conditions: Conditions; readonly actor: Actor },
  ): Promise<PutResult | undefined>;
  /** The session as it is. Throws `UploadUnknown`, also for one whose time is over. */
  find(bucket: BucketConfig, place: SessionPlace): Promise<RangeSession>;
  /** As `find`, and from here on no request that began before changes it: the offset it tells will be accepted. */
  seize(bucket: BucketConfig, place: SessionPlace): Promise<RangeSession>;
  /** What a finished session became, under the name that it was completed `as`; undefined for one that is not. */
  finished(bucket: BucketConfig, place: SessionPlace, as?: string): Promise<FinishedRanges | undefined>;
  /**
   * Sequential: appends bytes at just the session's offset, ending a request that is still appending. Answers the session with
   * its new offset. When the bytes break off, what came is kept and the break is thrown, except where `checks` cannot be made.
   * Throws `ConcurrentChange` (reason `offset`, `superseded`), `InvalidRequest` (`length`, `completed`), `DigestMismatch`, `BodyTooLarge`.
   */
  append(bucket: BucketConfig, place: SessionPlace, delivery: Delivery): Promise<RangeSession>;
  /** Parallel: stores a range. Sending one again is fine; the newest bytes count. */
  write(bucket: BucketConfig, place: SessionPlace, delivery: Delivery): Promise<void>;
  /** What is stored, merged and in order. */
  spans(bucket: BucketConfig, place: SessionPlace): Promise<readonly Span[]>;
  /** Stored bytes of the session. Throws `InvalidRange` for what is not all there. */
  read(bucket: BucketConfig, place: SessionPlace, range: ByteRange): Promise<Bytes>;
  /**
   * Makes the name, when the bytes are all there and have the digest that was stated. A sequential session that has another digest
   * is ended (its bytes cannot be put right); a parallel one stays open. Throws `DigestMismatch`, `InvalidRequest` (`incomplete`,
   * `overlap`), `UploadUnknown`, and what `Objects.put` throws; repeating a completion that succeeded answers the same again.
   */
  complete(bucket: BucketConfig, place: SessionPlace, completion: RangeCompletion): Promise<PutResult>;
  /** Makes one name of complete partial sessions, in order, without copying; they end with it. */
  join(
    bucket: BucketConfig,
    key: string,
    partials: readonly SessionPlace[],
    attributes: ObjectAttributes,
    naming: { readonly conditions: Conditions; readonly actor: Actor; readonly memo?: string },
  ): Promise<{ readonly uploadId: string; readonly result: PutResult }>;
  /** Ends it, and requests that are under way with it. Throws `UploadUnknown`. */
  abort(bucket: BucketConfig, place: SessionPlace, actor: Actor): Promise<void>;
}
