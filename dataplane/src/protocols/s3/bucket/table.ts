/** The rows at `/` and `/{bucket}`. Reading a setting needs `list`, changing one `administer`. */
import type { Action } from '../../../authz/action.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from '../cors/settings.ts';
import { preflight } from '../cors/preflight.ts';
import { bucketRow, objectRow, serviceRow } from '../operation.ts';
import type { Row } from '../operation.ts';
import { getBucketAcl, putBucketAcl } from './access.ts';
import { createBucket } from './createBucket.ts';
import type { CreateBucketOptions } from './createBucket.ts';
import { deleteBucket } from './deleteBucket.ts';
import { getLocation, headBucket } from './headBucket.ts';
import { listBuckets } from './listBuckets.ts';
import type { ListBucketsOptions } from './listBuckets.ts';
import { deleteOwnership, getOwnership, putOwnership } from './ownership.ts';
import { deletePolicy, getPolicy, putPolicy } from './policy.ts';
import { getPolicyStatus } from './policyStatus.ts';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './tags.ts';
import { unsetRows } from './unset.ts';
import { getVersioning, putVersioning } from './versioning.ts';

const read: { readonly method: 'GET'; readonly action: Action } = { method: 'GET', action: 'list' };
const put: { readonly method: 'PUT'; readonly action: Action } = { method: 'PUT', action: 'administer' };
const remove: { readonly method: 'DELETE'; readonly action: Action } = { method: 'DELETE', action: 'administer' };

/** The region, and what authorisation knows beyond yes and no. */
export type BucketOptions = CreateBucketOptions & ListBucketsOptions;

/** Every operation on buckets but the listings of what is in them. */
export function bucketRows(options: BucketOptions): readonly Row[] {
  return [...lifeRows(options), ...versioningRows, ...policyRows, ...corsRows, ...tagRows, ...ownershipRows, ...unsetRows];
}

function lifeRows(options: BucketOptions): readonly Row[] {
  const { region } = options;
  return [
    // the answer itself is filtered to what the caller may list
    serviceRow({ name: 's3.ListBuckets', method: 'GET', demands: () => [], handle: (call, core) => listBuckets(call, core, options) }),

    bucketRow({ name: 's3.CreateBucket', ...put, s3Action: 's3:CreateBucket', handle: (call, core) => createBucket(call, core, options) }),
    bucketRow({
      name: 's3.HeadBucket',
      method: 'HEAD',
      action: 'list',
      s3Action: 's3:ListBucket',
      handle: (call) => headBucket(call, region),
    }),
    bucketRow({ name: 's3.DeleteBucket', ...remove, s3Action: 's3:DeleteBucket', handle: deleteBucket }),
    bucketRow({
      name: 's3.GetBucketLocation',
      subresource: 'location',
      ...read,
      s3Action: 's3:GetBucketLocation',
      handle: (call) => getLocation(call, region),
    }),
  ];
}

const versioningRows: readonly Row[] = [
  bucketRow({
    name: 's3.GetBucketVersioning',
    subresource: 'versioning',
    ...read,
    s3Action: 's3:GetBucketVersioning',
    handle: getVersioning,
  }),
  bucketRow({
    name: 's3.PutBucketVersioning',
    subresource: 'versioning',
    ...put,
    s3Action: 's3:PutBucketVersioning',
    handle: putVersioning,
  }),
];

const policyRows: readonly Row[] = [
  bucketRow({ name: 's3.GetBucketPolicy', subresource: 'policy', ...read, s3Action: 's3:GetBucketPolicy', handle: getPolicy }),
  bucketRow({ name: 's3.PutBucketPolicy', subresource: 'policy', ...put, s3Action: 's3:PutBucketPolicy', handle: putPolicy }),
  bucketRow({ name: 's3.DeleteBucketPolicy', subresource: 'policy', ...remove, s3Action: 's3:DeleteBucketPolicy', handle: deletePolicy }),
  bucketRow({
    name: 's3.GetBucketPolicyStatus',
    subresource: 'policyStatus',
    ...read,
    s3Action: 's3:GetBucketPolicyStatus',
    handle: getPolicyStatus,
  }),
];

const corsRows: readonly Row[] = [
  bucketRow({ name: 's3.GetBucketCors', subresource: 'cors', ...read, s3Action: 's3:GetBucketCORS', handle: getBucketCors }),
  bucketRow({ name: 's3.PutBucketCors', subresource: 'cors', ...put, s3Action: 's3:PutBucketCORS', handle: putBucketCors }),
  bucketRow({ name: 's3.DeleteBucketCors', subresource: 'cors', ...remove, s3Action: 's3:PutBucketCORS', handle: deleteBucketCors }),
  bucketRow({ name: 's3.Preflight', method: 'OPTIONS', authenticates: 'public', demands: () => [], handle: preflight }),
  objectRow({ name: 's3.Preflight', method: 'OPTIONS', authenticates: 'public', demands: () => [], handle: preflight }),
];

const tagRows: readonly Row[] = [
  bucketRow({ name: 's3.GetBucketTagging', subresource: 'tagging', ...read, s3Action: 's3:GetBucketTagging', handle: getBucketTagging }),
  bucketRow({ name: 's3.PutBucketTagging', subresource: 'tagging', ...put, s3Action: 's3:PutBucketTagging', handle: putBucketTagging }),
  bucketRow({
    name: 's3.DeleteBucketTagging',
    subresource: 'tagging',
    ...remove,
    s3Action: 's3:PutBucketTagging',
    handle: deleteBucketTagging,
  }),
];

const ownershipRows: readonly Row[] = [
  bucketRow({
    name: 's3.GetBucketOwnershipControls',
    subresource: 'ownershipControls',
    ...read,
    s3Action: 's3:GetBucketOwnershipControls',
    handle: getOwnership,
  }),
  bucketRow({
    name: 's3.PutBucketOwnershipControls',
    subresource: 'ownershipControls',
    ...put,
    s3Action: 's3:PutBucketOwnershipControls',
    handle: putOwnership,
  }),
  bucketRow({
    name: 's3.DeleteBucketOwnershipControls',
    subresource: 'ownershipControls',
    ...remove,
    s3Action: 's3:PutBucketOwnershipControls',
    handle: deleteOwnership,
  }),
  bucketRow({ name: 's3.GetBucketAcl', subresource: 'acl', ...read, s3Action: 's3:GetBucketAcl', handle: getBucketAcl }),
  bucketRow({ name: 's3.PutBucketAcl', subresource: 'acl', ...put, s3Action: 's3:PutBucketAcl', handle: putBucketAcl }),
];
