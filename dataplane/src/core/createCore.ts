/** Builds the core over its storage locations. */
import type { Store } from '../storage/contract.ts';
import { openBucket } from './buckets.ts';
import { createCollection } from './collect/collection.ts';
import { removeRemains } from './collect/uploads.ts';
import { completeUpload } from './complete.ts';
import type { ResourceWriter } from './configuration.ts';
import { createConfiguration } from './configuration.ts';
import type { CoreContext, Terms } from './context.ts';
import { termsFrom } from './context.ts';
import type { Core, Uploads } from './core.ts';
import { createJournal } from './journal.ts';
import { createObjects } from './objects.ts';
import { createOrder } from './order.ts';
import { createRanges } from './ranges/ranges.ts';
import { createRegistry } from './registry/registry.ts';
import { createScrub } from './scrub/scrub.ts';
import type { ScrubOptions } from './scrub/scrub.ts';
import { createSearch } from './search.ts';
import { abortUpload, beginUpload, findSession, listParts, listUploads, storePart } from './uploads.ts';

export interface CoreOptions {
  /** Storage locations by name; a bucket's `location` names one. The first one keeps the journal of configuration changes. */
  readonly stores: ReadonlyMap<string, Store>;
  /** Writes what the API configures. */
  readonly writer: ResourceWriter;
  /** Names of the buckets that the configuration has now, for collection. */
  readonly claimedBuckets: () => ReadonlySet<string>;
  readonly terms?: Partial<Terms>;
  readonly scrub?: ScrubOptions;
  /** Ms since the epoch; for tests. */
  readonly now?: () => number;
  /** Ms that pass whatever `now` says; for tests. Default: with a `now` of their own, that. */
  readonly elapsed?: () => number;
}

export function createCore(options: CoreOptions): Core {
  const now = options.now ?? Date.now;
  const elapsed = options.elapsed ?? options.now ?? (() => performance.now());
  const context: CoreContext = {
    stores: options.stores,
    terms: termsFrom(options.terms ?? {}),
    now,
    elapsed,
    order: createOrder(now, elapsed),
    damageFound: (damage) => options.scrub?.observer?.uploadDamaged(damage),
  };
  const journal = createJournal(context);
  return {
    objects: createObjects(context),
    uploads: createUploads(context),
    ranges: createRanges(context),
    registry: createRegistry(context),
    journal,
    collection: createCollection(context, options.claimedBuckets),
    scrub: createScrub(context, options.scrub),
    search: createSearch(context),
    configuration: createConfiguration(context, options.writer, journal),
  };
}

function createUploads(context: CoreContext): Uploads {
  return {
    begin: async (bucket, key, attributes, checksum, actor) =>
      beginUpload(context, await openBucket(context, bucket), { key, attributes, checksum, actor }),
    find: async (bucket, key, uploadId) => (await findSession(await openBucket(context, bucket), key, uploadId)).session,
    putPart: async (bucket, session, number, arrived) =>
      storePart(context, await openBucket(context, bucket), session, { number, arrived }),
    listParts: async (bucket, session, after, limit) => listParts(await openBucket(context, bucket), session.uploadId, after, limit),
    list: async (bucket, query) => listUploads(await openBucket(context, bucket), query),
    complete: async (bucket, session, claims, expected, conditions, actor) => {
      const opened = await openBucket(context, bucket);
      const result = await completeUpload(context, { bucket: opened, ...session, claims, expected, conditions, actor });
      await removeRemains(opened.store, session.uploadId);
      return result;
    },
    abort: async (bucket, key, uploadId, actor) => {
      const opened = await openBucket(context, bucket);
      await abortUpload(context, opened, { key, uploadId, actor });
      await removeRemains(opened.store, uploadId);
    },
  };
}
