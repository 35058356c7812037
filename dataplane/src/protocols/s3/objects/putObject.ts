/** PutObject. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { refuseGrants } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import type { ObjectParams } from '../operation.ts';
import { emptyReply } from '../replies.ts';
import { readAttributes } from './attributes.ts';
import { readWriteConditions } from './conditions.ts';
import { putFacts } from './facts.ts';
import { headOf, requestFields } from './headerText.ts';
import { readExpected } from './integrity.ts';
import { MAX_OBJECT, refuseTooLarge, storeObject } from './receiving.ts';
import { writtenHeaders } from './representation.ts';
import { authoriseTags } from './tags.ts';
import { resourceOf } from './versions.ts';
import { permitWrite } from '../../writing.ts';

/** Stores a whole object: all of it, checked, or nothing. */
export async function putObject(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  refusePartial(call.head);
  const fields = requestFields(call.head);
  refuseGrants(headOf(call.head, fields));
  const attributes = readAttributes(fields);
  authoriseTags(call, resourceOf(subject), attributes.tags);
  const expected = { ...readExpected(call.head, call.payload), maxSize: MAX_OBJECT };
  refuseTooLarge(expected.size, MAX_OBJECT);
  const permit = await permitWrite(call, core, { subject, conditions: readWriteConditions(fields), facts: putFacts(call.head) });
  const { version } = await storeObject(call, core, { permit, bytes: call.payload.bytes, expected, attributes });
  return emptyReply(writtenHeaders(subject.bucket, version));
}

/** RFC 9110 §14.5: a server that does not take partial PUTs must refuse them, or a part would become the whole. */
function refusePartial(head: RequestHead): void {
  const field = head.headers['content-range'];
  if (field === undefined) return;
  throw invalidArgument(
    'Content-Range',
    field.slice(0, 128),
    'A PUT of an object must carry all of it: send large objects in parts with a multipart upload.',
  );
}
