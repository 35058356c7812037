/** Listings: pages of current names, and of all versions, in the byte order of names. */
import type { Entry, ScanItem } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { isId } from './ids.ts';
import { keys } from './keys.ts';
import type { ListPage, ListQuery, ListVersionsPage, ListVersionsQuery, ObjectVersion } from './object.ts';
import type { FoundHead } from './versions.ts';
import { asPast, standsBehind } from './past.ts';
import { asHead, asVersion } from './versions.ts';
import { VersionsPage } from './versionsPage.ts';

/** Records asked for at a time where most of them may be delete markers. */
const LOOK = 100;

/** What `Objects.list` promises. */
export async function listCurrent(bucket: OpenBucket, query: ListQuery): Promise<ListPage> {
  const objects: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let last = query.after;
  const room = (): number => query.limit - objects.length - prefixes.length;
  const take = async (item: ScanItem): Promise<void> => {
    last = nameOf(bucket, item);
    if (!(await isCurrent(bucket, item))) return;
    if ('value' in item) objects.push(asHead(item).version as ObjectVersion);
    else prefixes.push(last);
  };
  for (let ended = false; !ended && room() > 0;) {
    const limit = room();
    const items = await scanHeads(bucket, query, last, limit);
    for (const item of items) await take(item);
    ended = items.length < limit;
  }
  const full = room() === 0 && last !== undefined;
  return { objects, prefixes, ...(full && (await more(bucket, query, last!)) ? { next: last } : {}) };
}

/** True for a name that is there, and for a collapsed prefix with such a name beneath it. */
async function isCurrent(bucket: OpenBucket, item: ScanItem): Promise<boolean> {
  return 'value' in item ? !asHead(item).version.deleteMarker : anyCurrent(bucket, nameOf(bucket, item));
}

function scanHeads(bucket: OpenBucket, query: ListQuery, after: string | undefined, limit: number): Promise<readonly ScanItem[]> {
  const heads = keys.heads(bucket.id);
  return bucket.store.records.scan({
    prefix: heads + query.prefix,
    limit,
    ...(after === undefined ? {} : { after: heads + after }),
    ...(query.delimiter === undefined || query.delimiter === '' ? {} : { delimiter: query.delimiter }),
  });
}

function nameOf(bucket: OpenBucket, item: ScanItem): string {
  return ('value' in item ? item.key : item.prefix).slice(keys.heads(bucket.id).length);
}

/** True when a name under the prefix is there; where versioning never was, every record is one. */
async function anyCurrent(bucket: OpenBucket, prefix: string): Promise<boolean> {
  if (bucket.config.versioning === 'Disabled') return true;
  const page = await listCurrent(bucket, { prefix, limit: 1 });
  return page.objects.length > 0;
}

/** True when a further page would hold something. */
async function more(bucket: OpenBucket, query: ListQuery, after: string): Promise<boolean> {
  let last = after;
  for (;;) {
    const items = await scanHeads(bucket, query, last, bucket.config.versioning === 'Disabled' ? 1 : LOOK);
    for (const item of items) {
      last = nameOf(bucket, item);
      if (await isCurrent(bucket, item)) return true;
    }
    if (items.length === 0 || bucket.config.versioning === 'Disabled') return false;
  }
}

/** What `Objects.listVersions` promises. */
export async function listVersions(bucket: OpenBucket, query: ListVersionsQuery): Promise<ListVersionsPage> {
  const page = new VersionsPage(query.limit);
  if (query.after !== undefined && query.afterVersion !== undefined) await addRestOfKey(bucket, page, query.after, query.afterVersion);
  for (let last = query.after, ended = false; !ended && !page.full();) {
    const items = await scanHeads(bucket, query, last, Math.min(1000, page.room() + 1));
    ended = items.length === 0;
    for (const item of items) {
      last = nameOf(bucket, item);
      if ('value' in item) await addKey(bucket, page, asHead(item));
      else page.addPrefix(last);
      if (page.full()) break;
    }
  }
  return page.result();
}

async function addKey(bucket: OpenBucket, page: VersionsPage, head: FoundHead): Promise<void> {
  page.add({ ...head.version, isLatest: true });
  if (head.older) await addPast(bucket, page, head, keys.past(bucket.id, head.version.key, head.version.id));
}

/** Goes on within a key, strictly after one of its versions. */
async function addRestOfKey(bucket: OpenBucket, page: VersionsPage, key: string, afterVersion: string): Promise<void> {
  const entry = await bucket.store.records.get(keys.head(bucket.id, key));
  if (entry === undefined) return;
  const head = asHead(entry);
  const after = afterVersion === 'null' ? (head.version.versionId === 'null' ? head.version.id : head.nullId) : afterVersion;
  if (after !== undefined && isId(after) && head.older) await addPast(bucket, page, head, keys.past(bucket.id, key, after));
}

async function addPast(bucket: OpenBucket, page: VersionsPage, head: FoundHead, after: string): Promise<void> {
  const prefix = keys.pastOfKey(bucket.id, head.version.key);
  for (let last = after; !page.full();) {
    const items = await bucket.store.records.scan({ prefix, limit: Math.min(1000, page.room() + 1), after: last });
    if (items.length === 0) return;
    for (const item of items as readonly Entry[]) {
      last = item.key;
      if (standsBehind(head, asPast(item))) page.add({ ...asVersion(item), isLatest: false });
    }
  }
}
