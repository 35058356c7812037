/** Walks the names of records in the order of their keys. */
import { compareKeys } from '../keys.ts';
import { isGoneSize } from './body.ts';
import { isLive } from './judge.ts';
import { afterFolder, nameBefore, namePrefix, readFolder, readName } from './names.ts';
import type { Etag, ListedObject, ListPage, ListQuery } from './objects.ts';
import { pooled } from './parallel.ts';
import { RECORDS, type RecordObjects, type Standing } from './recordObjects.ts';

/** A record that was listed (not a tombstone). */
export interface Listed {
  readonly key: string;
  readonly name: string;
  readonly etag: Etag;
}

/** A listed record, or a folder of all keys with a prefix; in a folder there may be tombstones only. */
export type Step = Listed | { readonly prefix: string };

export interface WalkQuery {
  readonly prefix: string;
  /** The first key that counts; it begins with `prefix`. */
  readonly from: string;
  /** Folders instead of what is in them, where the server can collapse them. */
  readonly folders: boolean;
  /** How many steps are wanted: pages are not much longer. */
  readonly wanted: number;
}

export interface Walking {
  /** Repeats by itself. */
  readonly list: (query: ListQuery) => Promise<ListPage>;
  readonly records: RecordObjects;
}

/** The longest page that servers give. */
const MOST = 1000;
/** Tombstones that a page may hold before it takes another. */
const SPARE = 16;
export const READERS = 32;

/** Steps from `from` on. */
export async function* walk(room: Walking, query: WalkQuery): AsyncGenerator<Step, void, void> {
  const prefix = namePrefix(query.prefix);
  const start = nameBefore(query.from);
  const limit = Math.min(MOST, query.wanted + SPARE);
  // Servers differ in what a start inside a folder does to that folder.
  const folders = query.folders && !start.slice(prefix.length).includes('/');
  for await (const step of walkNames(room, { prefix, after: start, folders, limit })) {
    // Long names stand in folders that hold other keys too.
    const outside = 'key' in step && (!step.key.startsWith(query.prefix) || compareKeys(step.key, query.from) < 0);
    if (!outside) yield step;
  }
}

interface NameQuery {
  readonly prefix: string;
  readonly after: string;
  readonly folders: boolean;
  readonly limit: number;
}

async function* walkNames(room: Walking, query: NameQuery): AsyncGenerator<Step, void, void> {
  for (let after: string | undefined = query.after; after !== undefined;) after = yield* walkPages(room, { ...query, after });
}

/** Answers where to go on, or undefined at the end. */
async function* walkPages(room: Walking, query: NameQuery): AsyncGenerator<Step, string | undefined, void> {
  for await (const item of items(room, query)) {
    if (typeof item === 'string') {
      yield* stepsOfFolder(room, query, item);
      continue;
    }
    const read = readName(item.name);
    if (read && 'folder' in read) {
      yield* longKeys(room, read.folder);
      return afterFolder(read.folder);
    }
    if (read && !isGoneSize(item.size)) yield { key: read.key, name: item.name, etag: item.etag };
  }
  return undefined;
}

async function* stepsOfFolder(room: Walking, query: NameQuery, folder: string): AsyncGenerator<Step, void, void> {
  const read = readFolder(folder);
  if (read === 'long') yield* longKeys(room, folder);
  else if (read === 'cut') yield* walkNames(room, { ...query, prefix: folder, after: '' });
  else if (read) yield read;
}

/** Long names are in no order: the whole folder is read, and sorted by the keys in its bodies. */
async function* longKeys(room: Walking, folder: string): AsyncGenerator<Listed, void, void> {
  const listed: ListedObject[] = [];
  for await (const item of items(room, { prefix: folder, after: '', folders: false, limit: MOST })) {
    if (typeof item !== 'string' && !isGoneSize(item.size)) listed.push(item);
  }
  const read = await Promise.all(
    pooled(listed, READERS, async ({ name, etag }) => ({ name, standing: await room.records.readListed(name, etag) })),
  );
  const live = read.filter((item): item is { name: string; standing: Standing } => isLive(item.standing));
  live.sort((a, b) => compareKeys(a.standing.body.key, b.standing.body.key));
  for (const { name, standing } of live) yield { key: standing.body.key, name, etag: standing.etag };
}

/** Objects and folders (as text) in one order, page by page, under names of records. */
async function* items(room: Walking, { prefix, after, folders, limit }: NameQuery): AsyncGenerator<ListedObject | string, void, void> {
  let token: string | undefined;
  do {
    const page = await room.list({
      prefix: RECORDS + prefix,
      limit,
      ...(folders && { delimiter: '/' as const }),
      ...(token !== undefined && { token }),
      ...(after > prefix && { after: RECORDS + after }),
    });
    yield* inOrder(page);
    token = page.token;
  } while (token !== undefined);
}

function inOrder(page: ListPage): (ListedObject | string)[] {
  const objects = page.objects.map((object) => ({ ...object, name: object.name.slice(RECORDS.length) }));
  if (page.folders.length === 0) return objects;
  const all: (ListedObject | string)[] = [...objects, ...page.folders.map((folder) => folder.slice(RECORDS.length))];
  return all.sort((a, b) => (nameIn(a) < nameIn(b) ? -1 : 1));
}

function nameIn(item: ListedObject | string): string {
  return typeof item === 'string' ? item : item.name;
}
