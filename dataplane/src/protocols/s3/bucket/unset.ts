/**
 * Settings that S3 has and Bonded has not: reading one says honestly that it is not set, in the words that S3 has for it, since
 * tools read them all. Setting one is `NotImplemented`, which `recognise` sees to.
 */
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { S3Code } from '../errorCodes.ts';
import { s3Error } from '../errors.ts';
import { bucketRow } from '../operation.ts';
import type { BucketParams, Row } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import type { XmlFields } from '../xml.ts';

/** One such setting: what S3 says where it is not set, either an error or a document. */
interface Unset {
  readonly name: `s3.${string}`;
  readonly subresource: string;
  readonly s3Action: string;
  readonly says: readonly [code: S3Code, message: string] | { readonly root: string; readonly content: XmlFields };
}

const SETTINGS: readonly Unset[] = [
  {
    name: 's3.GetBucketEncryption',
    subresource: 'encryption',
    s3Action: 's3:GetEncryptionConfiguration',
    says: ['ServerSideEncryptionConfigurationNotFoundError', 'The server side encryption configuration was not found'],
  },
  {
    name: 's3.GetBucketLifecycleConfiguration',
    subresource: 'lifecycle',
    s3Action: 's3:GetLifecycleConfiguration',
    says: ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  },
  {
    name: 's3.GetBucketReplication',
    subresource: 'replication',
    s3Action: 's3:GetReplicationConfiguration',
    says: ['ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  },
  {
    name: 's3.GetBucketWebsite',
    subresource: 'website',
    s3Action: 's3:GetBucketWebsite',
    says: ['NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'],
  },
  {
    name: 's3.GetObjectLockConfiguration',
    subresource: 'object-lock',
    s3Action: 's3:GetBucketObjectLockConfiguration',
    says: ['ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'],
  },
  {
    name: 's3.GetPublicAccessBlock',
    subresource: 'publicAccessBlock',
    s3Action: 's3:GetBucketPublicAccessBlock',
    says: ['NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found'],
  },
  {
    name: 's3.GetBucketAccelerateConfiguration',
    subresource: 'accelerate',
    s3Action: 's3:GetAccelerateConfiguration',
    says: { root: 'AccelerateConfiguration', content: {} },
  },
  {
    name: 's3.GetBucketLogging',
    subresource: 'logging',
    s3Action: 's3:GetBucketLogging',
    says: { root: 'BucketLoggingStatus', content: {} },
  },
  {
    name: 's3.GetBucketNotificationConfiguration',
    subresource: 'notification',
    s3Action: 's3:GetBucketNotification',
    says: { root: 'NotificationConfiguration', content: {} },
  },
  {
    name: 's3.GetBucketRequestPayment',
    subresource: 'requestPayment',
    s3Action: 's3:GetBucketRequestPayment',
    says: { root: 'RequestPaymentConfiguration', content: { Payer: 'BucketOwner' } },
  },
];

/** One row for each. */
export const unsetRows: readonly Row[] = SETTINGS.map(({ name, subresource, s3Action, says }) =>
  bucketRow({ name, method: 'GET', subresource, action: 'list', s3Action, handle: (call) => sayUnset(call, says) }),
);

async function sayUnset(call: Call<BucketParams>, says: Unset['says']): Promise<Reply> {
  const bucket = bucketOf(call);
  if ('root' in says) return xmlReply(says.root, says.content);
  throw s3Error('SettingUnset', says[0], says[1], { bucket: bucket.name });
}
