/** What a request says of its body, and how that will be held against the bytes: `x-amz-content-sha256`. */
import { ArtefactError } from '../errors.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const HEX = /^[0-9a-f]{64}$/i;
const STREAMING = [
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
] as const;
type Streaming = (typeof STREAMING)[number];
const ECDSA = /^STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD(-TRAILER)?$/;
const ACCEPTED = [
  UNSIGNED_PAYLOAD,
  ...STREAMING,
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
].join(', ');

/** How the chunks of a body are signed: what the seed signature was made with. */
export interface ChunkSeed {
  readonly key: Buffer;
  readonly amzDate: string;
  readonly scope: string;
  readonly signature: string;
}

/**
 * How the body is to be opened.
 * - `plain`: as it comes; with `sha256` the content must have that digest. `signed` when the request's signature covers
 *   it all, so that S3's rule on declared lengths applies.
 * - `chunked`: aws-chunked; with `seed`, each chunk is signed.
 */
export type PayloadAuth =
  | { readonly kind: 'plain'; readonly signed: boolean; readonly sha256?: string }
  | { readonly kind: 'chunked'; readonly trailers: boolean; readonly seed?: ChunkSeed };

/** A body that nothing was said of. */
export const PLAIN_PAYLOAD: PayloadAuth = { kind: 'plain', signed: false };

/**
 * Reads the value that a signature covers; `seed` is what chunks would be signed with. Throws `NotImplemented` for
 * SigV4A's forms and `InvalidArgument` for anything S3 does not know.
 */
export function signedPayload(value: string, seed: ChunkSeed): PayloadAuth {
  if (value === UNSIGNED_PAYLOAD) return { kind: 'plain', signed: true };
  if (HEX.test(value)) return { kind: 'plain', signed: true, sha256: value.toLowerCase() };
  switch (streamingForm(value)) {
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked', trailers: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'chunked', trailers: false, seed };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', trailers: true, seed };
  }
}

/**
 * The same for a request that has no signature (Bearer, Basic, anonymous). Clients that stream without signing announce
 * aws-chunked by `Content-Encoding` alone. Chunk signatures cannot be checked without a seed, so they are refused.
 */
export function unsignedPayload(headers: Readonly<Record<string, string | undefined>>): PayloadAuth {
  const value = headers['x-amz-content-sha256'];
  if (value === undefined) return isAwsChunked(headers['content-encoding']) ? { kind: 'chunked', trailers: true } : PLAIN_PAYLOAD;
  if (value === UNSIGNED_PAYLOAD) return PLAIN_PAYLOAD;
  if (HEX.test(value)) return { kind: 'plain', signed: false, sha256: value.toLowerCase() };
  if (streamingForm(value) === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return { kind: 'chunked', trailers: true };
  throw new ArtefactError('InvalidRequest', 'Signed chunks need a request that is signed with AWS4-HMAC-SHA256.');
}

function isAwsChunked(contentEncoding: string | undefined): boolean {
  return (contentEncoding ?? '').split(',').some((coding) => coding.trim().toLowerCase() === 'aws-chunked');
}

function streamingForm(value: string): Streaming {
  if (ECDSA.test(value)) {
    throw new ArtefactError('NotImplemented', 'Chunks signed with AWS4-ECDSA-P256-SHA256 are not accepted; sign with AWS4-HMAC-SHA256.');
  }
  const form = STREAMING.find((known) => known === value);
  if (form !== undefined) return form;
  throw new ArtefactError('InvalidArgument', `x-amz-content-sha256 must be ${ACCEPTED} or a valid sha256 value.`, {
    details: { argumentName: 'x-amz-content-sha256', argumentValue: value.slice(0, 128) },
  });
}
