/** Where a request points: bucket and key out of host and path. Nothing is normalised: `..`, `//` and a last `/` are bytes of a key. */
import { ArtefactError } from '../../errors.ts';
import type { RequestHead } from '../contract.ts';

export interface Address {
  readonly bucket?: string;
  readonly key?: string;
}

/** "The name for a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long." */
const MAX_KEY_BYTES = 1024;

/** Names that a bucket can have; what cannot exist is refused before anything is asked. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * `/{bucket}/{key}`, or `/{key}` where the host is `{bucket}.{domain}`. Throws `MalformedUri` for a bad escape, for what is not
 * UTF-8 and for U+0000; `InvalidBucketName`; `NameTooLong`.
 */
export function addressOf(head: Pick<RequestHead, 'rawPath' | 'host'>, domains: readonly string[]): Address {
  if (!head.rawPath.startsWith('/')) throw malformedUri('The path must begin with a slash.');
  const path = head.rawPath.slice(1);
  const hosted = bucketOfHost(head.host, domains);
  if (hosted !== undefined) return checked(hosted, path);
  const slash = path.indexOf('/');
  if (path === '') return {};
  return slash < 0 ? checked(decodePath(path), '') : checked(decodePath(path.slice(0, slash)), path.slice(slash + 1));
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

/** The label before a configured domain; undefined for the domain itself and for any other host. */
export function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (domains.includes(name)) return undefined;
  const matching = domains.filter((domain) => name.endsWith(`.${domain}`));
  const domain = matching.reduce<string | undefined>(
    (best, next) => (best !== undefined && best.length >= next.length ? best : next),
    undefined,
  );
  return domain === undefined ? undefined : name.slice(0, -domain.length - 1);
}

function checked(bucket: string, encodedKey: string): Address {
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

function malformedUri(why = ''): ArtefactError {
  return new ArtefactError('MalformedUri', `Couldn't parse the specified URI. ${why}`.trim());
}
