/** Search over current names, by prefix, glob, metadata and digest. */
import { literalPrefix, matchesGlob } from '../config/glob.ts';
import type { OpenBucket } from './buckets.ts';
import { openBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import type { Core, SearchQuery } from './core.ts';
import type { Digest } from './digest.ts';
import { keys, splitNamed } from './keys.ts';
import { listCurrent } from './listing.ts';
import type { ObjectVersion } from './object.ts';
import { findHead } from './versions.ts';

/** Names that one call looks at, at the most. */
const BUDGET = 10_000;
const PAGE = 1000;

type Found = Awaited<ReturnType<Core['search']>>;

export function createSearch(context: CoreContext): Core['search'] {
  return async (query) => {
    const bucket = await openBucket(context, query.bucket);
    return query.digest === undefined ? searchNames(bucket, query) : searchDigest(bucket, query, query.digest);
  };
}

async function searchNames(bucket: OpenBucket, query: SearchQuery): Promise<Found> {
  const objects: ObjectVersion[] = [];
  const prefix = longer(query.prefix ?? '', literalPrefix(query.glob ?? ''));
  if (prefix === undefined) return { objects };
  let after = query.after;
  for (let looked = 0; looked < BUDGET; looked += PAGE) {
    const page = await listCurrent(bucket, { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const object of page.objects) {
      after = object.key;
      if (!matches(object, query)) continue;
      objects.push(object);
      if (objects.length === query.limit) return { objects, next: after };
    }
    if (page.next === undefined) return { objects };
    after = page.next;
  }
  return { objects, ...(after === undefined ? {} : { next: after }) };
}

/** The longer of two prefixes, or undefined when no name can have both. */
function longer(one: string, other: string): string | undefined {
  if (one.startsWith(other)) return one;
  return other.startsWith(one) ? other : undefined;
}

function matches(object: ObjectVersion, query: SearchQuery): boolean {
  if (query.prefix !== undefined && !object.key.startsWith(query.prefix)) return false;
  if (query.glob !== undefined && !matchesGlob(query.glob, object.key)) return false;
  return Object.entries(query.metadata ?? {}).every(([name, value]) => object.metadata[name] === value);
}

/** Goes through the refs of the digest instead of through the names. */
async function searchDigest(bucket: OpenBucket, query: SearchQuery, digest: Digest): Promise<Found> {
  const prefix = keys.refsOfBucket(digest, bucket.id);
  const objects: ObjectVersion[] = [];
  let after = query.after;
  for (let looked = 0; looked < BUDGET; looked += PAGE) {
    const page = await bucket.store.records.scan({
      prefix,
      limit: PAGE,
      ...(after === undefined ? {} : { after: `${prefix}${after}\u0000~` }),
    });
    for (const item of page) {
      if (!('value' in item)) continue;
      const named = splitNamed(item.key, prefix);
      if (named.key === after) continue;
      after = named.key;
      const head = await findHead(bucket, named.key);
      if (head === undefined || head.version.deleteMarker || head.version.digest !== digest || !matches(head.version, query)) continue;
      objects.push(head.version);
      if (objects.length === query.limit) return { objects, next: after };
    }
    if (page.length < PAGE) return { objects };
  }
  return { objects, ...(after === undefined ? {} : { next: after }) };
}
