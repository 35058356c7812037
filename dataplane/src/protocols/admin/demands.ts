/** What the operations of the JSON API ask to be allowed: S3's action names where S3 has the operation too, so that policies hold for both. */
import type { Demand } from '../contract.ts';

/** Any principal but the anonymous one: for answers that are filtered, or that concern the caller alone. */
export const ANY_AUTHENTICATED: Demand = { action: 'list', s3Action: 's3:ListAllMyBuckets', resource: {} };

/** Only who owns the whole installation: an Owner binding of the system namespace without `resources`. */
export const INSTALLATION: Demand = { action: 'administer', s3Action: 'bonded:AdministerInstallation', resource: {} };

/** To see that a bucket is there, and its settings. */
export function listBucket(bucket: string): Demand {
  return { action: 'list', s3Action: 's3:ListBucket', resource: { bucket } };
}

/** To see names that begin with `prefix`. One name is judged as a listing would be that has it as its prefix. */
export function listNames(bucket: string, prefix: string): Demand {
  if (prefix === '') return listBucket(bucket);
  return { action: 'list', s3Action: 's3:ListBucket', resource: { bucket, name: prefix }, context: new Map([['s3:prefix', [prefix]]]) };
}

/** To see what a name carries: its metadata. */
export function readName(bucket: string, name: string): Demand {
  return { action: 'read', s3Action: 's3:GetObject', resource: { bucket, name } };
}

/** To change, or see what only administrators see, of a bucket. */
export function administer(bucket: string, s3Action: string): Demand {
  return { action: 'administer', s3Action, resource: { bucket } };
}
