/** Opens a request's body: takes off what authentication put on it, and holds it to what the head declared. */
import { ArtefactError } from '../errors.ts';
import type { Bytes } from '../storage/contract.ts';
import { decodeAwsChunked } from './awsChunked.ts';
import { incomplete } from './byteCursor.ts';
import { malformedTrailer, parseAnnouncement } from './chunkTrailers.ts';
import type { PayloadAuth } from './payloadAuth.ts';
import type { CredentialedRequest } from './request.ts';

/** A body as handlers get it. */
export interface OpenedPayload {
  /** The content. Pull once; it is provisional until it ended (see `awsChunked.ts`). */
  readonly bytes: Bytes;
  /** Length in bytes of the content, if the client declared it. */
  readonly length?: number;
  /** Lower-case hex SHA-256 that the content must have. */
  readonly signedSha256?: string;
  /** Trailers, lower-cased; complete only after `bytes` ended. */
  readonly trailers: ReadonlyMap<string, string>;
}

const LENGTH = /^\d{1,15}$/;
const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/**
 * Opens the body of a request that was authenticated. Throws `LengthRequired` (an aws-chunked body without
 * `x-amz-decoded-content-length`; a signed one of unknown length), `InvalidRequest` and `MalformedBody` for trailers that
 * cannot be. While it is read, `BodyIncomplete` when fewer bytes come than declared, `InvalidRequest` when more do.
 */
export function openPayload(head: CredentialedRequest, raw: Bytes, authenticated: { readonly payload: PayloadAuth }): OpenedPayload {
  const auth = authenticated.payload;
  const announced = parseAnnouncement(head.headers['x-amz-trailer']);
  if (auth.kind === 'chunked' && auth.trailers) return openChunked(head, raw, { seed: auth.seed, announced });
  // Some clients announce a trailer whose value they have put into the head, and then send none: S3 takes that.
  if (!announced.every((name) => head.headers[name] !== undefined)) throw malformedTrailer();
  if (auth.kind === 'chunked') return openChunked(head, raw, { seed: auth.seed });
  const length = contentLength(head, auth.signed);
  return {
    bytes: once(length === undefined ? guarded(raw) : counted(raw, length)),
    length,
    signedSha256: auth.sha256,
    trailers: NO_TRAILERS,
  };
}

function openChunked(
  head: CredentialedRequest,
  raw: Bytes,
  form: Omit<Parameters<typeof decodeAwsChunked>[1], 'decodedLength'>,
): OpenedPayload {
  const length = parseLength(head.headers['x-amz-decoded-content-length']);
  if (length === undefined) throw lengthRequired();
  const decoded = decodeAwsChunked(raw, { ...form, decodedLength: length });
  return { bytes: once(decoded.bytes), length, trailers: decoded.trailers };
}

/** No length and no transfer coding means no body (RFC 9112 §6.3). */
function contentLength(head: CredentialedRequest, signed: boolean): number | undefined {
  const length = parseLength(head.headers['content-length']);
  if (length !== undefined) return length;
  if (head.headers['transfer-encoding'] === undefined) return 0;
  if (signed) throw lengthRequired();
  return undefined;
}

function parseLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!LENGTH.test(text)) throw new ArtefactError('InvalidArgument', 'A content length is a number of bytes in decimal digits.');
  return Number(text);
}

async function* counted(raw: Bytes, length: number): AsyncGenerator<Uint8Array, void, void> {
  let received = 0;
  for await (const chunk of guarded(raw)) {
    received += chunk.length;
    if (received > length) throw new ArtefactError('InvalidRequest', `The body has more bytes than Content-Length declares (${length}).`);
    yield chunk;
  }
  if (received < length) throw incomplete();
}

/** A connection that breaks off is the body's fault, not ours. */
async function* guarded(raw: Bytes): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* raw;
  } catch (thrown) {
    throw thrown instanceof ArtefactError ? thrown : incomplete(thrown);
  }
}

/** A generator that was read once answers an empty body the second time, which would pass for content: refuse instead. */
function once(bytes: Bytes): Bytes {
  let pulled = false;
  return {
    [Symbol.asyncIterator]() {
      if (pulled) throw new ArtefactError('Internal', 'The body of a request can be read once.');
      pulled = true;
      return bytes[Symbol.asyncIterator]();
    },
  };
}

function lengthRequired(): ArtefactError {
  return new ArtefactError('LengthRequired', 'You must provide the Content-Length HTTP header.');
}
