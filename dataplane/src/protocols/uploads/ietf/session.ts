/** Offset retrieval, appending and cancelling (draft §4.3 to §4.5). */
import type { Core } from '../../../core/core.ts';
import type { RangeSession } from '../../../core/ranges/contract.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { objectUrl } from '../place.ts';
import { limitHeader, namedHeaders, NO_STORE } from '../replies.ts';
import { readInteger, readSha256 } from '../structured.ts';
import { appendContent, bucketOf, findFinished, findUpload, finish } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { completing, namedReply } from './create.ts';
import { readComplete, requirePartial, statedLength } from './fields.ts';
import { progressOf } from './progress.ts';

export async function retrieveOffset(call: UploadCall, core: Core): Promise<Reply> {
  const found = await findUpload(call, core).catch(unlessGone);
  if (found === undefined) return finishedReply(call, core);
  const session = await core.ranges.seize(bucketOf(call), found);
  const length: Readonly<Record<string, string>> = session.length === undefined ? {} : { 'upload-length': String(session.length) };
  const state = { 'upload-offset': String(session.offset), 'upload-complete': '?0' };
  return { status: 204, headers: { ...state, ...length, ...limitHeader(session), ...NO_STORE } };
}

export async function appendUpload(call: UploadCall, core: Core): Promise<Reply> {
  const { head } = call;
  requirePartial(head);
  const offset = readInteger(head.headers['upload-offset']);
  const complete = readComplete(head);
  if (offset === undefined || complete === undefined) {
    throw new ArtefactError(
      'InvalidRequest',
      'Say with Upload-Offset where the content begins, and with Upload-Complete whether it is the last.',
    );
  }
  const sha256 = readSha256('Repr-Digest', head.headers['repr-digest'])?.toString('hex');
  const session = await findUpload(call, core).catch(unlessGone);
  if (session === undefined) throw await alreadyComplete(call, core);
  const size = call.payload.length === undefined ? {} : { size: call.payload.length };
  const length = statedLength(head, { offset, complete, ...size });
  const at = { session, offset, ...(length === undefined ? {} : { length }) };
  const after = await appendContent(call, core, at, progressOf(call)).catch((error: unknown) => deactivate(call, core, session, error));
  if (!complete) {
    return { status: 204, headers: { 'upload-complete': '?0', 'upload-offset': String(after.offset), ...limitHeader(after), ...NO_STORE } };
  }
  return namedReply(call, await completing(() => finish(call, core, after, sha256 === undefined ? {} : { sha256 })));
}

export async function cancelUpload(call: UploadCall, core: Core): Promise<Reply> {
  await core.ranges.abort(bucketOf(call), await findUpload(call, core), call.actor);
  return { status: 204, headers: NO_STORE };
}

/** "rejecting the request once the offset exceeds the length, marking the upload resource invalid" (draft §4.4.2) */
async function deactivate(call: UploadCall, core: Core, session: RangeSession, error: unknown): Promise<never> {
  const exceeded = isError(error, 'BodyTooLarge') && error.details.reason === 'length' && session.length !== undefined;
  if (exceeded) await core.ranges.abort(bucketOf(call), session, call.actor).catch(() => undefined);
  throw error;
}

/** An upload that is complete still tells so for a while, with what its last answer said, in case that got lost. */
async function finishedReply(call: UploadCall, core: Core): Promise<Reply> {
  const finished = await findFinished(call, core);
  if (finished === undefined) throw gone();
  const { version } = finished;
  const size = String(version.size);
  const state = { 'upload-offset': size, 'upload-length': size, 'upload-complete': '?1' };
  const { bucket, key } = call.params;
  const named = { 'content-location': objectUrl({ bucket, key }), ...namedHeaders(bucketOf(call), version) };
  return { status: 204, headers: { ...state, ...limitHeader(), ...named, ...NO_STORE } };
}

async function alreadyComplete(call: UploadCall, core: Core): Promise<ArtefactError> {
  if ((await findFinished(call, core)) === undefined) return gone();
  const { bucket, key } = call.params;
  return new ArtefactError('InvalidRequest', 'This upload is complete: its bytes have their name.', {
    details: { reason: 'completed', location: objectUrl({ bucket, key }) },
  });
}

function gone(): ArtefactError {
  return new ArtefactError('UploadUnknown', 'There is no such upload: it may have expired, been cancelled, or been found wrong.');
}

function unlessGone(error: unknown): undefined {
  if (!isError(error, 'UploadUnknown')) throw error;
  return undefined;
}
