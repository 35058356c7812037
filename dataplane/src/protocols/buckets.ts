/** From the name in a request to the bucket in force. */
import type { BucketConfig, Snapshot } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';

/** The bucket of that name in force, or undefined. */
export function bucketNamed(snapshot: Snapshot, name: string): BucketConfig | undefined {
  const { bucketsByName } = snapshot as Snapshot & { readonly bucketsByName?: ReadonlyMap<string, BucketConfig> };
  return bucketsByName ? bucketsByName.get(name) : snapshot.buckets.find((bucket) => bucket.name === name);
}

/** The same, for a call that was authorised: asked before, it would tell what exists. Throws `BucketUnknown`. */
export function bucketIn(snapshot: Snapshot, name: string): BucketConfig {
  const bucket = bucketNamed(snapshot, name);
  if (bucket !== undefined) return bucket;
  throw bucketUnknown(name);
}

/** The refusal of a name that no bucket has. */
export function bucketUnknown(bucket: string): ArtefactError {
  return new ArtefactError('BucketUnknown', 'The specified bucket does not exist', { details: { bucket } });
}
