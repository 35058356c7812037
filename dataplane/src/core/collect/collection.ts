/** Collection: what nothing names any more is removed while everything goes on, in rounds that one process at a time runs. */
import type { Store } from '../../storage/contract.ts';
import { findBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import type { FoundDigest } from '../digests.ts';
import { findDigest } from '../digests.ts';
import { keys } from '../keys.ts';
import { bucketIdOf, publicName, realmOf } from '../realm.ts';
import { asReference, referent } from '../refs.ts';
import type { Collection, Keep } from './contract.ts';
import { emptyRetired, retireKept, retireUnclaimed } from './buckets.ts';
import { watchClock } from './clock.ts';
import { collectDigests } from './digests.ts';
import { collectUnused } from '../registry/unused.ts';
import { collectReplaced } from './replaced.ts';
import { collectVersions } from './versions.ts';
import { collectUploads, expireRanges, expireUploads, forgetDone, settleIntents } from './uploads.ts';

/** Names shown by `explain`. */
const SHOWN = 1000;

interface Round {
  digests: number;
  blobs: number;
  uploads: number;
  bytes: number;
}

/** The collector over all locations. `claimed` answers the names of the buckets that the configuration has now. */
export function createCollection(context: CoreContext, claimed: () => ReadonlySet<string>): Collection {
  const clock = watchClock(context, context.terms.grace);
  return {
    collect: async (signal) => {
      clock.check();
      // A round has one time: the clock may be put forward in its middle too.
      const at = context.now();
      const frozen: CoreContext = { ...context, now: () => at };
      const round: Round = { digests: 0, blobs: 0, uploads: 0, bytes: 0 };
      for (const store of context.stores.values()) await collectStore(frozen, store, { claimed: claimed(), signal, round });
      return round;
    },
    explain: async (digest) => {
      for (const store of context.stores.values()) {
        const found = await findDigest(store, digest);
        if (found !== undefined) return explainIn(context, store, digest, found);
      }
      return { digest, stored: false, names: [] };
    },
  };
}

async function collectStore(
  context: CoreContext,
  store: Store,
  { claimed, signal, round }: { readonly claimed: ReadonlySet<string>; readonly signal: AbortSignal; readonly round: Round },
): Promise<void> {
  const add = (removed: { readonly blobs: number; readonly bytes: number }): void => {
    round.blobs += removed.blobs;
    round.bytes += removed.bytes;
  };
  await retireUnclaimed(context, store, claimed);
  await retireKept(context, store);
  await emptyRetired(context, store, signal);
  round.uploads += await expireUploads(context, store, signal);
  round.uploads += await expireRanges(context, store, signal);
  add(await collectUploads(store, signal));
  add(await settleIntents(context, store, signal));
  await collectVersions(context, store, signal);
  await collectUnused(context, store, signal);
  const digests = await collectDigests(context, store, signal);
  round.digests += digests.digests;
  add(digests);
  add(await collectReplaced(context, store, signal));
  await forgetDone(context, store, signal);
}

async function explainIn(context: CoreContext, store: Store, digest: Digest, found: FoundDigest): Promise<Keep> {
  const names: Keep['names'][number][] = [];
  const page = await store.records.scan({ prefix: keys.refs(digest), limit: SHOWN });
  for (const item of page) {
    if (!('value' in item)) continue;
    const { bucket, key, ...reference } = asReference(item, digest);
    // A bucket that another has now under the same name is another one.
    if ((await findBucket(store, bucket))?.record.id !== bucketIdOf(reference.bucketId)) continue;
    const version = await referent(store, { bucket, key, ...reference });
    if (version !== undefined) names.push({ bucket, ...shownAs(reference.bucketId, key), versionId: version.versionId });
  }
  const { since } = await garbageOf(store, digest);
  const { quarantined } = found.record;
  const base: Keep = {
    digest,
    size: found.record.size,
    stored: true,
    names,
    ...(quarantined === undefined ? {} : { quarantined: new Date(quarantined.since).toISOString() }),
  };
  if (names.length > 0 || since === undefined) return base;
  return {
    ...base,
    condemned: { since: new Date(since).toISOString(), collectableAfter: new Date(since + context.terms.grace).toISOString() },
  };
}

function shownAs(id: string, key: string): Pick<Keep['names'][number], 'key' | 'realm'> {
  const realm = realmOf(id);
  return { key: publicName({ realm }, key), ...(realm && { realm }) };
}

async function garbageOf(store: Store, digest: Digest): Promise<{ readonly since?: number }> {
  const entry = await store.records.get(keys.garbageDigest(digest));
  return (entry?.value ?? {}) as { readonly since?: number };
}
