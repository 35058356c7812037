/** From the name in a request to the bucket in force. */
import type { BucketConfig, Snapshot } from '@bonded/crds';
import { ArtefactError } from '../../errors.ts';
import { bucketIn } from '../buckets.ts';
import type { RequestHead } from '../contract.ts';
import { ownerOf } from './owner.ts';

export { bucketNamed } from '../buckets.ts';

/**
 * The bucket that an authorised call is about. Never asked before authorisation: it would tell what exists. Throws
 * `BucketUnknown`, and `AccessDenied` when `x-amz-expected-bucket-owner` names another owner.
 */
export function bucketOf(call: {
  readonly head: RequestHead;
  readonly params: { readonly bucket: string };
  readonly snapshot: Snapshot;
}): BucketConfig {
  const bucket = bucketIn(call.snapshot, call.params.bucket);
  refuseOtherOwner(bucket, call.head.headers['x-amz-expected-bucket-owner']);
  return bucket;
}

/** "If the account ID that you provide does not match the actual owner of the bucket, the request fails with 403." */
export function refuseOtherOwner(bucket: BucketConfig, expected: string | undefined): void {
  if (expected === undefined || expected === bucket.namespace || expected === ownerOf(bucket.namespace).id) return;
  throw new ArtefactError('AccessDenied', 'Access Denied: the bucket has another owner than the one that the request expects.');
}
