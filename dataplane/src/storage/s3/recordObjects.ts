/** Reads the objects of records, through the cache: one conditional request, or none for what never changes. */
import { decodeBody, type Body } from './body.ts';
import type { Cache, Cached } from './cache.ts';
import { failureOf, translate, unavailable } from './failure.ts';
import { nameOf } from './names.ts';
import type { Etag, Objects } from './objects.ts';
import { repeated, type Patience } from './patience.ts';

/** Where records stand, under the place's prefix. */
export const RECORDS = 'records/';

/** A body as it stands there. */
export interface Standing {
  readonly body: Body;
  readonly etag: Etag;
}

export interface RecordObjectsOptions extends Patience {
  readonly objects: Objects;
  readonly cache: Cache;
  /** Prefixes of keys whose records are never changed, only made and deleted. */
  readonly immutable: readonly string[];
}

export interface RecordObjects {
  /** What stands at a key now, tombstones too. */
  read(key: string): Promise<Standing | undefined>;
  /** Its value where that never changes and is known here, else as `read`. */
  readKnown(key: string): Promise<Standing | undefined>;
  /** What a listing showed under this name with this ETag, or what has come there since. */
  readListed(name: string, etag: Etag): Promise<Standing | undefined>;
  /** What was last seen or written here by this machine: it may be old. */
  lastSeen(key: string): Standing | undefined;
  /** Notes what now stands there. */
  note(body: Body, etag: Etag, text: Uint8Array): void;
}

/** Record objects over the objects of a place. */
export function openRecordObjects(options: RecordObjectsOptions): RecordObjects {
  const { objects, cache, immutable, location } = options;

  async function readObject(name: string): Promise<Standing | undefined> {
    const cached = seen(cache.find(name));
    try {
      const found = await repeated(options, () => objects.get(RECORDS + name, cached?.etag));
      const body = decodeBody(found.text);
      if (!body || nameOf(body.key) !== name) throw damaged(location, name);
      cache.keep(name, found);
      return { body, etag: found.etag };
    } catch (thrown) {
      const { kind } = failureOf(thrown);
      if (kind === 'unchanged' && cached) return cached;
      if (kind !== 'missing') throw translate(thrown, location);
      cache.forget(name);
      return undefined;
    }
  }

  return {
    read: (key) => readObject(nameOf(key)),
    async readKnown(key) {
      const known = immutable.some((prefix) => key.startsWith(prefix)) ? seen(cache.find(nameOf(key))) : undefined;
      return known && !('gone' in known.body) ? known : readObject(nameOf(key));
    },
    async readListed(name, etag) {
      const known = seen(cache.find(name));
      return known?.etag === etag ? known : readObject(name);
    },
    lastSeen: (key) => seen(cache.find(nameOf(key))),
    note: (body, etag, text) => cache.keep(nameOf(body.key), { etag, text: Buffer.from(text).toString() }),
  };
}

function seen(cached: Cached | undefined): Standing | undefined {
  const body = cached && decodeBody(cached.text);
  return body && { body, etag: cached.etag };
}

function damaged(location: string, name: string): Error {
  return unavailable(
    location,
    `the object ${RECORDS}${name} is no record of Bonded; restore it from a backup, and let nothing else write there`,
  );
}
