/**
 * Text in HTTP fields. Node hands over and takes field values byte by byte (ISO 8859-1); clients mean UTF-8. Inside the house
 * a value is the text that was meant; these functions stand at both doors.
 */
import type { ContentHeaders } from '../core/object.ts';

/** The fields that travel with an object's bytes in every protocol, by what the core calls them. */
export const CONTENT_FIELDS = {
  contentType: 'content-type',
  cacheControl: 'cache-control',
  contentDisposition: 'content-disposition',
  contentEncoding: 'content-encoding',
  contentLanguage: 'content-language',
  expires: 'expires',
} as const satisfies Readonly<Partial<Record<keyof ContentHeaders, string>>>;

const NON_ASCII = /[^\x00-\x7f]/;

/** The text that a field's bytes mean: UTF-8, or ISO 8859-1 where they are not UTF-8. */
export function fromField(value: string): string {
  if (!NON_ASCII.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** The same way back: UTF-8 bytes, one character each. */
export function toField(text: string): string {
  return NON_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Characters that no field value may have (RFC 9110 §5.5): they would end the field, or worse. */
const FORBIDDEN = /[\x00-\x08\x0a-\x1f\x7f]/;

/** True when the text can stand in a field. */
export function fitsField(text: string): boolean {
  return !FORBIDDEN.test(text) && text.isWellFormed();
}
