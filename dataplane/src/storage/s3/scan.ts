/** Scans records: names come from listings, values from the cache or by parallel reads. */
import type { Entry, ScanItem, ScanQuery } from '../contract.ts';
import { collapsedPrefix, compareKeys, following, scanRange, successor } from '../keys.ts';
import { readDoubts, type InDoubt } from './doubts.ts';
import type { Graves } from './graves.ts';
import { isLive } from './judge.ts';
import { pooled } from './parallel.ts';
import type { Standing } from './recordObjects.ts';
import { revisionOf } from './revision.ts';
import { READERS, walk, type Listed, type Step, type Walking } from './walk.ts';

export interface Scanning extends Walking {
  readonly graves: Graves;
}

/** What was listed and has still to be looked at. */
type Found = Listed | { readonly prefix: string; readonly doubtful: boolean };

/** The one delimiter that every S3 server collapses by. */
const FOLDERS = '/';

/** Keys beneath a collapsed prefix that are passed over one by one, before the listing begins anew behind it. */
const PASSED_OVER = 300;

/** How many names are looked at to find one that is no tombstone. */
const LOOKED_AT = 100;

/** What the contract says of `scan`. */
export async function scanRecords(room: Scanning, query: ScanQuery): Promise<ScanItem[]> {
  const range = scanRange(query);
  if (!range) return [];
  const items: ScanItem[] = [];
  let from = await leaveFolder(room, query, range.from, items);
  const doubts = startDoubts(room, query, from);
  while (from?.startsWith(query.prefix) === true && items.length < query.limit) {
    const { found, next } = await gather(room, query, { from, doubts, wanted: query.limit - items.length });
    items.push(...(await look(room, found)));
    from = next;
  }
  return items;
}

/** When the scan begins within what collapses to one prefix, answers that (if anything is left of it) and goes on behind it. */
async function leaveFolder(room: Scanning, query: ScanQuery, from: string, items: ScanItem[]): Promise<string | undefined> {
  const prefix = collapsedPrefix(from, query);
  if (prefix === undefined || compareKeys(from, prefix) <= 0) return from;
  if (await anyRecord(room, prefix, from)) items.push({ prefix });
  return successor(prefix);
}

async function anyRecord(room: Scanning, prefix: string, from: string): Promise<boolean> {
  for await (const _ of walk(room, { prefix, from, folders: false, wanted: LOOKED_AT })) return true;
  return false;
}

/** The graves are read while the first page is. */
function startDoubts({ graves }: Scanning, query: ScanQuery, from: string | undefined): Promise<InDoubt> {
  if (query.delimiter !== FOLDERS || from === undefined) return Promise.resolve(() => false);
  const doubts = readDoubts(graves, query.prefix, from);
  doubts.catch(() => undefined);
  return doubts;
}

interface Gathering {
  readonly from: string;
  readonly doubts: Promise<InDoubt>;
  readonly wanted: number;
}

/** The next things to look at, and where to go on after them. */
async function gather(
  room: Scanning,
  query: ScanQuery,
  { from, doubts, wanted }: Gathering,
): Promise<{ readonly found: readonly Found[]; readonly next: string | undefined }> {
  const found: Found[] = [];
  let passed = 0;
  for await (const step of walk(room, { prefix: query.prefix, from, folders: query.delimiter === FOLDERS, wanted })) {
    const item = await foundIn(step, query, doubts);
    if (isSameFolder(item, found.at(-1))) {
      passed += 1;
      if (passed > PASSED_OVER) return { found, next: behind(item) };
      continue;
    }
    passed = 0;
    found.push(item);
    if (found.length === wanted) return { found, next: behind(item) };
  }
  return { found, next: undefined };
}

/** A step of the walk, collapsed where the server could not. */
async function foundIn(step: Step, query: ScanQuery, doubts: Promise<InDoubt>): Promise<Found> {
  // An empty segment's `/` is no `/` in names: the server collapses such keys further down than the query does.
  if ('prefix' in step) return { prefix: collapsedPrefix(step.prefix, query) ?? step.prefix, doubtful: (await doubts)(step.prefix) };
  const prefix = collapsedPrefix(step.key, query);
  return prefix === undefined ? step : { prefix, doubtful: false };
}

function isSameFolder(item: Found, last: Found | undefined): boolean {
  return last !== undefined && 'prefix' in item && 'prefix' in last && item.prefix === last.prefix;
}

/** The first key that is neither the item nor beneath it. */
function behind(item: Found): string | undefined {
  return 'key' in item ? following(item.key) : successor(item.prefix);
}

/** Reads values, and leaves out what is gone meanwhile. */
async function look(room: Scanning, found: readonly Found[]): Promise<ScanItem[]> {
  const items = await Promise.all(pooled(found, READERS, (item) => lookAt(room, item)));
  return items.filter((item) => item !== undefined);
}

async function lookAt(room: Scanning, item: Found): Promise<ScanItem | undefined> {
  if ('key' in item) return entryOf(await room.records.readListed(item.name, item.etag));
  return !item.doubtful || (await anyRecord(room, item.prefix, item.prefix)) ? { prefix: item.prefix } : undefined;
}

/** The record that stands there, if one does. */
export function entryOf(standing: Standing | undefined): Entry | undefined {
  if (!isLive(standing)) return undefined;
  const { body, etag } = standing;
  return { key: body.key, value: body.value, revision: revisionOf({ nonce: body.nonce, etag }) };
}
