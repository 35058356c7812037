/** Small bodies (documents, not artefacts) that a protocol reads whole before it does anything. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import type { Payload } from './contract.ts';

/**
 * Reads all of a body of at most `maxBytes`, and holds it to the SHA-256 that the request's signature covers.
 * Throws `BodyTooLarge` (before reading, where the length was declared) and `PayloadMismatch`.
 */
export async function readWhole(payload: Payload, maxBytes: number): Promise<Buffer> {
  if (payload.length !== undefined && payload.length > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of payload.bytes) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    // chunks are lent: their buffer is used again
    chunks.push(Buffer.from(chunk));
  }
  const body = Buffer.concat(chunks, length);
  if (payload.signedSha256 !== undefined) requireSigned(body, payload.signedSha256);
  return body;
}

/** Decodes UTF-8 strictly; anything else is a `MalformedBody`. A byte order mark is dropped. */
export function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ArtefactError('MalformedBody', 'The body is not UTF-8 text.', { cause });
  }
}

/** The media type of a Content-Type value: lower-case, without parameters. Undefined when none was sent. */
export function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase();
}

function requireSigned(body: Uint8Array, signedHex: string): void {
  const computed = createHash('sha256').update(body).digest();
  const signed = Buffer.from(signedHex, 'hex');
  if (signed.length === computed.length && timingSafeEqual(signed, computed)) return;
  throw new ArtefactError('PayloadMismatch', 'The body is not the one that the signature of the request covers: sign it again.');
}

function tooLarge(maxBytes: number): ArtefactError {
  return new ArtefactError('BodyTooLarge', `The body may have at most ${maxBytes} bytes.`, { details: { maxBytes } });
}
