/** Making an upload for plain HTTP clients: an empty POST, whose headers say what will come. */
import type { Core } from '../../../core/core.ts';
import type { RangeOptions, RangeSession } from '../../../core/ranges/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readAttributes, readConditions } from '../attributes.ts';
import { namedReply } from '../ietf/create.ts';
import { uploadUrl } from '../place.ts';
import { limitHeader, NO_STORE } from '../replies.ts';
import { readInteger, readSha256 } from '../structured.ts';
import { isEmpty, nameKnown, openUpload } from '../upload.ts';
import type { UploadCall } from '../upload.ts';

/** `Upload-Mode: parallel` takes ranges in any order, and wants Upload-Length; without it, bytes come in order. */
export async function createPlain(call: UploadCall, core: Core): Promise<Reply> {
  if (!isEmpty(call))
    throw new ArtefactError('InvalidRequest', 'Make the upload with an empty request, and send the bytes to the URL that it answers.');
  const options = readOptions(call);
  const { sha256, length } = options;
  if (sha256 !== undefined && length !== undefined && length > 0) {
    const known = await nameKnown(call, core, { ...options, sha256, length });
    if (known !== undefined) return namedReply(call, known);
  }
  return madeReply(call, await openUpload(call, core, options));
}

function readOptions({ head }: UploadCall): RangeOptions {
  const mode = readMode(head.headers['upload-mode']);
  const length = readInteger(head.headers['upload-length']);
  if (length === undefined && head.headers['upload-length'] !== undefined)
    throw new ArtefactError('InvalidArgument', 'Upload-Length must be a number of bytes.');
  if (mode === 'parallel' && length === undefined)
    throw new ArtefactError('LengthRequired', 'Say with Upload-Length how many bytes will come.');
  const sha256 = readSha256('Repr-Digest', head.headers['repr-digest'])?.toString('hex');
  return {
    attributes: readAttributes(head),
    conditions: readConditions(head),
    mode,
    ...(length === undefined ? {} : { length }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function readMode(field: string | undefined): RangeOptions['mode'] {
  if (field === undefined || field === 'sequential' || field === 'parallel') return field ?? 'sequential';
  throw new ArtefactError('InvalidArgument', 'Upload-Mode must be sequential or parallel.');
}

function madeReply({ params: { bucket, key } }: UploadCall, session: RangeSession): Reply {
  const state = { 'upload-complete': '?0', 'upload-offset': '0', 'upload-mode': session.mode };
  return {
    status: 201,
    headers: { location: uploadUrl({ bucket, key, uploadId: session.uploadId }), ...state, ...limitHeader(session), ...NO_STORE },
  };
}
