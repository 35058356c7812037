/** Tags of objects: with a write, and on their own (`?tagging`). */
import type { Resource } from '../../../authz/action.ts';
import type { Core } from '../../../core/core.ts';
import type { ObjectVersion } from '../../../core/object.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { readXml } from '../body.ts';
import type { ObjectParams } from '../operation.ts';
import { emptyReply, noContent, xmlReply } from '../replies.ts';
import { MAX_TAGGING_BYTES, parseTagging, taggingFields } from '../tagging.ts';
import type { Tags } from '../tagging.ts';
import { tagFacts } from './facts.ts';
import { versionHeaders } from './representation.ts';
import { byVersion, conceal, findObject, versionIdOf } from './versions.ts';
import type { Subject } from './versions.ts';

/** Tags that come with an object need their own permission, as in S3; creating includes it for the roles of AccessBindings. */
export function authoriseTags(call: Call<unknown>, resource: Resource, tags: Tags): void {
  if (Object.keys(tags).length === 0) return;
  call.authorise({ action: 'create', s3Action: 's3:PutObjectTagging', resource, context: tagFacts(call.head, Object.entries(tags)) });
}

/** GetObjectTagging. */
export async function getTagging(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = subjectOf(call);
  const version = await findObject(call, core, subject, versionIdOf(call.head));
  return xmlReply('Tagging', taggingFields(version.tags), versionHeaders(subject.bucket, version.versionId));
}

/** PutObjectTagging: replaces all tags. Policies may judge by the tags, which are in the body: so it is authorised here. */
export async function putTagging(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const tags = parseTagging(await readXml(call, ['Tagging'], MAX_TAGGING_BYTES), 'object');
  const s3Action = byVersion('s3:PutObjectTagging', 's3:PutObjectVersionTagging')(call.head);
  const resource = { bucket: call.params.bucket, name: call.params.key };
  call.authorise({ action: 'overwrite', s3Action, resource, context: tagFacts(call.head, Object.entries(tags)) });
  const subject = subjectOf(call);
  const version = await setTags(call, core, subject, tags);
  return emptyReply(versionHeaders(subject.bucket, version.versionId));
}

/** DeleteObjectTagging. */
export async function deleteTagging(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = subjectOf(call);
  const version = await setTags(call, core, subject, {});
  return noContent(versionHeaders(subject.bucket, version.versionId));
}

/** Looks before it sets, so that a delete marker is told as S3 tells it. */
async function setTags(call: Call<ObjectParams>, core: Core, subject: Subject, tags: Tags): Promise<ObjectVersion> {
  const versionId = versionIdOf(call.head);
  await findObject(call, core, subject, versionId);
  return conceal(call, subject, () => core.objects.setTags(subject.bucket, subject.key, versionId, tags, call.actor));
}

function subjectOf(call: Call<ObjectParams>): Subject {
  return { bucket: bucketOf(call), key: call.params.key };
}
