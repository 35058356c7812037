/** GetBucketCors, PutBucketCors, DeleteBucketCors. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { readXml } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { s3Error } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply, noContent, xmlReply } from '../replies.ts';
import { corsFields, MAX_CORS_BYTES, parseCors } from './document.ts';

export async function getBucketCors(call: Call<BucketParams>): Promise<Reply> {
  const { cors } = bucketOf(call);
  if (cors.length === 0) throw s3Error('SettingUnset', 'NoSuchCORSConfiguration', 'The CORS configuration does not exist');
  return xmlReply('CORSConfiguration', corsFields(cors));
}

export async function putBucketCors(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const cors = parseCors(await readXml(call, ['CORSConfiguration'], MAX_CORS_BYTES));
  await core.configuration.updateBucket(bucket, { cors }, call.actor);
  return emptyReply();
}

export async function deleteBucketCors(call: Call<BucketParams>, core: Core): Promise<Reply> {
  await core.configuration.updateBucket(bucketOf(call), { cors: [] }, call.actor);
  return noContent();
}
