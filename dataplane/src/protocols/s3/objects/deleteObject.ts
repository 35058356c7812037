/** DeleteObject. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { ObjectParams } from '../operation.ts';
import { noContent } from '../replies.ts';
import { readDeleteConditions } from './conditions.ts';
import { asksForContent } from './deleteObjects.ts';
import { requestFields } from './headerText.ts';
import { conceal, resourceOf, versionIdOf } from './versions.ts';

/** Deletes a name, or one version for good. Deleting nothing succeeds, as in S3, unless a condition asks for something. */
export async function deleteObject(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const versionId = versionIdOf(call.head);
  const conditions = readDeleteConditions(requestFields(call.head));
  if (asksForContent(conditions)) call.authorise({ action: 'read', s3Action: 's3:GetObject', resource: resourceOf(subject) });
  const deleted = await conceal(call, subject, () => core.objects.delete(subject.bucket, subject.key, versionId, conditions, call.actor));
  return noContent({
    ...(deleted.versionId === undefined || subject.bucket.versioning === 'Disabled' ? {} : { 'x-amz-version-id': deleted.versionId }),
    ...(deleted.deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
  });
}
