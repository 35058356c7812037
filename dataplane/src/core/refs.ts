/** References: which versions name a digest. */
import type { Entry, Store } from '../storage/contract.ts';
import type { Digest } from './digest.ts';
import { keys, splitNamed } from './keys.ts';
import type { Version } from './object.ts';
import { findVersionById } from './versions.ts';

/** What a reference says. */
export interface Reference {
  readonly bucketId: string;
  /** The bucket's name when the reference was made. */
  readonly bucket: string;
  readonly key: string;
  /** Id of the version. */
  readonly id: string;
}

/** Reads a record under `keys.refs(digest)`. */
export function asReference(entry: Entry, digest: Digest): Reference {
  const rest = entry.key.slice(keys.refs(digest).length);
  const slash = rest.indexOf('/');
  const { bucket } = entry.value as { readonly bucket: string };
  return { bucketId: rest.slice(0, slash), bucket, ...splitNamed(rest, rest.slice(0, slash + 1)) };
}

/** The version that a reference speaks of; undefined when it never came to stand, or went without its reference. */
export async function referent(store: Store, { bucketId, key, id }: Reference): Promise<Version | undefined> {
  return findVersionById({ store, id: bucketId }, key, id);
}
