/** Upload creation, at the target itself: any POST or PUT with Upload-Complete (draft §4.2). */
import type { Core, PutResult } from '../../../core/core.ts';
import type { RangeOptions, RangeSession } from '../../../core/ranges/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readAttributes, readConditions } from '../attributes.ts';
import { objectUrl, uploadUrl } from '../place.ts';
import { limitHeader, namedHeaders, NO_STORE } from '../replies.ts';
import { readSha256 } from '../structured.ts';
import { appendContent, bucketOf, finish, isEmpty, nameKnown, openUpload } from '../upload.ts';
import type { UploadCall } from '../upload.ts';
import { interopVersion, readComplete, statedLength } from './fields.ts';
import { progressOf } from './progress.ts';

export async function createUpload(call: UploadCall, core: Core): Promise<Reply> {
  const { head } = call;
  const complete = readComplete(head) ?? false;
  if (head.headers['upload-offset'] !== undefined)
    throw new ArtefactError('InvalidRequest', 'A request that creates an upload begins at 0: send no Upload-Offset.');
  const options = readOptions(call, complete);
  const known = await nameKnownUnsent(call, core, options);
  if (known !== undefined) return namedReply(call, known);
  const session = await openUpload(call, core, options);
  announce(call, session);
  if (!complete && isEmpty(call)) return openReply(call, session);
  const after = await appendContent(call, core, { session, offset: 0 }, progressOf(call));
  if (!complete) return openReply(call, after);
  return namedReply(call, await completing(() => finish(call, core, after, {})));
}

function readOptions({ head, payload }: UploadCall, complete: boolean): RangeOptions {
  const size = payload.length === undefined ? {} : { size: payload.length };
  const length = statedLength(head, { offset: 0, complete, ...size });
  const sha256 = readSha256('Repr-Digest', head.headers['repr-digest'])?.toString('hex');
  return {
    attributes: readAttributes(head),
    mode: 'sequential',
    conditions: readConditions(head),
    ...(length === undefined ? {} : { length }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

/** Of bytes whose digest is stated and which are not on their way yet: those that the store has need not come. */
async function nameKnownUnsent(call: UploadCall, core: Core, { sha256, length, ...options }: RangeOptions): Promise<PutResult | undefined> {
  const unsent = isEmpty(call) || call.head.headers['expect'] !== undefined;
  if (!unsent || sha256 === undefined || length === undefined || length === 0) return undefined;
  return nameKnown(call, core, { ...options, sha256, length });
}

/** 104 with the upload's URL, so that the client can go on when this request breaks off. */
function announce(call: UploadCall, session: RangeSession): void {
  const version = interopVersion(call.head);
  if (version === undefined) return;
  call.inform?.(104, { location: locationOf(call, session), ...limitHeader(session), 'upload-draft-interop-version': version });
}

function locationOf({ params: { bucket, key } }: UploadCall, { uploadId }: RangeSession): string {
  return uploadUrl({ bucket, key, uploadId });
}

function openReply(call: UploadCall, session: RangeSession): Reply {
  return {
    status: 201,
    headers: {
      location: locationOf(call, session),
      'upload-complete': '?0',
      'upload-offset': String(session.offset),
      ...limitHeader(session),
      ...NO_STORE,
    },
  };
}

/** What the target answers to the whole. */
export function namedReply(call: UploadCall, { version, created }: PutResult): Reply {
  const { bucket, key } = call.params;
  const headers = { 'upload-complete': '?1', location: objectUrl({ bucket, key }), ...namedHeaders(bucketOf(call), version), ...NO_STORE };
  return { status: created ? 201 : 200, headers };
}

/** An error of the target itself says that all bytes came (`Upload-Complete: ?1`), so that nobody goes on sending them. */
export async function completing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArtefactError) Object.assign(error.details, { complete: true });
    throw error;
  }
}
