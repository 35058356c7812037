/** GetObjectAcl and PutObjectAcl: everything in a bucket belongs to the bucket's owner alone. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { acceptOwnerAcl, aclFields } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import type { ObjectParams } from '../operation.ts';
import { emptyReply, xmlReply } from '../replies.ts';
import { versionHeaders } from './representation.ts';
import { findObject, versionIdOf } from './versions.ts';

/** The owner's full control, for any object that is there. */
export async function getAcl(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const version = await findObject(call, core, subject, versionIdOf(call.head));
  return xmlReply('AccessControlPolicy', aclFields(subject.bucket), versionHeaders(subject.bucket, version.versionId));
}

/** Accepts what is so already; refuses the rest with `AclUnsupported`. */
export async function putAcl(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const version = await findObject(call, core, subject, versionIdOf(call.head));
  await acceptOwnerAcl(call, subject.bucket);
  return emptyReply(versionHeaders(subject.bucket, version.versionId));
}
