/** Bytes that the store has already: a client that states their digest need not send them, if it may read them anyway. */
import { findBucket } from '../buckets.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { Actor, PutResult } from '../core.ts';
import { sha256Digest } from '../digest.ts';
import type { Adoption } from '../digests.ts';
import { findDigest, takeBack } from '../digests.ts';
import { keys } from '../keys.ts';
import type { Conditions, Content, ObjectAttributes } from '../object.ts';
import { nameContent } from '../put.ts';
import { bucketIdOf, realmOf } from '../realm.ts';
import { asReference } from '../refs.ts';
import { findHead, notFound } from '../versions.ts';
import { contentOf } from './content.ts';
import type { MayRead } from './contract.ts';

/** Names that are looked at; a caller who may read only others sends the bytes. */
const LOOKS = 100;

export interface KnownBytes {
  readonly key: string;
  readonly sha256: string;
  /** Bytes, where the client has said how many. */
  readonly length?: number;
  readonly attributes: ObjectAttributes;
  readonly conditions: Conditions;
  readonly actor: Actor;
}

/** What `Ranges.known` promises. */
export async function nameKnown(
  context: CoreContext,
  bucket: OpenBucket,
  wanted: KnownBytes,
  mayRead: MayRead,
): Promise<PutResult | undefined> {
  const found = await findDigest(bucket.store, sha256Digest(wanted.sha256));
  if (found === undefined || (wanted.length !== undefined && found.record.size !== wanted.length)) return undefined;
  const content = contentOf(wanted.sha256, found.record.size);
  if (!(await isReadable(bucket, content, mayRead))) return undefined;
  const { key, attributes, conditions, actor } = wanted;
  let gone = false;
  const adopt = async (): Promise<Adoption> => {
    const adoption = await adoptKnown(bucket, content);
    gone = adoption === undefined;
    return adoption ?? Promise.reject(notFound(key));
  };
  return nameContent(context, { bucket, key, content, attributes, conditions, actor, adopt }).catch((error: unknown) => {
    if (gone) return undefined;
    throw error;
  });
}

/** Whether a name whose current version has these bytes is one that the caller may read. */
async function isReadable({ store }: OpenBucket, { digest }: Content, mayRead: MayRead): Promise<boolean> {
  const page = await store.records.scan({ prefix: keys.refs(digest), limit: LOOKS });
  for (const item of page) {
    if (!('value' in item)) continue;
    const reference = asReference(item, sha256Digest(digest.slice('sha256:'.length)));
    // A bucket that was made anew under an old name is another one.
    const holder = await findBucket(store, reference.bucket);
    if (holder?.record.id !== bucketIdOf(reference.bucketId) || holder.record.namespace === undefined) continue;
    const head = await findHead({ store, id: reference.bucketId }, reference.key);
    if (head?.version.id !== reference.id) continue;
    const { bucket, key } = reference;
    if (await mayRead({ bucket, namespace: holder.record.namespace, key, realm: realmOf(reference.bucketId) })) return true;
  }
  return false;
}

/** The name that holds the bytes may go at any moment, and the bytes with it. In quarantine they are as good as none: the client's own repair them. */
async function adoptKnown({ store }: OpenBucket, { digest }: Content): Promise<Adoption | undefined> {
  const found = await findDigest(store, digest);
  if (found === undefined || found.record.quarantined !== undefined) return undefined;
  return { known: true, changes: takeBack(digest, found), after: [] };
}
