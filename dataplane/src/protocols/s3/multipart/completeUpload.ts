/** CompleteMultipartUpload and AbortMultipartUpload: the two ends of an upload. */
import type { Core, PartClaim } from '../../../core/core.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { readXml } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { queryValue } from '../head.ts';
import { refuseUnbuilt } from '../objects/attributes.ts';
import { readChecksumType } from '../objects/checksumChoice.ts';
import { readWriteConditions } from '../objects/conditions.ts';
import { headOf, requestFields } from '../objects/headerText.ts';
import type { Fields } from '../objects/headerText.ts';
import { checksumElements, quoted, reprDigest, versionHeaders } from '../objects/representation.ts';
import { answerInTime } from '../objects/slowAnswer.ts';
import type { Answer } from '../objects/slowAnswer.ts';
import type { Subject } from '../objects/versions.ts';
import { permitCompletion, writeUnder } from '../../writing.ts';
import type { WritePermit } from '../../writing.ts';
import type { ObjectParams } from '../operation.ts';
import { noContent } from '../replies.ts';
import { readPartClaims, readWholeChecksum, readWholeSize, withoutWholeChecksum } from './completion.ts';

/** Room for 10,000 parts with a checksum each. */
const MAX_DOCUMENT = 4 * 1024 * 1024;

/** Makes one object of the parts. Takes as long as reading them does, and keeps the connection alive meanwhile. */
export async function completeUpload(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const fields = requestFields(call.head);
  refuseUnbuilt(fields);
  const permit = permitCompletion(call, { subject, conditions: readWriteConditions(fields) });
  const body = { head: headOf(call.head, withoutWholeChecksum(fields)), payload: call.payload };
  const claims = await readPartClaims(await readXml(body, ['CompleteMultipartUpload'], MAX_DOCUMENT));
  await refuseOtherType(call, core, subject, fields);
  return answerInTime(call, complete(call, core, { permit, claims, fields }));
}

interface Completion {
  readonly permit: WritePermit;
  readonly claims: readonly PartClaim[];
  readonly fields: Fields;
}

async function complete(call: Call<ObjectParams>, core: Core, { permit, claims, fields }: Completion): Promise<Answer> {
  const { bucket, key } = permit.subject;
  const expected = { checksum: readWholeChecksum(fields, claims.length), size: readWholeSize(fields) };
  const upload = { key, uploadId: uploadIdOf(call) };
  const { version } = await writeUnder(call, core, permit, (conditions) =>
    core.uploads.complete(bucket, upload, claims, expected, conditions, call.actor),
  );
  const { secure, host, rawPath } = call.head;
  return {
    root: 'CompleteMultipartUploadResult',
    content: {
      Location: `${secure ? 'https' : 'http'}://${host}${rawPath}`,
      Bucket: bucket.name,
      Key: key,
      ETag: quoted(version.etag),
      ...checksumElements(version.checksum),
    },
    headers: { 'repr-digest': reprDigest(version.digest), ...versionHeaders(bucket, version.versionId) },
  };
}

/** A completion that was done already has no session to ask; the core answers it as it did the first time. */
async function refuseOtherType(call: Call<ObjectParams>, core: Core, { bucket, key }: Subject, fields: Fields): Promise<void> {
  const type = readChecksumType(fields);
  if (type === undefined) return;
  const session = await core.uploads.find(bucket, key, uploadIdOf(call)).catch((error: unknown) => {
    if (isError(error, 'UploadUnknown')) return undefined;
    throw error;
  });
  const begun = session?.checksum?.type;
  if (begun === undefined || begun === type) return;
  throw new ArtefactError(
    'InvalidRequest',
    `The upload was created using the ${begun} checksum mode. The complete request must use the same checksum mode.`,
  );
}

/** Gives an upload up. Whoever began it may; another caller needs the right to delete. */
export async function abortUpload(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const { key } = call.params;
  const session = await core.uploads.find(bucket, key, uploadIdOf(call));
  if (session.owner !== call.actor.principal) {
    call.authorise({ action: 'delete', s3Action: 's3:AbortMultipartUpload', resource: { bucket: bucket.name, name: key } });
  }
  await core.uploads.abort(bucket, key, session.uploadId, call.actor);
  return noContent();
}

function uploadIdOf(call: Call<ObjectParams>): string {
  return queryValue(call.head, 'uploadId') ?? '';
}
