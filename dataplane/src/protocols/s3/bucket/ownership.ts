/** Object ownership: "bucket owner enforced" is the only setting there is, so that no object can have an ACL of its own. */
import type { Call, Reply } from '../../contract.ts';
import { readXml } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument, notImplemented } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply, noContent, xmlReply } from '../replies.ts';
import { allowOnly } from '../xml.ts';

const ENFORCED = 'BucketOwnerEnforced';
const MAX_OWNERSHIP_BYTES = 16 * 1024;

/** Throws `NotImplemented` for S3's two other settings, `InvalidArgument` for what is none. */
export function refuseOwnershipOtherThanEnforced(ownership: string): void {
  if (ownership === ENFORCED) return;
  if (['BucketOwnerPreferred', 'ObjectWriter'].includes(ownership)) throw notImplemented(`ObjectOwnership ${ownership}`);
  throw invalidArgument('x-amz-object-ownership', ownership.slice(0, 128), `Invalid ObjectOwnership: the only setting here is ${ENFORCED}`);
}

export async function getOwnership(call: Call<BucketParams>): Promise<Reply> {
  bucketOf(call);
  return xmlReply('OwnershipControls', { Rule: { ObjectOwnership: ENFORCED } });
}

/** Accepts what is so already. */
export async function putOwnership(call: Call<BucketParams>): Promise<Reply> {
  bucketOf(call);
  const document = await readXml(call, ['OwnershipControls'], MAX_OWNERSHIP_BYTES);
  allowOnly(document, ['Rule']);
  refuseOwnershipOtherThanEnforced(document.required('Rule').required('ObjectOwnership').text);
  return emptyReply();
}

/** Goes back to the default, which is the same. */
export async function deleteOwnership(call: Call<BucketParams>): Promise<Reply> {
  bucketOf(call);
  return noContent();
}
