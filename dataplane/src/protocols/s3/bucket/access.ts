/** GetBucketAcl and PutBucketAcl. */
import type { Call, Reply } from '../../contract.ts';
import { acceptOwnerAcl, aclFields } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply, xmlReply } from '../replies.ts';

export async function getBucketAcl(call: Call<BucketParams>): Promise<Reply> {
  return xmlReply('AccessControlPolicy', aclFields(bucketOf(call)));
}

export async function putBucketAcl(call: Call<BucketParams>): Promise<Reply> {
  await acceptOwnerAcl(call, bucketOf(call));
  return emptyReply();
}
