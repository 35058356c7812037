/** Looking at an upload: what is there, the staged bytes themselves, and its completion where ranges came in parallel. */
import type { Core } from '../../../core/core.ts';
import type { FinishedRanges, RangeSession, Span } from '../../../core/ranges/contract.ts';
import { missing } from '../../../core/ranges/pieces.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readRange } from '../../byteRange.ts';
import { completing, namedReply } from '../ietf/create.ts';
import { objectUrl } from '../place.ts';
import { namedHeaders, NO_STORE } from '../replies.ts';
import { readInteger, readSha256 } from '../structured.ts';
import { bucketOf, findFinished, findUpload, finish, isEmpty } from '../upload.ts';
import type { UploadCall } from '../upload.ts';

/** Spans that an answer names. */
const SHOWN = 1000;

/** With Range: 206 with staged bytes, for whoever sent them. Without: what is there, as JSON. */
export async function getUpload(call: UploadCall, core: Core): Promise<Reply> {
  const session = await findUpload(call, core).catch(unlessGone);
  if (session === undefined) return finishedStatus(call, await finishedOr404(call, core));
  const field = call.head.headers['range'];
  return field === undefined ? statusReply(call, core, session) : stagedReply(call, core, session, field);
}

export async function completeUpload(call: UploadCall, core: Core): Promise<Reply> {
  isEmpty(call);
  const session = await findUpload(call, core).catch(unlessGone);
  if (session === undefined) return documented(call, await finishedOr404(call, core));
  const sha256 = readSha256('Repr-Digest', call.head.headers['repr-digest'])?.toString('hex');
  const length = readInteger(call.head.headers['upload-length']);
  if (session.mode === 'parallel' && session.sha256 === undefined && sha256 === undefined) {
    throw new ArtefactError(
      'InvalidRequest',
      'State the SHA-256 of the whole with Repr-Digest: ranges that came in parallel are named only when it agrees.',
    );
  }
  const stated = { ...(length === undefined ? {} : { length }), ...(sha256 === undefined ? {} : { sha256 }) };
  return completing(async () => documented(call, await finish(call, core, session, stated)));
}

function documented(call: UploadCall, result: FinishedRanges): Reply {
  const reply = namedReply(call, result);
  const { digest, etag, size, versionId } = result.version;
  const body = { complete: true, location: reply.headers!['location'], digest, etag, size, versionId };
  return { status: 201, headers: { ...reply.headers, 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` };
}

async function statusReply(call: UploadCall, core: Core, session: RangeSession): Promise<Reply> {
  const spans = await core.ranges.spans(bucketOf(call), session);
  const { mode, length, offset } = session;
  const body = {
    complete: false,
    mode,
    ...(length === undefined ? {} : { length, missing: missing(spans, length).slice(0, SHOWN).map(written) }),
    ...(mode === 'sequential' ? { offset } : {}),
    stored: spans.slice(0, SHOWN).map(written),
    expires: new Date(session.expires).toISOString(),
  };
  return jsonReply(body, { 'upload-complete': '?0' });
}

function finishedStatus(call: UploadCall, { version }: FinishedRanges): Reply {
  const { bucket, key } = call.params;
  const { digest, etag, size, versionId } = version;
  const body = { complete: true, location: objectUrl({ bucket, key }), digest, etag, size, versionId };
  return jsonReply(body, { 'upload-complete': '?1', ...namedHeaders(bucketOf(call), version) });
}

function jsonReply(body: unknown, headers: Readonly<Record<string, string>>): Reply {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers, ...NO_STORE }, body: `${JSON.stringify(body)}\n` };
}

/** `first-last`, as Content-Range has it. */
function written([start, end]: Span): string {
  return `${start}-${end - 1}`;
}

/** Staged bytes were judged by nobody yet: only whoever sent them may look at them. */
async function stagedReply(call: UploadCall, core: Core, session: RangeSession, field: string): Promise<Reply> {
  if (session.owner !== call.actor.principal)
    throw new ArtefactError('AccessDenied', 'Only whoever sends an upload may read what is staged of it.');
  const bucket = bucketOf(call);
  const spans = await core.ranges.spans(bucket, session);
  const range = readRange(field, spans.at(-1)?.[1] ?? 0);
  if (range === undefined) return statusReply(call, core, session);
  const body = await core.ranges.read(bucket, session, range);
  const total = session.length === undefined ? '*' : String(session.length);
  const headers = {
    'content-range': `bytes ${range.offset}-${range.offset + range.length - 1}/${total}`,
    'content-length': String(range.length),
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    ...NO_STORE,
  };
  return { status: 206, headers, body };
}

async function finishedOr404(call: UploadCall, core: Core): Promise<FinishedRanges> {
  const finished = await findFinished(call, core);
  if (finished !== undefined) return finished;
  throw new ArtefactError('UploadUnknown', 'There is no such upload: it may have expired, been cancelled, or been found wrong.');
}

export function unlessGone(error: unknown): undefined {
  if (!isError(error, 'UploadUnknown')) throw error;
  return undefined;
}
