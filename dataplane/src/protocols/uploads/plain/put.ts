/** PUT with Content-Range to an upload: the way of curl and its like, and of clients that send ranges in parallel. */
import type { Core } from '../../../core/core.ts';
import type { RangeSession, Span } from '../../../core/ranges/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readContentRange } from '../contentRange.ts';
import type { ContentRange } from '../contentRange.ts';
import { completing, namedReply } from '../ietf/create.ts';
import { NO_STORE } from '../replies.ts';
import { readSha256 } from '../structured.ts';
import { appendContent, bucketOf, contentChecks, findFinished, findUpload, finish, isEmpty } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { unlessGone } from './status.ts';

export async function putRange(call: UploadCall, core: Core): Promise<Reply> {
  const session = await findUpload(call, core).catch(unlessGone);
  if (session === undefined) return repeated(call, core);
  const range = rangeOf(call);
  if (range.bytes === undefined) return askWhatIsThere(call, core, session, range);
  return session.mode === 'parallel' ? storeRange(call, core, session, range) : appendRange(call, core, session, range);
}

/** Without Content-Range, the content is the whole. Throws `LengthRequired`, `InvalidRequest`. */
function rangeOf({ head, payload }: UploadCall): ContentRange {
  const field = head.headers['content-range'];
  if (field === undefined) {
    if (payload.length === undefined)
      throw new ArtefactError('LengthRequired', 'Say with Content-Range or Content-Length which bytes come.');
    return payload.length === 0 ? { total: 0 } : { bytes: { first: 0, last: payload.length - 1 }, total: payload.length };
  }
  const range = readContentRange(field);
  const size = range.bytes === undefined ? 0 : range.bytes.last - range.bytes.first + 1;
  if (payload.length !== undefined && payload.length !== size) {
    throw new ArtefactError('InvalidRequest', `Content-Range speaks of ${size} bytes, and the content has ${payload.length}.`);
  }
  return range;
}

/** Incomplete: 206 with what is there, as this house reads "resumable with 206". Complete: 201, or 200 where the name was there. */
async function appendRange(call: UploadCall, core: Core, session: RangeSession, { bytes, total }: ContentRange): Promise<Reply> {
  const after = await appendContent(call, core, { session, offset: bytes!.first, ...(total === undefined ? {} : { length: total }) });
  return after.length === after.offset
    ? nameWhole(call, core, after)
    : partialReply(after.offset === 0 ? [] : [[0, after.offset]], after.offset);
}

async function storeRange(call: UploadCall, core: Core, session: RangeSession, { bytes, total }: ContentRange): Promise<Reply> {
  const { first, last } = bytes!;
  await core.ranges.write(bucketOf(call), session, {
    offset: first,
    size: last - first + 1,
    bytes: call.payload.bytes,
    checks: contentChecks(call),
    ...(total === undefined ? {} : { length: total }),
  });
  return { status: 204, headers: { 'upload-complete': '?0', ...NO_STORE } };
}

/** Nothing comes; a Content-Range without bytes asks. Of an empty whole, that is also all there will ever be. */
async function askWhatIsThere(call: UploadCall, core: Core, found: RangeSession, { total }: ContentRange): Promise<Reply> {
  isEmpty(call);
  const session = await core.ranges.seize(bucketOf(call), found);
  if (session.mode === 'sequential' && total !== undefined && total === session.offset) return nameWhole(call, core, session, total);
  return partialReply(await core.ranges.spans(bucketOf(call), session), session.offset);
}

function nameWhole(call: UploadCall, core: Core, session: RangeSession, length = session.length): Promise<Reply> {
  const sha256 = readSha256('Repr-Digest', call.head.headers['repr-digest'])?.toString('hex');
  const stated = { ...(length === undefined ? {} : { length }), ...(sha256 === undefined ? {} : { sha256 }) };
  return completing(async () => namedReply(call, await finish(call, core, session, stated)));
}

function partialReply(spans: readonly Span[], offset: number): Reply {
  const range: Readonly<Record<string, string>> =
    spans.length === 0 ? {} : { range: `bytes=${spans.map(([start, end]) => `${start}-${end - 1}`).join(',')}` };
  return { status: 206, headers: { 'upload-complete': '?0', 'upload-offset': String(offset), ...range, ...NO_STORE } };
}

/** The last request again, whose answer got lost. */
async function repeated(call: UploadCall, core: Core): Promise<Reply> {
  const finished = await findFinished(call, core);
  if (finished === undefined)
    throw new ArtefactError('UploadUnknown', 'There is no such upload: it may have expired, been cancelled, or been found wrong.');
  const { bytes, total } = rangeOf(call);
  const end = bytes === undefined ? total : bytes.last + 1;
  if (end === finished.version.size) return namedReply(call, finished);
  throw new ArtefactError('InvalidRequest', 'This upload is complete: its bytes have their name.', { details: { reason: 'completed' } });
}
