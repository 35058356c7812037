/** One request's bytes: hashed as they pass, stored piece by piece, and kept, as far as they came. */
import { ArtefactError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { LaneHash } from '../hashing/lanes.ts';
import { openLaneHash } from '../hashing/lanes.ts';
import type { Slab } from '../hashing/slabs.ts';
import { passThrough } from '../hashing/stream.ts';
import type { ContentCheck, Delivery, SessionPlace } from './contract.ts';
import { takeIn } from './intake.ts';
import type { Pursuits } from './pursuit.ts';
import type { Staged } from './staging.ts';
import { letGo, stage } from './staging.ts';

/** What every operation on ranges stands on. */
export interface RangesRoom {
  readonly context: CoreContext;
  readonly pursuits: Pursuits;
}

export interface Job {
  readonly bucket: OpenBucket;
  readonly place: SessionPlace;
  readonly delivery: Delivery;
  /** Ends it early; what came is kept. */
  readonly signal?: AbortSignal;
  readonly withSha512?: boolean | undefined;
  /** Room for more bytes. */
  readonly limit: number;
  /** Makes pieces count, in order; called for one batch at a time. What it throws ends the request, and it lets its pieces go itself. */
  keep(pieces: readonly Staged[]): Promise<void>;
}

/** Throws what ended the body early, when all that came is kept; with checks, nothing is kept of a body that broke off or differs. */
export async function deliver({ context, pursuits }: RangesRoom, job: Job): Promise<void> {
  const { bucket, place, delivery } = job;
  const { store } = bucket;
  const intake = takeIn(delivery.bytes, job.signal, job.limit);
  const checks = (delivery.checks ?? []).map((check) => ({ check, hash: openLaneHash(check.algorithm) }));
  const withSha512 = job.withSha512 === true || delivery.withSha512 === true;
  const following = pursuits.follow(store, place.uploadId, { offset: delivery.offset, withSha512 });
  const feed = ({ buffer, length }: Slab): Promise<unknown> =>
    Promise.all([following?.feed({ buffer, length }), ...checks.map(({ hash }) => hash.update(buffer, length))]);
  const slabs = passThrough(intake.bytes, feed);
  const waiting: Staged[] = [];
  let stored = delivery.offset;
  let keeping: Promise<void> = Promise.resolve();
  let sound = false;
  const keep = async (pieces: readonly Staged[]): Promise<void> => {
    await job.keep(pieces);
    for (const piece of pieces) {
      following?.kept(piece);
      stored += piece.size;
    }
    if (following === undefined) pursuits.chase(store, place.uploadId);
    delivery.onStored?.(stored);
  };
  try {
    for await (const piece of stage(context, store, slabs, delivery.offset)) {
      waiting.push(piece);
      if (checks.length > 0) continue;
      // One piece is made to count while the next is stored.
      await keeping;
      keeping = keep(waiting.splice(0));
      keeping.catch(() => undefined);
    }
    if (checks.length > 0) {
      intake.throwFailure();
      await verify(checks);
    }
    if (waiting.length > 0) keeping = keep(waiting.splice(0));
    await keeping;
    sound = true;
  } finally {
    await keeping.catch(() => undefined);
    await slabs.return();
    following?.end(sound);
    for (const { hash } of checks) hash.drop();
    await letGo(store, place, waiting);
  }
  intake.throwFailure();
}

async function verify(checks: readonly { readonly check: ContentCheck; readonly hash: LaneHash }[]): Promise<void> {
  for (const { check, hash } of checks) {
    if ((await hash.digest()).equals(check.value)) continue;
    const code = check.signed === true ? 'PayloadMismatch' : 'DigestMismatch';
    throw new ArtefactError(code, `The ${check.algorithm} of the content is not the one that the request states; nothing of it was kept.`, {
      details: { reason: 'content', algorithm: check.algorithm },
    });
  }
}
