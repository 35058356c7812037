/**
 * ACLs under "bucket owner enforced", the only ownership there is: the owner has full control, nobody else has anything,
 * and whatever asks for something else is refused as S3 refuses it there.
 */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError } from '../../errors.ts';
import type { Call, RequestHead } from '../contract.ts';
import { readOptionalXml } from './body.ts';
import { invalidArgument, s3Error } from './errors.ts';
import { amzHeader, amzHeaders } from './head.ts';
import { ownerFields, ownerOf } from './owner.ts';
import type { XmlElement, XmlFields } from './xml.ts';

const MAX_ACL_BYTES = 256 * 1024;
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

/** What asks for nothing that ownership does not give already. */
const OWNER_ONLY: readonly string[] = ['private', 'bucket-owner-full-control'];
const CANNED: readonly string[] = [
  ...OWNER_ONLY,
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'log-delivery-write',
];

/** What S3 says to an ACL in a bucket that enforces ownership. */
function aclUnsupported(): ArtefactError {
  return new ArtefactError('AclUnsupported', 'The bucket does not allow ACLs');
}

/** True when the head names an ACL that gives somebody else than the owner something. Throws `InvalidArgument` for an unknown canned ACL. */
export function grantsOthers(head: RequestHead): boolean {
  const canned = cannedAcl(head);
  if (canned !== undefined) return !OWNER_ONLY.includes(canned);
  return amzHeaders(head, 'x-amz-grant-').size > 0;
}

/** For writes that may carry an ACL (PutObject, CopyObject, CreateMultipartUpload): throws `AclUnsupported` unless it is the owner's own. */
export function refuseGrants(head: RequestHead): void {
  if (grantsOthers(head)) throw aclUnsupported();
}

/** Content of `<AccessControlPolicy>` for a bucket and everything in it. */
export function aclFields(bucket: BucketConfig): XmlFields {
  const owner = ownerFields(bucket.namespace);
  const grantee = { '@xmlns:xsi': XSI, '@xsi:type': 'CanonicalUser', ...owner };
  return { Owner: owner, AccessControlList: { Grant: [{ Grantee: grantee, Permission: 'FULL_CONTROL' }] } };
}

/**
 * For PutBucketAcl and PutObjectAcl: accepts what says what is so already, by canned ACL, by grant headers or by a document, and
 * throws `AclUnsupported` for anything else.
 */
export async function acceptOwnerAcl(call: Pick<Call<unknown>, 'head' | 'payload'>, bucket: BucketConfig): Promise<void> {
  const canned = cannedAcl(call.head);
  const grants = amzHeaders(call.head, 'x-amz-grant-');
  const document = await readOptionalXml(call, ['AccessControlPolicy'], MAX_ACL_BYTES);
  const ways = [canned !== undefined, grants.size > 0, document !== undefined].filter(Boolean).length;
  if (ways === 0) throw s3Error('InvalidRequest', 'MissingSecurityHeader', 'Your request was missing a required header: x-amz-acl');
  if (ways > 1)
    throw s3Error('InvalidRequest', 'UnexpectedContent', 'This request does not support content: give the ACL in one way only.');
  if (canned !== undefined && !OWNER_ONLY.includes(canned)) throw aclUnsupported();
  if (grants.size > 0 && !headersGrantOwner(grants, bucket)) throw aclUnsupported();
  if (document && !documentGrantsOwner(document, bucket)) throw aclUnsupported();
}

function cannedAcl(head: RequestHead): string | undefined {
  const canned = amzHeader(head, 'x-amz-acl');
  if (canned === undefined) return undefined;
  if (!CANNED.includes(canned)) throw invalidArgument('x-amz-acl', canned, 'This canned ACL is not known.');
  if (amzHeaders(head, 'x-amz-grant-').size > 0) {
    throw new ArtefactError('InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed');
  }
  return canned;
}

function headersGrantOwner(grants: ReadonlyMap<string, string>, bucket: BucketConfig): boolean {
  const [[name, value] = ['', '']] = grants;
  return (
    grants.size === 1 && name === 'x-amz-grant-full-control' && value.replaceAll('"', '').trim() === `id=${ownerOf(bucket.namespace).id}`
  );
}

function documentGrantsOwner(document: XmlElement, bucket: BucketConfig): boolean {
  const { id } = ownerOf(bucket.namespace);
  if ((document.child('Owner')?.required('ID').text ?? id) !== id) return false;
  const grants = document.required('AccessControlList').all('Grant');
  return grants.length > 0 && grants.every((grant) => grantsOwner(grant, id));
}

function grantsOwner(grant: XmlElement, id: string): boolean {
  return grant.required('Permission').text === 'FULL_CONTROL' && grant.required('Grantee').child('ID')?.text === id;
}
