/** What every part of the core is given: the storage locations, the clock, the terms. */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import type { Store } from '../storage/contract.ts';
import type { Order } from './order.ts';
import type { UploadDamage } from './quarantine.ts';

/** How long things are given, in ms. */
export interface Terms {
  /** What nothing names any more stays this long. Longer than any download may pause. */
  readonly grace: number;
  /** Bytes on their way say so this often; silent for `grace`, they are given up. Much less than that. */
  readonly beat: number;
  /** An upload session that is not completed is aborted after this. */
  readonly uploadLife: number;
  /** A request waits this long for another one that is completing the same upload. */
  readonly wait: number;
  /** A finished session is remembered this long, for repeated completions. */
  readonly doneLife: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Beats within a grace time, at the least. */
const BEATS = 8;

/** All terms, given some of them. */
export function termsFrom(given: Partial<Terms>): Terms {
  const terms = { ...DEFAULT_TERMS, ...given };
  return { ...terms, beat: Math.min(terms.beat, terms.grace / BEATS) };
}

const DEFAULT_TERMS: Terms = { grace: 60 * MINUTE, beat: 5 * MINUTE, uploadLife: 7 * DAY, wait: 15_000, doneLife: DAY };

export interface CoreContext {
  /** By location name. */
  readonly stores: ReadonlyMap<string, Store>;
  readonly terms: Terms;
  /** Ms since the epoch. */
  now(): number;
  /** Ms; never jumps. */
  elapsed(): number;
  /** Makes the ids of journal entries. */
  readonly order: Order;
  /** Told of stored bytes of an open upload that are wrong. */
  damageFound(damage: UploadDamage): void;
}

/** The store a bucket's content lives in; a location that this installation does not have is `Unavailable`. */
export function storeOf(context: CoreContext, bucket: BucketConfig): Store {
  const store = context.stores.get(bucket.location);
  if (store !== undefined) return store;
  throw new ArtefactError('Unavailable', `This server has no storage location named ${bucket.location}; ask its operator to add it.`);
}
