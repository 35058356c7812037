/**
 * Text in HTTP fields. Node hands over and takes field values byte by byte (ISO 8859-1); clients mean UTF-8. Inside the house
 * a value is the text that was meant; these functions stand at both doors.
 */
import type { RequestHead } from '../../contract.ts';
import { toField } from '../../fieldText.ts';

export { fitsField, fromField, toField } from '../../fieldText.ts';

/** Field values by lower-cased name: those of a request, or the fields of a form that stand for them. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** Query parameters of a presigned request that are its authentication, or mean something only as a header. */
const NOT_HOISTED: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
  // SDKs move it into presigned URLs, where no checksum can follow it
  'x-amz-sdk-checksum-algorithm',
]);

/**
 * The fields that a request means: its headers and, for a presigned one, the `x-amz-*` parameters that the signer moved into
 * the query (a header of the same name wins). The query of any other request adds nothing.
 */
export function requestFields(head: RequestHead): Fields {
  if (!head.query.some(([name]) => name.toLowerCase() === 'x-amz-signature')) return head.headers;
  const hoisted: Record<string, string> = {};
  for (const [name, value] of head.query) {
    const field = name.toLowerCase();
    if (field.startsWith('x-amz-') && !NOT_HOISTED.has(field)) hoisted[field] = toField(value);
  }
  return { ...hoisted, ...head.headers };
}

/** A head that says in its headers what the request means; nothing is left to find in its query. */
export function headOf(head: RequestHead, fields: Fields): RequestHead {
  return { ...head, headers: fields, query: [] };
}

const NON_ASCII = /[^\x00-\x7f]/;

const WORD_BYTES = 45;

/** Text as S3 returns it in metadata: US-ASCII as it is, anything else as encoded words (RFC 2047 §2), each at most 75 characters. */
export function toEncodedWords(text: string): string {
  if (!NON_ASCII.test(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  words.push(word);
  return words.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString('base64')}?=`).join(' ');
}
