/**
 * The canonical request of SigV4 by S3's rules: over the target as sent, the path encoded once and never normalised,
 * query parameters sorted by encoded name and value. Strings hold one wire byte a character.
 */
import { hash } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { ALGORITHM } from './credentialScope.ts';

const PLAIN = /^[\w.~-]*$/;
const PLAIN_PATH = /^[\w.~/-]*$/;
const SLASH = 0x2f;
const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** What a signature covers. */
export interface SignedParts {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** Lower-cased names. */
  readonly signedHeaders: readonly string[];
  /** The last line: `x-amz-content-sha256`, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
}

/** The canonical request. The signature's own query parameter is left out. Throws `MalformedUri` for broken percent-encoding. */
export function canonicalRequest(parts: SignedParts): string {
  const names = [...parts.signedHeaders].sort();
  return [
    parts.method,
    canonicalPath(parts.rawPath),
    canonicalQuery(parts.rawQuery),
    canonicalHeaders(parts.rawHeaders, names),
    names.join(';'),
    parts.payloadHash,
  ].join('\n');
}

/** The string to sign of a canonical request. */
export function stringToSign(amzDate: string, scope: string, canonical: string): string {
  return [ALGORITHM, amzDate, scope, hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')].join('\n');
}

/** Each byte but the unreserved ones (RFC 3986 §2.3) and `/` percent-encoded, whatever was encoded before. */
export function canonicalPath(rawPath: string): string {
  if (PLAIN_PATH.test(rawPath)) return rawPath;
  return encode(percentDecode(rawPath), true);
}

/** Parameters sorted by encoded name, then by encoded value; `+` means a space, a name without `=` has the value ''. */
export function canonicalQuery(raw: string): string {
  const parameters = raw.split('&').flatMap((piece) => (piece === '' ? [] : [canonicalParameter(piece)]));
  return parameters
    .filter(([name]) => name.toLowerCase() !== 'x-amz-signature')
    .sort(([nameA, valueA], [nameB, valueB]) => order(nameA, nameB) || order(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalParameter(piece: string): readonly [string, string] {
  const equals = piece.indexOf('=');
  const [name, value] = equals === -1 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)];
  return [canonicalText(name), canonicalText(value)];
}

function canonicalText(text: string): string {
  return PLAIN.test(text) ? text : encode(percentDecode(text.replaceAll('+', ' ')), false);
}

function canonicalHeaders(rawHeaders: SignedParts['rawHeaders'], names: readonly string[]): string {
  const values = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const [name, value] of rawHeaders) values.get(name)?.push(collapse(value));
  return names.map((name) => `${name}:${values.get(name)?.join(',') ?? ''}\n`).join('');
}

/** Only space and tab: other bytes that JavaScript takes for white space are parts of UTF-8 sequences here. */
function collapse(value: string): string {
  return value
    .replaceAll(/[ \t]+/g, ' ')
    .replace(/^ /, '')
    .replace(/ $/, '');
}

function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let at = 0; at < text.length; at += 1, length += 1) {
    if (text[at] !== '%') {
      bytes[length] = bytes[at] as number;
      continue;
    }
    const hex = text.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) throw new ArtefactError('MalformedUri', "Couldn't parse the specified URI.");
    bytes[length] = Number.parseInt(hex, 16);
    at += 2;
  }
  return bytes.subarray(0, length);
}

function encode(bytes: Buffer, keepSlash: boolean): string {
  let text = '';
  for (const byte of bytes) text += keepSlash && byte === SLASH ? '/' : ENCODED[byte];
  return text;
}

/** Percent-encodes UTF-8 text as SigV4 wants it; `/` stays in paths. */
export function encodeText(text: string, keepSlash = false): string {
  return encode(Buffer.from(text, 'utf8'), keepSlash);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
