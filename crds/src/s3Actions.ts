/** The actions of S3 that a policy document may name, and what each is about. Names are kept in lower case: policies ignore case. */

const OBJECT_ACTIONS = `
  AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion DeleteObjectVersionTagging
  GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent
  GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging
  GetObjectVersionTorrent InitiateReplication ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl
  PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete
  ReplicateObject ReplicateTags RestoreObject UpdateObjectEncryption`;

const BUCKET_ACTIONS = `
  CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration DeleteBucketPolicy
  DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS
  GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration
  GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment
  GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
  GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
  ListBucketMultipartUploads ListBucketVersions ListTagsForResource PutAccelerateConfiguration PutAnalyticsConfiguration
  PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
  PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging
  PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration
  PutLifecycleConfiguration PutMetricsConfiguration PutReplicationConfiguration TagResource UntagResource
  UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration`;

/** About an account, so that no policy of a bucket can speak of them. */
const ACCOUNT_ACTIONS = `
  CreateAccessPoint CreateJob DeleteAccessPoint DescribeJob GetAccessPoint GetAccountPublicAccessBlock ListAccessPoints
  ListAllMyBuckets ListJobs PutAccountPublicAccessBlock`;

/** What an action is about: the bucket's ARN, or that of a name in it. */
export type ActionScope = 'bucket' | 'object';

const SCOPES: ReadonlyMap<string, ActionScope> = new Map([
  ...names(OBJECT_ACTIONS).map((name) => [name, 'object'] as const),
  ...names(BUCKET_ACTIONS).map((name) => [name, 'bucket'] as const),
]);
const ACCOUNT: ReadonlySet<string> = new Set(names(ACCOUNT_ACTIONS));

/** Every action that a bucket's policy may name, in lower case, such as `s3:getobject`. */
export const POLICY_ACTIONS: readonly string[] = [...SCOPES.keys()];

/** What the action is about; undefined for one that is not known. Case does not matter. */
export function actionScope(action: string): ActionScope | undefined {
  return SCOPES.get(action.toLowerCase());
}

/** True for actions that S3 has, but not for a bucket's policy. Case does not matter. */
export function isAccountAction(action: string): boolean {
  return ACCOUNT.has(action.toLowerCase());
}

function names(list: string): readonly string[] {
  return list
    .trim()
    .split(/\s+/)
    .map((name) => `s3:${name.toLowerCase()}`);
}
