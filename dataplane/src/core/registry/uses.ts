/** Which manifests of a repository name a blob of it: one record each, so that no two pushes meet in one. */
import type { Change } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import { unlessConflict } from '../conflict.ts';
import type { CoreContext } from '../context.ts';
import type { DigestName } from '../digest.ts';
import { keys } from '../keys.ts';
import { scanAll } from '../scan.ts';
import type { BucketPlace } from '../versions.ts';
import { findHead } from '../versions.ts';
import { manifestKey, placeName } from './names.ts';
import type { Place } from './names.ts';

/** Says that a manifest names these blobs: before the manifest comes to stand. */
export function writeUses(bucket: OpenBucket, manifest: Place, blobs: readonly DigestName[], now: number): readonly Change[] {
  const { repository } = manifest;
  return blobs.map((digest) => ({
    put: keys.use(bucket.id, placeName({ repository, digest }), manifest.digest),
    value: { at: now },
  }));
}

/** The opposite, once the manifest is gone. */
export function forgetUses(bucket: OpenBucket, manifest: Place, blobs: readonly DigestName[]): readonly Change[] {
  const { repository } = manifest;
  return blobs.map((digest) => ({ delete: keys.use(bucket.id, placeName({ repository, digest }), manifest.digest) }));
}

/**
 * Whether a manifest that stands names the blob; `perhaps` for one that may still come to stand. What a push that was cut off has left is removed once its
 * writer cannot be under way any more.
 */
export async function useOf(context: CoreContext, bucket: BucketPlace, blob: Place): Promise<'used' | 'perhaps' | 'unused'> {
  let young = false;
  const prefix = keys.uses(bucket.id, placeName(blob));
  for await (const entry of scanAll(bucket.store, prefix)) {
    const digest = entry.key.slice(prefix.length) as DigestName;
    if ((await findHead(bucket, manifestKey({ repository: blob.repository, digest }))) !== undefined) return 'used';
    const { at } = entry.value as { readonly at: number };
    if (context.now() - at < context.terms.grace) young = true;
    // Whoever changed it meanwhile is writing it anew.
    else await bucket.store.records.write([{ delete: entry.key, ifRevision: entry.revision }]).catch(unlessConflict);
  }
  return young ? 'perhaps' : 'unused';
}
