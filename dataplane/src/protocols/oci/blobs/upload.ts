/** Blob uploads (distribution-spec 1.1, "Pushing blobs"): a session of the core for each. */
import type { Core } from '../../../core/core.ts';
import { digestHex, parseDigestName } from '../../../core/digest.ts';
import type { DigestName } from '../../../core/digest.ts';
import type { RangeSession, SessionPlace } from '../../../core/ranges/contract.ts';
import { registryOf } from '../../../core/realm.ts';
import { BLOB_ATTRIBUTES } from '../../../core/registry/blobs.ts';
import { blobKey, uploadKey } from '../../../core/registry/names.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf, parameter } from '../call.ts';
import { storedRange } from '../errors.ts';
import type { Repository } from '../names.ts';
import { pathOf } from '../path.ts';
import { mountBlob } from './mount.ts';

export type UploadCall = Call<Repository & { readonly uploadId: string }>;

/** Algorithms that an upload may be begun for (end-4c). */
const ALGORITHMS = ['sha256', 'sha512'];

/** POST: mounts, stores a whole blob that comes along, or begins an upload. */
export async function startUpload(call: Call<Repository>, core: Core): Promise<Reply> {
  const mounted = await mountBlob(call, core);
  if (mounted !== undefined) return created(call, mounted);
  const digest = parameter(call.head, 'digest');
  if (digest !== undefined && call.payload.length !== 0) return storeWhole(call, core, parseDigestName(digest));
  const algorithm = parameter(call.head, 'digest-algorithm');
  if (algorithm !== undefined && !ALGORITHMS.includes(algorithm)) {
    throw new ArtefactError('InvalidDigest', 'Blobs are known here by sha256 and sha512.');
  }
  const bucket = registryOf(bucketOf(call));
  const session = await core.ranges.begin(
    bucket,
    uploadKey(call.params.repository),
    { attributes: BLOB_ATTRIBUTES, mode: 'sequential', withSha512: algorithm === 'sha512' },
    call.actor,
  );
  return { status: 202, headers: stateOf(call, session) };
}

async function storeWhole(call: Call<Repository>, core: Core, digest: DigestName): Promise<Reply> {
  const bucket = bucketOf(call);
  const { bytes, length } = call.payload;
  const arrived = await core.objects.receive(bucket, bytes, { ...expectedOf(digest), ...(length === undefined ? {} : { size: length }) });
  await core.registry.putBlob(bucket, { repository: call.params.repository, digest }, arrived, call.actor);
  return created(call, digest);
}

/** What the core shall hold bytes to, of a digest that a client states. */
export function expectedOf(digest: DigestName): {
  readonly sha256?: { readonly hex: string; readonly signed: false };
  readonly sha512?: string;
} {
  if (digest.startsWith('sha512:')) return { sha512: digest.slice('sha512:'.length) };
  return { sha256: { hex: digestHex(digest as `sha256:${string}`), signed: false } };
}

/** GET. */
export async function uploadStatus(call: UploadCall, core: Core): Promise<Reply> {
  return { status: 204, headers: stateOf(call, await findUpload(call, core)) };
}

/** PATCH: a chunk, or a stream of unknown length where no Content-Range says otherwise. */
export async function appendChunk(call: UploadCall, core: Core): Promise<Reply> {
  const session = await findUpload(call, core);
  return { status: 202, headers: stateOf(call, await appendBody(call, core, session)) };
}

/** PUT: the last chunk, where there is one, and the name. */
export async function closeUpload(call: UploadCall, core: Core): Promise<Reply> {
  const text = parameter(call.head, 'digest');
  if (text === undefined) throw new ArtefactError('InvalidDigest', 'Say the digest of the blob: ?digest=sha256:…');
  const digest = parseDigestName(text);
  const bucket = registryOf(bucketOf(call));
  const { repository } = call.params;
  const as = blobKey({ repository, digest });
  const session = await findUpload(call, core).catch(async (error: unknown) => {
    // The answer of a completion that succeeded may have been lost on its way.
    const before = isError(error, 'UploadUnknown') ? await core.ranges.finished(bucket, sessionOf(call), as) : undefined;
    if (before?.version.owner !== call.actor.principal) throw error;
    return undefined;
  });
  if (session === undefined) return created(call, digest);
  if (call.payload.length !== 0 || call.head.headers['content-range'] !== undefined)
    await appendBody(call, core, session, digest.startsWith('sha512:'));
  const { sha256, sha512 } = expectedOf(digest);
  const stated = { ...(sha256 && { sha256: sha256.hex }), ...(sha512 !== undefined && { sha512 }) };
  await core.ranges.complete(bucket, sessionOf(call), { ...stated, as, conditions: {}, actor: call.actor });
  return created(call, digest);
}

/** DELETE (end-14). */
export async function cancelUpload(call: UploadCall, core: Core): Promise<Reply> {
  await findUpload(call, core);
  await core.ranges.abort(registryOf(bucketOf(call)), sessionOf(call), call.actor);
  return { status: 204 };
}

/** Throws `UploadUnknown`, for another caller's too: nobody learns of it. */
async function findUpload(call: UploadCall, core: Core): Promise<RangeSession> {
  const session = await core.ranges.find(registryOf(bucketOf(call)), sessionOf(call));
  if (session.owner === call.actor.principal) return session;
  throw new ArtefactError('UploadUnknown', 'There is no such upload: it was finished, cancelled, or took too long.');
}

function sessionOf({ params: { repository, uploadId } }: UploadCall): SessionPlace {
  return { key: uploadKey(repository), uploadId };
}

async function appendBody(call: UploadCall, core: Core, session: RangeSession, withSha512 = false): Promise<RangeSession> {
  const { range, size } = readChunk(call);
  const { bytes } = call.payload;
  const location = pathOf(call.params, `blobs/uploads/${session.uploadId}`);
  const place = sessionOf(call);
  const delivery = { offset: range?.first ?? session.offset, bytes, withSha512, ...(size === undefined ? {} : { size }) };
  const after = await core.ranges.append(registryOf(bucketOf(call)), place, delivery).catch((error: unknown) => {
    if (!isError(error, 'ConcurrentChange') || error.details['expectedOffset'] === undefined) throw error;
    throw new ArtefactError(error.code, error.message, { details: { ...error.details, location } });
  });
  const came = after.offset - delivery.offset;
  if (size !== undefined && came !== size) throw new ArtefactError('BodyIncomplete', `${size} bytes were announced, and ${came} came.`);
  return after;
}

/** Which bytes come, and how many. Throws `BodyIncomplete` where the request contradicts itself. */
function readChunk({ head, payload: { length } }: UploadCall): {
  readonly range: ReturnType<typeof readChunkRange>;
  readonly size: number | undefined;
} {
  const range = readChunkRange(head.headers['content-range']);
  const size = range === undefined ? length : range.last - range.first + 1;
  if (length === undefined || length === size) return { range, size };
  throw new ArtefactError('BodyIncomplete', `Content-Range says ${size} bytes and Content-Length ${length}.`);
}

/** `<first>-<last>`, without a unit and a total. */
const CHUNK_RANGE = /^(\d{1,15})-(\d{1,15})$/;

function readChunkRange(field: string | undefined): { readonly first: number; readonly last: number } | undefined {
  if (field === undefined) return undefined;
  const [, first, last] = CHUNK_RANGE.exec(field.trim()) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new ArtefactError('InvalidRequest', 'The Content-Range of a chunk is <first byte>-<last byte>.');
  }
  return { first: Number(first), last: Number(last) };
}

function stateOf(call: Call<Repository>, { uploadId, offset }: RangeSession): Record<string, string> {
  return {
    location: pathOf(call.params, `blobs/uploads/${uploadId}`),
    range: storedRange(offset),
    'docker-upload-uuid': uploadId,
  };
}

function created(call: Call<Repository>, digest: DigestName): Reply {
  return { status: 201, headers: { location: pathOf(call.params, `blobs/${digest}`), 'docker-content-digest': digest } };
}
