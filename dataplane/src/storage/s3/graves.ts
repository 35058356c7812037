/**
 * Which records are tombstones. A grave is dug before its tombstone is written and filled after that is removed, so that listings
 * know where to look twice, and the sweep finds tombstones without reading all records.
 */
import { nameOf } from './names.ts';
import type { ListPage, ListQuery, Objects } from './objects.ts';
import { repeated, type Patience } from './patience.ts';

/** Where graves stand, under the place's prefix: under the name of the record, followed by the nonce of the tombstone. */
export const GRAVES = 'graves/';

/** Characters of a nonce. */
const NONCE = 16;

/** A grave as a listing shows it. */
export interface Grave {
  /** Of the record's object, without its prefix. */
  readonly record: string;
  readonly nonce: string;
  /** Ms since the epoch, by the server's clock. */
  readonly dug: number;
}

export interface Graves {
  dig(key: string, nonce: string): Promise<void>;
  /** No tombstone of this nonce was written, or it is gone for ever. */
  fill(grave: Pick<Grave, 'record' | 'nonce'>): Promise<void>;
  /** A page of them, in the order of names. `prefix` and `after` are texts before names of records. */
  list(
    query: ListQuery,
  ): Promise<{ readonly graves: readonly Grave[]; readonly folders: ListPage['folders']; readonly token: string | undefined }>;
}

/** Graves among the objects of a place. */
export function openGraves(options: Patience & { readonly objects: Objects }): Graves {
  const { objects } = options;
  return {
    dig: async (key, nonce) => void (await repeated(options, () => objects.put(GRAVES + nameOf(key) + nonce, new Uint8Array()))),
    fill: ({ record, nonce }) => repeated(options, () => objects.delete(GRAVES + record + nonce)),
    async list({ prefix, after, ...query }) {
      const page = await repeated(options, () =>
        objects.list({ ...query, prefix: GRAVES + prefix, ...(after !== undefined && { after: GRAVES + after }) }),
      );
      return {
        graves: page.objects.map(({ name, modified }) => ({
          record: name.slice(GRAVES.length, -NONCE),
          nonce: name.slice(-NONCE),
          dug: modified,
        })),
        folders: page.folders.map((folder) => folder.slice(GRAVES.length)),
        token: page.token,
      };
    },
  };
}
