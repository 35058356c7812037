/** Creating an upload by tus: creation, creation-with-upload, creation-defer-length, and the partial uploads of concatenation. */
import type { Core } from '../../../core/core.ts';
import type { RangeOptions, RangeSession } from '../../../core/ranges/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { uploadUrl } from '../place.ts';
import { namedHeaders } from '../replies.ts';
import { appendContent, bucketOf, contentChecks, finish, isEmpty, openUpload } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { readChecksum } from './checksum.ts';
import { concatenate } from './concatenate.ts';
import { expiresHeader, readBytes, requireContentType, requireVersion, TUS_VERSION } from './fields.ts';
import { writeMemo } from './memo.ts';
import { parseMetadata, readMetadata } from './metadata.ts';

type Headers = Readonly<Record<string, string>>;

export async function tusCreate(call: UploadCall, core: Core): Promise<Reply> {
  requireVersion(call.head);
  const concat = call.head.headers['upload-concat'];
  if (concat !== undefined && concat !== 'partial') return concatenate(call, core, concat);
  const options = readOptions(call);
  const empty = isEmpty(call);
  if (!empty) requireContentType(call.head);
  const session = await openUpload(call, core, options);
  // Its URL is not known to the client before the answer: what fails now cannot be gone on with.
  return takeFirst(call, core, session, empty).catch(async (error: unknown) => {
    await core.ranges.abort(bucketOf(call), session, call.actor).catch(() => undefined);
    throw error;
  });
}

async function takeFirst(call: UploadCall, core: Core, session: RangeSession, empty: boolean): Promise<Reply> {
  const { bucket, key } = call.params;
  const location = { location: uploadUrl({ bucket, key, uploadId: session.uploadId }) };
  const base: Headers = { 'tus-resumable': TUS_VERSION, ...location, ...expiresHeader(session) };
  const check = readChecksum(call.head.headers['upload-checksum']);
  const checks = check === undefined ? contentChecks(call) : [check, ...contentChecks(call)];
  const after = empty ? session : await appendContent(call, core, { session, offset: 0, checks });
  const offset: Headers = empty ? {} : { 'upload-offset': String(after.offset) };
  if (after.partial === true || after.length !== after.offset) return { status: 201, headers: { ...base, ...offset } };
  const { version } = await finish(call, core, after, {});
  return { status: 201, headers: { ...base, ...offset, ...namedHeaders(bucketOf(call), version) } };
}

function readOptions({ head }: UploadCall): RangeOptions {
  const length = readBytes(head, 'upload-length');
  const deferred = head.headers['upload-defer-length'];
  if (deferred !== undefined && deferred !== '1') throw new ArtefactError('InvalidArgument', 'Upload-Defer-Length must be 1.');
  if ((length === undefined) === (deferred === undefined)) {
    throw new ArtefactError('InvalidArgument', 'Send either Upload-Length, or Upload-Defer-Length: 1 to say it later.');
  }
  const { 'upload-metadata': metadata, 'upload-concat': concat } = head.headers;
  const memo = { ...(metadata === undefined ? {} : { metadata }), ...(concat === undefined ? {} : { concat }) };
  return {
    ...readMetadata(parseMetadata(metadata)),
    mode: 'sequential',
    memo: writeMemo(memo),
    ...(concat === 'partial' ? { partial: true } : {}),
    ...(length === undefined ? {} : { length }),
  };
}
