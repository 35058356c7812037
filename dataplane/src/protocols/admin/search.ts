/** `GET /api/v1/search`: names by prefix, glob, metadata and digest, over one bucket or all that the caller may list. */
import type { BucketConfig } from '@bonded/crds';
import { literalPrefix } from '../../config/glob.ts';
import type { Core, SearchQuery } from '../../core/core.ts';
import type { Digest } from '../../core/digest.ts';
import type { ObjectVersion } from '../../core/object.ts';
import type { Call } from '../contract.ts';
import { bucketOf } from './bucketView.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { ANY_AUTHENTICATED, listNames, readName } from './demands.ts';
import { digits, invalid, mapOf, optional, text, withDefault } from './fields.ts';
import { json } from './json.ts';
import { bucketName, cursor, digest, MAX_KEY_BYTES } from './parameters.ts';
import { row } from './row.ts';

interface SearchParams {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly glob?: string;
  readonly digest?: Digest;
  readonly meta?: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cursor?: string;
}

/** One request looks at this many pages of the core at most; then it answers what it has, with a cursor. */
const MAX_STEPS = 16;
const META = 'meta.';
const metaMap = mapOf(text({ max: 128 }), text({ min: 0, max: 2048 }), 10);

export const search = row<SearchParams>({
  name: 'admin.Search',
  method: 'GET',
  path: '/api/v1/search',
  fields: {
    bucket: optional(bucketName),
    prefix: optional(text({ min: 0, max: MAX_KEY_BYTES })),
    glob: optional(text({ max: MAX_KEY_BYTES })),
    digest: optional(digest),
    meta: (given, name) => {
      if (typeof given === 'string') throw invalid(name, "Write a metadata filter as 'meta.<name>=<value>'.");
      return given === undefined ? undefined : metaMap(given, name);
    },
    limit: withDefault(100, digits(1, 1000)),
    cursor,
  },
  fold: foldMeta,
  demands: (params) => [params.bucket === undefined ? ANY_AUTHENTICATED : listNames(params.bucket, commonPrefix(params))],
  async handle(call, core) {
    const { bucket, limit, cursor: given, ...filters } = call.params;
    const question = { bucket, ...filters };
    const from = given === undefined ? undefined : startOf(readCursor(question, given, 2));
    const found = await findIn(searched(call, from), { call, core, limit, from });
    return json(200, {
      objects: found.objects,
      ...(found.next && { next: makeCursor(question, [found.next.bucket, found.next.after]) }),
    });
  },
});

/** Where a search goes on: after this name of this bucket; '' is its beginning. */
interface Start {
  readonly bucket: string;
  readonly after: string;
}

interface Search {
  readonly call: Call<SearchParams>;
  readonly core: Core;
  readonly limit: number;
  readonly from?: Start;
}

/** `meta.<name>=<value>` parameters become one field; names of metadata are lower-case in the store. */
function foldMeta(query: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const others = [...query].filter(([name]) => !name.startsWith(META));
  const meta = [...query].filter(([name]) => name.startsWith(META)).map(([name, value]) => [name.slice(META.length).toLowerCase(), value]);
  if (meta.length === 0) return query;
  return new Map([...others, ['meta', Object.fromEntries(meta) as unknown]]);
}

/** What all names that are asked for begin with: who may list just these may search for them. */
function commonPrefix({ prefix, glob }: SearchParams): string {
  return prefix ?? (glob === undefined ? '' : literalPrefix(glob));
}

function startOf([bucket = '', after = '']: readonly string[]): Start {
  return { bucket, after };
}

/** The buckets still to be searched, in order of name. */
function searched(call: Call<SearchParams>, from: Start | undefined): readonly BucketConfig[] {
  if (call.params.bucket !== undefined) return [bucketOf(call.snapshot, call.params.bucket)];
  return call.snapshot.buckets
    .filter(({ name }) => (from === undefined || name >= from.bucket) && call.may(listNames(name, commonPrefix(call.params))))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Looks through buckets in order until the page is full or the work of one request is done. */
async function findIn(buckets: readonly BucketConfig[], search: Search): Promise<{ objects: readonly unknown[]; next?: Start }> {
  const objects: unknown[] = [];
  let steps = 0;
  for (const bucket of buckets) {
    let after = search.from?.bucket === bucket.name && search.from.after !== '' ? search.from.after : undefined;
    do {
      if (objects.length >= search.limit || steps === MAX_STEPS) return { objects, next: { bucket: bucket.name, after: after ?? '' } };
      search.call.signal.throwIfAborted();
      const page = await search.core.search(queryFor(bucket, search, { after, limit: search.limit - objects.length }));
      objects.push(
        ...page.objects
          .filter((object) => visible(search.call, bucket.name, object))
          .map((object) => view(search.call, bucket.name, object)),
      );
      after = page.next;
      steps += 1;
    } while (after !== undefined);
  }
  return { objects };
}

function queryFor(bucket: BucketConfig, { call }: Search, page: { readonly after?: string; readonly limit: number }): SearchQuery {
  const { prefix, glob, digest: wanted, meta: metadata } = call.params;
  return { bucket, prefix, glob, digest: wanted, metadata, ...page };
}

/** Metadata is read with the object: who may only list must not be able to guess it by searching for it. */
function visible(call: Call<SearchParams>, bucket: string, { key }: ObjectVersion): boolean {
  return call.may(listNames(bucket, key)) && (call.params.meta === undefined || call.may(readName(bucket, key)));
}

function view(call: Call<SearchParams>, bucket: string, object: ObjectVersion): unknown {
  const { key, versionId, digest: held, size, etag, modified, storageClass, headers, metadata } = object;
  return {
    ...{ bucket, key, versionId, digest: held, size, etag, storageClass, modified: new Date(modified).toISOString() },
    ...(call.may(readName(bucket, key)) && { contentType: headers.contentType, metadata }),
  };
}
