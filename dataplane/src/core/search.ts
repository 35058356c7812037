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
import { scanAll } from './scan.ts';
import { findHead } from './versions.ts';

/** Names that one call looks at, at the most. */
const BUDGET = 10_000;
const PAGE = 1000;

type Found = Awaited<ReturnType<Core['search']>>;

export function createSearch(context: CoreContext): Core['search'] {
  return async (query) => {
    const bucket = await openBucket(context, query.bucket);
    return query.digest === undefined ? searchNames(bucket, query) : gather(namesOfDigest(bucket, query.digest, query.after), query);
  };
}

async function searchNames(bucket: OpenBucket, query: SearchQuery): Promise<Found> {
  const prefix = longer(query.prefix ?? '', literalPrefix(query.glob ?? ''));
  return prefix === undefined ? { objects: [] } : gather(currentNames(bucket, prefix, query.after), query);
}

/** Takes what matches, until there is enough or enough was looked at. */
async function gather(candidates: AsyncIterable<Candidate>, query: SearchQuery): Promise<Found> {
  const objects: ObjectVersion[] = [];
  let looked = 0;
  for await (const { key, object } of candidates) {
    looked += 1;
    if (object !== undefined && matches(object, query)) objects.push(object);
    if (objects.length === query.limit || looked === BUDGET) return { objects, next: key };
  }
  return { objects };
}

/** A name that was looked at, with its current version if that may be meant. */
interface Candidate {
  readonly key: string;
  readonly object?: ObjectVersion | undefined;
}

async function* currentNames(bucket: OpenBucket, prefix: string, start: string | undefined): AsyncGenerator<Candidate, void, void> {
  for (let after = start; ;) {
    const page = await listCurrent(bucket, { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const object of page.objects) yield { key: object.key, object };
    if (page.next === undefined) return;
    after = page.next;
  }
}

/** Goes through the references of the digest instead of through the names; several versions of one name count once. */
async function* namesOfDigest(bucket: OpenBucket, digest: Digest, start: string | undefined): AsyncGenerator<Candidate, void, void> {
  const prefix = keys.refsOfBucket(digest, bucket.id);
  let last = start;
  for await (const entry of scanAll(bucket.store, prefix, { after: start === undefined ? undefined : `${prefix}${start}\u0000~` })) {
    const { key } = splitNamed(entry.key, prefix);
    if (key === last) continue;
    last = key;
    const version = (await findHead(bucket, key))?.version;
    yield { key, object: version?.deleteMarker === false && version.digest === digest ? version : undefined };
  }
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
