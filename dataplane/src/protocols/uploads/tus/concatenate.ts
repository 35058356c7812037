/** The final upload of tus' concatenation: partial ones become one name, without their bytes being copied. */
import type { Core } from '../../../core/core.ts';
import type { SessionPlace } from '../../../core/ranges/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readQuery } from '../query.ts';
import { permitWrite, writeUnder } from '../../writing.ts';
import { readPlace, uploadUrl } from '../place.ts';
import { namedHeaders } from '../replies.ts';
import { bucketOf } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { TUS_VERSION } from './fields.ts';
import { writeMemo } from './memo.ts';
import { parseMetadata, readMetadata } from './metadata.ts';

const MAX_PARTIALS = 1000;

export async function concatenate(call: UploadCall, core: Core, field: string): Promise<Reply> {
  const { head } = call;
  if (head.headers['upload-length'] !== undefined)
    throw new ArtefactError('InvalidArgument', 'A final upload has the length of its parts: send no Upload-Length.');
  const bucket = bucketOf(call);
  const partials = readPartials(call, field);
  await authorisePartials(call, core, partials);
  const metadata = head.headers['upload-metadata'];
  const { attributes, sha256 } = readMetadata(parseMetadata(metadata));
  if (sha256 !== undefined)
    throw new ArtefactError('InvalidArgument', 'State the sha256 of a whole by its own upload: that of a final one is not checked.');
  const memo = writeMemo({ concat: field, ...(metadata === undefined ? {} : { metadata }) });
  const permit = await permitWrite(call, core, { subject: { bucket, key: call.params.key }, conditions: {} });
  let uploadId = '';
  const { version } = await writeUnder(call, core, permit, async (conditions) => {
    const joined = await core.ranges.join(bucket, call.params.key, partials, attributes, { conditions, actor: call.actor, memo });
    ({ uploadId } = joined);
    return joined.result;
  });
  const location = uploadUrl({ bucket: bucket.name, key: call.params.key, uploadId });
  return { status: 201, headers: { 'tus-resumable': TUS_VERSION, location, ...namedHeaders(bucket, version) } };
}

/** `final;` and the URLs, absolute or not. Throws `InvalidArgument`. */
function readPartials({ head, params }: UploadCall, field: string): readonly SessionPlace[] {
  const [, list] = /^final;(.*)$/.exec(field) ?? [];
  const urls = (list ?? '').split(' ').filter((url) => url !== '');
  if (urls.length === 0 || urls.length > MAX_PARTIALS) {
    throw new ArtefactError(
      'InvalidArgument',
      `Upload-Concat must be "partial", or "final;" and the URLs of 1 to ${MAX_PARTIALS} partial uploads.`,
    );
  }
  return urls.map((url) => {
    const target = url.replace(/^https?:\/\/[^/]*/i, '');
    const place = readPlace({ ...head, rawPath: target.split('?', 1)[0]!, query: readQuery(target) });
    if (place.uploadId === undefined || place.bucket !== params.bucket) {
      throw new ArtefactError('InvalidArgument', 'Upload-Concat must name partial uploads of the same bucket.');
    }
    return { key: place.key, uploadId: place.uploadId };
  });
}

/** Every one must be the caller's own, partial, and complete. */
async function authorisePartials(call: UploadCall, core: Core, partials: readonly SessionPlace[]): Promise<void> {
  const bucket = bucketOf(call);
  for (const partial of partials) {
    const session = await core.ranges.find(bucket, partial);
    if (session.owner !== call.actor.principal) {
      call.authorise({ action: 'delete', s3Action: 's3:AbortMultipartUpload', resource: { bucket: bucket.name, name: session.key } });
    }
    if (session.partial !== true) throw new ArtefactError('InvalidArgument', 'Upload-Concat names an upload that is not partial.');
    if (session.length !== session.offset) {
      throw new ArtefactError('InvalidRequest', 'Upload-Concat names an upload that is not complete yet.', {
        details: { reason: 'incomplete' },
      });
    }
  }
}
