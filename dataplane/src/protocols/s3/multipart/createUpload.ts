/** CreateMultipartUpload. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { refuseGrants } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import { notImplemented } from '../errors.ts';
import { readAttributes } from '../objects/attributes.ts';
import { readChecksumChoice } from '../objects/checksumChoice.ts';
import { putFacts } from '../objects/facts.ts';
import { headOf, requestFields } from '../objects/headerText.ts';
import type { Fields } from '../objects/headerText.ts';
import { authoriseTags } from '../objects/tags.ts';
import { resourceOf } from '../objects/versions.ts';
import { permitWrite } from '../../writing.ts';
import type { ObjectParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';

/** Opens an upload. One whose completion could only be refused is refused now, before its parts are sent. */
export async function createUpload(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const fields = requestFields(call.head);
  refuseConditions(fields);
  refuseGrants(headOf(call.head, fields));
  const checksum = readChecksumChoice(fields);
  const attributes = readAttributes(fields);
  authoriseTags(call, resourceOf(subject), attributes.tags);
  await permitWrite(call, core, { subject, conditions: {}, facts: putFacts(call.head) });
  const session = await core.uploads.begin(subject.bucket, subject.key, attributes, checksum, call.actor);
  const named = fields['x-amz-checksum-algorithm'] !== undefined;
  return xmlReply(
    'InitiateMultipartUploadResult',
    { Bucket: subject.bucket.name, Key: subject.key, UploadId: session.uploadId },
    named ? { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type } : {},
  );
}

/** Conditions belong to the completion, which is what changes the name. */
function refuseConditions(fields: Fields): void {
  for (const name of ['if-match', 'if-none-match']) {
    if (fields[name] !== undefined) throw notImplemented(`${name} before CompleteMultipartUpload`);
  }
}
