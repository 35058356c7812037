/** User metadata: the `x-amz-meta-*` fields, in and out. */
import { ArtefactError } from '../../../errors.ts';
import { invalidArgument } from '../errors.ts';
import { fitsField, fromField, toEncodedWords } from './headerText.ts';
import type { Fields } from './headerText.ts';

const PREFIX = 'x-amz-meta-';

/** All names (without prefix) and values together, in UTF-8 bytes. */
export const MAX_METADATA = 2048;

/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * Reads user metadata: names lower-cased, values as text. US-ASCII is kept as it is, encoded words (RFC 2047) too, so that
 * they come back just as they were sent. Throws `MetadataTooLarge`, and `InvalidArgument` for a name or value that no header could return.
 */
export function readMetadata(fields: Fields): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const [field, raw] of Object.entries(fields)) {
    if (raw === undefined || !field.startsWith(PREFIX)) continue;
    const name = field.slice(PREFIX.length);
    const value = fromField(raw);
    if (!TOKEN.test(name)) throw invalidArgument(field.slice(0, 128), '', 'The name of user metadata must be a header name.');
    if (!fitsField(value)) throw invalidArgument(field.slice(0, 128), '', 'The value of user metadata must not hold control characters.');
    size += name.length + Buffer.byteLength(value);
    setOwn(metadata, name, value);
  }
  if (size > MAX_METADATA) {
    throw new ArtefactError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      details: { maxSizeAllowed: MAX_METADATA, size },
    });
  }
  return metadata;
}

/** User metadata as answer headers; what no header can carry is counted in `x-amz-missing-meta`, as S3 does. */
export function metadataHeaders(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  let missing = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (TOKEN.test(name) && fitsField(value)) headers[PREFIX + name] = toEncodedWords(value);
    else missing++;
  }
  return missing === 0 ? headers : { ...headers, 'x-amz-missing-meta': String(missing) };
}

/** `__proto__` is a name like any other. */
function setOwn(record: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}
