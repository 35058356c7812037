/** Paths that name a bucket and a key. Nothing is normalised: `..`, `//` and a last `/` are bytes of a key. */
import { ArtefactError } from '../errors.ts';

export interface Address {
  readonly bucket?: string;
  readonly key?: string;
}

/** "The name for a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long." */
const MAX_KEY_BYTES = 1024;

/** Names that a bucket can have; what cannot exist is refused before anything is asked. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** `{bucket}/{key}` as a path has it, without the slash in front. Throws `InvalidBucketName`, `MalformedUri`, `NameTooLong`. */
export function bucketPath(path: string): Address {
  const slash = path.indexOf('/');
  if (path === '') return {};
  return slash < 0 ? addressIn(decodePath(path), '') : addressIn(decodePath(path.slice(0, slash)), path.slice(slash + 1));
}

/** Percent-decoding of a path; `+` is itself. Throws `MalformedUri` for a bad escape, for what is not UTF-8 and for U+0000. */
export function decodePath(path: string): string {
  if (PLAIN.test(path)) return path;
  const bytes: number[] = [];
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code > 0xff) throw malformedUri();
    if (code !== PERCENT) {
      bytes.push(code);
      continue;
    }
    const hex = path.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw malformedUri('A % must be followed by two hexadecimal digits.');
    bytes.push(parseInt(hex, 16));
    at += 2;
  }
  if (bytes.includes(0)) throw malformedUri('U+0000 cannot be part of a name.');
  return decodeUtf8(Uint8Array.from(bytes));
}

const PERCENT = 0x25;
/** Nothing to decode: printable ASCII without `%`. */
const PLAIN = /^[\x21-\x24\x26-\x7e]*$/;

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformedUri('It must be UTF-8 behind its escapes.');
  }
}

/** A key, still encoded, in a bucket. Throws `InvalidBucketName`, `MalformedUri`, `NameTooLong`. */
export function addressIn(bucket: string, encodedKey: string): Address {
  if (!BUCKET_NAME.test(bucket)) {
    throw new ArtefactError('InvalidBucketName', 'The specified bucket is not valid.', { details: { bucket } });
  }
  if (encodedKey === '') return { bucket };
  const key = decodePath(encodedKey);
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES) {
    throw new ArtefactError('NameTooLong', 'Your key is too long', { details: { size, maxSizeAllowed: MAX_KEY_BYTES } });
  }
  return { bucket, key };
}

/** The refusal of a path that is none. */
export function malformedUri(why = ''): ArtefactError {
  return new ArtefactError('MalformedUri', `Couldn't parse the specified URI. ${why}`.trim());
}
