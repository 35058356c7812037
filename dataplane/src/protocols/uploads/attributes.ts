/** What a request that makes an upload says about the object beside its bytes. */
import type { Conditions, ContentHeaders, ObjectAttributes } from '../../core/object.ts';
import { ArtefactError } from '../../errors.ts';
import type { RequestHead } from '../contract.ts';
import { CONTENT_FIELDS, fitsField, fromField } from '../fieldText.ts';

const META = 'x-amz-meta-';
/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** As in S3: all names and values together, in UTF-8 bytes. */
const MAX_METADATA = 2048;
const MAX_VALUE = 2048;

/** Headers that say what is not offered here: refused rather than dropped. */
const UNBUILT = /^x-amz-(server-side-encryption|object-lock|tagging|storage-class|acl|grant-|website-redirect)/;

/** Reads content headers and user metadata. Throws `InvalidArgument`, `MetadataTooLarge`, `NotImplemented`. */
export function readAttributes({ headers }: RequestHead): ObjectAttributes {
  const content: Partial<Record<keyof ContentHeaders, string>> = {};
  for (const [key, name] of Object.entries(CONTENT_FIELDS) as [keyof ContentHeaders, string][]) {
    const value = headers[name] === undefined ? '' : withoutTransfer(fromField(headers[name]).trim());
    if (value !== '') content[key] = checked(name, value);
  }
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (UNBUILT.test(name))
      throw new ArtefactError('NotImplemented', `${name} is not taken by resumable uploads: use S3's own requests for it.`);
    if (name.startsWith(META) && value !== undefined) metadata[name.slice(META.length)] = fromField(value);
  }
  return attributesOf(content, metadata);
}

/** `aws-chunked` is a coding of the transfer: what is stored is what was inside. */
function withoutTransfer(value: string): string {
  return value.replace(/^aws-chunked(,\s*|$)/i, '');
}

/** Holds user metadata to what S3 can give back. Throws `InvalidArgument`, `MetadataTooLarge`. */
export function attributesOf(headers: ContentHeaders, metadata: Readonly<Record<string, string>>): ObjectAttributes {
  let size = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (!TOKEN.test(name)) throw new ArtefactError('InvalidArgument', 'The name of user metadata must be a header name, in lower case.');
    checked(name, value);
    size += name.length + Buffer.byteLength(value);
  }
  if (size > MAX_METADATA) throw new ArtefactError('MetadataTooLarge', `User metadata may have ${MAX_METADATA} bytes in all.`);
  return { headers, metadata, tags: {}, storageClass: 'STANDARD' };
}

/** Throws `InvalidArgument` for text that no header could give back. */
export function checked(name: string, value: string): string {
  if (fitsField(value) && value.length <= MAX_VALUE) return value;
  throw new ArtefactError(
    'InvalidArgument',
    `${name.slice(0, 64)} must not hold control characters, nor more than ${MAX_VALUE} characters.`,
  );
}

const ETAGS = /^\s*(\*|"[^"]{1,128}"(\s*,\s*"[^"]{1,128}")*)\s*$/;

/** If-Match and If-None-Match, which hold for the completion. Throws `InvalidArgument`, `NotImplemented`. */
export function readConditions({ headers }: RequestHead): Conditions {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw new ArtefactError('NotImplemented', 'If-None-Match takes * only.');
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw new ArtefactError('NotImplemented', 'Give If-Match or If-None-Match, not both.');
  if (ifMatch !== undefined && !ETAGS.test(ifMatch)) throw new ArtefactError('InvalidArgument', 'If-Match must be * or a list of ETags.');
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: ifMatch.split(',').map((etag) => etag.trim().replace(/^"(.*)"$/, '$1')) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: ['*'] }),
  };
}
