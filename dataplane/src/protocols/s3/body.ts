/** Small bodies (documents, not objects): read whole within a limit, and held to every digest that came with them. */
import { checksumOf, digestOf } from '../../core/hashing/checksums.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Payload } from '../contract.ts';
import { claimedChecksum, contentMd5 } from './checksumHeaders.ts';
import type { ClaimedChecksum } from './checksumHeaders.ts';
import { s3Error } from './errors.ts';
import { parseLongXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

type BodyCall = Pick<Call<unknown>, 'head' | 'payload'>;

/** Reads the XML document that an operation needs; an empty body is S3's MissingRequestBodyError. */
export async function readXml(call: BodyCall, roots: readonly string[], maxBytes: number): Promise<XmlElement> {
  const document = await readOptionalXml(call, roots, maxBytes);
  if (!document) throw s3Error('MalformedBody', 'MissingRequestBodyError', 'Request Body is empty');
  return document;
}

/** As `readXml`, but an empty body is undefined. */
export async function readOptionalXml(call: BodyCall, roots: readonly string[], maxBytes: number): Promise<XmlElement | undefined> {
  const bytes = await readBody(call, maxBytes);
  return bytes.length === 0 ? undefined : parseLongXml(bytes, roots);
}

/**
 * Reads a whole body of at most `maxBytes` and checks it against the signature's SHA-256 (`PayloadMismatch`), Content-MD5
 * and any `x-amz-checksum-*` header or trailer (`DigestMismatch`). A longer one is S3's MaxMessageLengthExceeded.
 */
export async function readBody(call: BodyCall, maxBytes: number): Promise<Uint8Array> {
  const { head, payload } = call;
  const checksum = claimedChecksum(head);
  const md5 = contentMd5(head);
  const bytes = await collect(payload, maxBytes);
  await checkSigned(bytes, payload.signedSha256);
  await checkMd5(bytes, md5);
  if (checksum) await checkChecksum(bytes, checksum, payload);
  return bytes;
}

async function collect(payload: Payload, maxBytes: number): Promise<Uint8Array> {
  const tooLong = (): ArtefactError =>
    s3Error('BodyTooLarge', 'MaxMessageLengthExceeded', `Your request was too big: this document may have ${maxBytes} bytes.`, {
      maxSizeAllowed: maxBytes,
    });
  if (payload.length !== undefined && payload.length > maxBytes) throw tooLong();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of payload.bytes) {
    length += chunk.length;
    if (length > maxBytes) throw tooLong();
    chunks.push(Buffer.from(chunk)); // lent: `slice` of a Buffer would share it
  }
  return Buffer.concat(chunks, length);
}

async function checkSigned(bytes: Uint8Array, signedSha256: string | undefined): Promise<void> {
  if (signedSha256 === undefined) return;
  const computed = (await digestOf('SHA256', bytes)).toString('hex');
  if (computed === signedSha256) return;
  throw new ArtefactError('PayloadMismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
    details: { clientComputedContentSHA256: signedSha256, s3ComputedContentSHA256: computed },
  });
}

async function checkMd5(bytes: Uint8Array, claimedHex: string | undefined): Promise<void> {
  if (claimedHex === undefined || (await digestOf('MD5', bytes)).toString('hex') === claimedHex) return;
  throw new ArtefactError('DigestMismatch', 'The Content-MD5 you specified did not match what we received.', {
    details: { expectedDigest: claimedHex },
  });
}

async function checkChecksum(bytes: Uint8Array, { algorithm, value }: ClaimedChecksum, payload: Payload): Promise<void> {
  const claimed = value ?? payload.trailers.get(`x-amz-checksum-${algorithm.toLowerCase()}`)?.trim();
  if (claimed === undefined) throw new ArtefactError('MalformedBody', 'The trailer that x-amz-trailer announces did not come.');
  if ((await checksumOf(algorithm, bytes)) === claimed) return;
  throw new ArtefactError('DigestMismatch', `The ${algorithm} you specified did not match the calculated checksum.`);
}
