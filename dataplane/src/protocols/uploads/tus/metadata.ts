/** Upload-Metadata of tus: names with values in base64, and what of it an object keeps. */
import type { ObjectAttributes } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import { attributesOf, checked } from '../attributes.ts';

const MAX_FIELD = 8192;
const MAX_PAIRS = 100;
/** "The key MUST NOT contain spaces and commas and MUST NOT be empty. The key SHOULD be ASCII encoded". */
const KEY = /^[\x21-\x2b\x2d-\x7e]{1,256}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Reads the field; a key without value has ''. Throws `InvalidArgument` for what is malformed, and for a key given twice. */
export function parseMetadata(field: string | undefined): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (field === undefined || field.trim() === '') return pairs;
  if (field.length > MAX_FIELD) throw malformed(`has more than ${MAX_FIELD} characters`);
  for (const pair of field.split(',')) {
    const [key, value] = readPair(pair);
    if (pairs.has(key)) throw malformed('has a key twice');
    if (pairs.size === MAX_PAIRS) throw malformed(`has more than ${MAX_PAIRS} keys`);
    pairs.set(key, value);
  }
  return pairs;
}

function readPair(pair: string): readonly [key: string, value: string] {
  const [key = '', value = '', ...more] = pair.trim().split(' ');
  if (!KEY.test(key) || more.length > 0) throw malformed('is not a list of keys, each with a value in base64');
  if (!BASE64.test(value)) throw malformed('has a value that is not base64');
  return [key, textOf(value)];
}

/** What tus clients call the media type and the name of a file. */
const TYPE_KEYS: readonly string[] = ['filetype', 'contenttype', 'type'];
const NAME_KEYS: readonly string[] = ['filename', 'name'];
/** Bonded's own: the SHA-256 of the whole in hex, checked before the name appears. */
const DIGEST_KEY = 'sha256';

export interface StatedMetadata {
  readonly attributes: ObjectAttributes;
  /** Lower-case hex. */
  readonly sha256?: string;
}

/**
 * The media type becomes Content-Type, the file name Content-Disposition and metadata; every other key becomes user metadata
 * under its lower-cased name. Throws `InvalidArgument`, `InvalidDigest`, `MetadataTooLarge`.
 */
export function readMetadata(pairs: ReadonlyMap<string, string>): StatedMetadata {
  const metadata: Record<string, string> = {};
  for (const [key, value] of pairs) if (!TYPE_KEYS.includes(key) && key !== DIGEST_KEY) metadata[metadataName(key)] = value;
  const contentType = valueOf(pairs, TYPE_KEYS);
  const name = valueOf(pairs, NAME_KEYS);
  const attributes = attributesOf(
    {
      ...(contentType === undefined ? {} : { contentType: checked('filetype', contentType) }),
      ...(name === undefined ? {} : { contentDisposition: disposition(checked('filename', name)) }),
    },
    metadata,
  );
  const sha256 = pairs.get(DIGEST_KEY)?.toLowerCase();
  if (sha256 === undefined) return { attributes };
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new ArtefactError('InvalidDigest', 'The metadata sha256 must be 64 hexadecimal digits.');
  return { attributes, sha256 };
}

function valueOf(pairs: ReadonlyMap<string, string>, keys: readonly string[]): string | undefined {
  const key = keys.find((name) => pairs.get(name) !== undefined && pairs.get(name) !== '');
  return key === undefined ? undefined : pairs.get(key);
}

/** Characters that a header name cannot have become `-`. */
function metadataName(key: string): string {
  return key.toLowerCase().replace(/[^!#$%&'*+\-.^_`|~0-9a-z]/g, '-');
}

/** RFC 6266: a plain form for names in ASCII, and the extended one (RFC 8187) for all others. */
function disposition(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return `inline; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `inline; filename*=UTF-8''${encoded}`;
}

function textOf(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw malformed('has a value that is not UTF-8 text');
  }
}

function malformed(why: string): ArtefactError {
  return new ArtefactError('InvalidArgument', `Upload-Metadata ${why}.`);
}
