/** CreateBucket: a custom resource of the caller's tenant, with what the request asks for or not at all. */
import type { BucketSettings, Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { grantsOthers } from '../acl.ts';
import { readOptionalXml } from '../body.ts';
import { bucketNamed } from '../bucketOf.ts';
import { invalidArgument, notImplemented, s3Error } from '../errors.ts';
import { amzHeader } from '../head.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply } from '../replies.ts';
import { checkTags } from '../tagging.ts';
import { allowOnly } from '../xml.ts';
import type { XmlElement } from '../xml.ts';
import { refuseOwnershipOtherThanEnforced } from './ownership.ts';

const MAX_CONFIGURATION_BYTES = 64 * 1024;

export interface CreateBucketOptions {
  readonly region: string;
  /** The namespace of the binding that lets the call's principal create the bucket; throws `AccessDenied` when there is none. */
  readonly namespaceFor: (call: Pick<Call<unknown>, 'head' | 'principal' | 'snapshot'>, bucket: string) => string;
}

/** Throws `BucketOwned` for one's own, `BucketTaken` for another's, and refuses what Bonded has not. */
export async function createBucket(call: Call<BucketParams>, core: Core, options: CreateBucketOptions): Promise<Reply> {
  const name = call.params.bucket;
  const namespace = options.namespaceFor(call, name);
  refuseUnbuilt(call.head);
  const settings = readSettings(await readOptionalXml(call, ['CreateBucketConfiguration'], MAX_CONFIGURATION_BYTES), options.region);
  refuseExisting(call, namespace);
  await core.configuration.createBucket(name, namespace, call.actor, settings);
  return emptyReply({ location: `/${name}`, 'x-amz-bucket-arn': `arn:aws:s3:::${name}` });
}

function refuseUnbuilt(head: RequestHead): void {
  if (amzHeader(head, 'x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true')
    throw notImplemented('x-amz-bucket-object-lock-enabled');
  if ((amzHeader(head, 'x-amz-bucket-namespace') ?? 'global') !== 'global') throw notImplemented('x-amz-bucket-namespace');
  const ownership = amzHeader(head, 'x-amz-object-ownership');
  if (ownership !== undefined) refuseOwnershipOtherThanEnforced(ownership);
  if (grantsOthers(head)) {
    const message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    throw s3Error('AclUnsupported', 'InvalidBucketAclWithObjectOwnership', message);
  }
}

function readSettings(document: XmlElement | undefined, region: string): BucketSettings {
  if (!document) return {};
  allowOnly(document, ['LocationConstraint', 'Location', 'Bucket', 'Tags']);
  if (document.child('Location') ?? document.child('Bucket')) throw notImplemented('directory buckets');
  checkLocation(document.child('LocationConstraint')?.text ?? '', region);
  const tags = document.child('Tags');
  if (!tags) return {};
  const pairs = tags.all('Tag').map((tag) => [tag.required('Key').text, tag.required('Value').text] as const);
  return { tags: checkTags(pairs, 'bucket') };
}

/** There is one region here: a bucket that is wanted in another would not be where its owner believes. */
function checkLocation(wanted: string, region: string): void {
  if (wanted === '' || wanted === region || (wanted === 'EU' && region === 'eu-west-1')) return;
  if (!/^[a-zA-Z0-9-]{1,64}$/.test(wanted)) {
    throw invalidArgument('LocationConstraint', wanted.slice(0, 128), 'The specified location-constraint is not valid');
  }
  throw s3Error(
    'InvalidLocation',
    'IllegalLocationConstraintException',
    `The ${wanted} location constraint is incompatible for the region specific endpoint this request was sent to: this is ${region}.`,
    { locationConstraint: wanted },
  );
}

/** Names are shared by all tenants, as in S3, so that a taken one cannot be kept secret from who may make buckets. */
function refuseExisting(call: Call<BucketParams>, namespace: string): void {
  const { bucket } = call.params;
  const existing = bucketNamed(call.snapshot, bucket);
  if (!existing) return;
  if (existing.namespace === namespace || call.may({ action: 'administer', s3Action: 's3:DeleteBucket', resource: { bucket } })) {
    throw new ArtefactError('BucketOwned', 'Your previous request to create the named bucket succeeded and you already own it.', {
      details: { bucket },
    });
  }
  throw new ArtefactError(
    'BucketTaken',
    'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
    { details: { bucket } },
  );
}
