/** Bucket tagging: labels for people and bills. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { readXml } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { s3Error } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { noContent, xmlReply } from '../replies.ts';
import { MAX_TAGGING_BYTES, parseTagging, taggingFields } from '../tagging.ts';

export async function getBucketTagging(call: Call<BucketParams>): Promise<Reply> {
  const { tags } = bucketOf(call);
  if (Object.keys(tags).length === 0) throw s3Error('SettingUnset', 'NoSuchTagSet', 'The TagSet does not exist');
  return xmlReply('Tagging', taggingFields(tags));
}

/** Replaces all of them. */
export async function putBucketTagging(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const tags = parseTagging(await readXml(call, ['Tagging'], MAX_TAGGING_BYTES), 'bucket');
  await core.configuration.updateBucket(bucket, { tags }, call.actor);
  return noContent();
}

export async function deleteBucketTagging(call: Call<BucketParams>, core: Core): Promise<Reply> {
  await core.configuration.updateBucket(bucketOf(call), { tags: {} }, call.actor);
  return noContent();
}
