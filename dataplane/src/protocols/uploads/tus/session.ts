/** HEAD, PATCH and DELETE of an upload by tus. */
import type { Core } from '../../../core/core.ts';
import type { FinishedRanges, RangeSession } from '../../../core/ranges/contract.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { namedHeaders, NO_STORE } from '../replies.ts';
import { appendContent, bucketOf, contentChecks, findFinished, findUpload, finish, requireOffset } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { readChecksum } from './checksum.ts';
import { expiresHeader, readBytes, requireContentType, requireVersion, TUS_VERSION } from './fields.ts';
import { memoHeaders } from './memo.ts';

type Headers = Readonly<Record<string, string>>;

const BASE: Headers = { 'tus-resumable': TUS_VERSION, ...NO_STORE };

/**
 * Tells the offset. A tus client that hears the whole length takes its upload for done, so an upload that has all its bytes
 * but no name yet (the server ended just then) gets it now, or the refusal is told.
 */
export async function tusOffset(call: UploadCall, core: Core): Promise<Reply> {
  requireVersion(call.head);
  const found = await findUpload(call, core).catch(unlessGone);
  if (found === undefined) return finishedReply(await wasFinished(call, core));
  const session = await core.ranges.seize(bucketOf(call), found);
  if (isWhole(session)) await finish(call, core, session, {});
  const length: Headers = session.length === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(session.length) };
  const headers = { ...BASE, 'upload-offset': String(session.offset), ...length, ...memoHeaders(session.memo), ...expiresHeader(session) };
  return { status: 200, headers };
}

export async function tusAppend(call: UploadCall, core: Core): Promise<Reply> {
  const { head } = call;
  requireVersion(head);
  requireContentType(head);
  const offset = readBytes(head, 'upload-offset');
  if (offset === undefined) throw new ArtefactError('InvalidArgument', 'Say with Upload-Offset where the content begins.');
  const check = readChecksum(head.headers['upload-checksum']);
  const checks = check === undefined ? contentChecks(call) : [check, ...contentChecks(call)];
  const session = await findUpload(call, core).catch(unlessGone);
  if (session === undefined) return appendToFinished(await wasFinished(call, core), offset);
  const length = readBytes(head, 'upload-length');
  const after = await appendContent(call, core, { session, offset, checks, ...(length === undefined ? {} : { length }) });
  const headers = { ...BASE, 'upload-offset': String(after.offset), ...expiresHeader(after) };
  if (!isWhole(after)) return { status: 204, headers };
  const { version } = await finish(call, core, after, {});
  return { status: 204, headers: { ...headers, ...namedHeaders(bucketOf(call), version) } };
}

export async function tusTerminate(call: UploadCall, core: Core): Promise<Reply> {
  requireVersion(call.head);
  await core.ranges.abort(bucketOf(call), await findUpload(call, core), call.actor);
  return { status: 204, headers: BASE };
}

/** Partial uploads wait for the final one. */
function isWhole({ partial, length, offset }: RangeSession): boolean {
  return partial !== true && length === offset;
}

async function wasFinished(call: UploadCall, core: Core): Promise<FinishedRanges> {
  const finished = await findFinished(call, core);
  if (finished !== undefined) return finished;
  throw new ArtefactError('UploadUnknown', 'There is no such upload: it may have expired, or been terminated.');
}

function finishedReply({ version: { size }, memo }: FinishedRanges): Reply {
  return { status: 200, headers: { ...BASE, 'upload-offset': String(size), 'upload-length': String(size), ...memoHeaders(memo) } };
}

/** A repeated last request is answered as the first was. Nothing is appended to a final upload (403, as tus demands). */
function appendToFinished({ version: { size }, memo }: FinishedRanges, offset: number): Reply {
  if (memoHeaders(memo)['upload-concat'] !== undefined) throw new ArtefactError('AccessDenied', 'Nothing can be added to a final upload.');
  requireOffset({ offset: size }, offset);
  return { status: 204, headers: { ...BASE, 'upload-offset': String(size) } };
}

export function unlessGone(error: unknown): undefined {
  if (!isError(error, 'UploadUnknown')) throw error;
  return undefined;
}
