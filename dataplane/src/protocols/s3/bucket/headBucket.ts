/** HeadBucket and GetBucketLocation: is it there, and where. */
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply, xmlReply } from '../replies.ts';

export async function headBucket(call: Call<BucketParams>, region: string): Promise<Reply> {
  const { name } = bucketOf(call);
  return emptyReply({
    'content-type': 'application/xml',
    'x-amz-bucket-region': region,
    'x-amz-access-point-alias': 'false',
    'x-amz-bucket-arn': `arn:aws:s3:::${name}`,
  });
}

/** "Buckets in Region us-east-1 have a LocationConstraint of null." */
export async function getLocation(call: Call<BucketParams>, region: string): Promise<Reply> {
  bucketOf(call);
  return xmlReply('LocationConstraint', region === 'us-east-1' ? undefined : region);
}
