/** The headers that travel with an object: read from a request or a form, written back with the object. */
import type { ContentHeaders } from '../../../core/object.ts';
import { CONTENT_FIELDS } from '../../fieldText.ts';
import { invalidArgument } from '../errors.ts';
import { fitsField, fromField, toField } from './headerText.ts';
import type { Fields } from './headerText.ts';

/** What S3 reports for an object that came without a media type. */
export const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

const NAMES: Readonly<Record<keyof ContentHeaders, string>> = {
  ...CONTENT_FIELDS,
  websiteRedirectLocation: 'x-amz-website-redirect-location',
};

const KEYS = Object.keys(NAMES) as readonly (keyof ContentHeaders)[];

/** The longest value kept, in characters; together they must fit a record. */
const MAX_VALUE = 2048;

/** Reads the content headers that are given. Throws `InvalidArgument` for what no header could return, or for more than 2,048 characters. */
export function readContentHeaders(fields: Fields): ContentHeaders {
  const headers: Partial<Record<keyof ContentHeaders, string>> = {};
  for (const key of KEYS) {
    const raw = fields[NAMES[key]];
    const value = raw === undefined ? undefined : fromField(raw).trim();
    if (value === undefined || value === '') continue;
    if (!fitsField(value)) throw invalidArgument(NAMES[key], '', `${NAMES[key]} must not hold control characters.`);
    if (value.length > MAX_VALUE) throw invalidArgument(NAMES[key], '', `${NAMES[key]} must not be longer than ${MAX_VALUE} characters.`);
    headers[key] = value;
  }
  const contentEncoding = withoutAwsChunked(headers.contentEncoding);
  const { websiteRedirectLocation } = headers;
  if (websiteRedirectLocation !== undefined && !/^(\/|https?:\/\/)/.test(websiteRedirectLocation)) {
    throw invalidArgument(
      NAMES.websiteRedirectLocation,
      '',
      'The website redirect location must have a prefix of "http://" or "https://" or "/".',
    );
  }
  return { ...headers, contentEncoding };
}

/** Answer headers of an object. */
export function writeContentHeaders(headers: ContentHeaders): Readonly<Record<string, string>> {
  const written: Record<string, string> = { 'content-type': toField(headers.contentType ?? DEFAULT_CONTENT_TYPE) };
  for (const key of KEYS) {
    const value = headers[key];
    if (value !== undefined) written[NAMES[key]] = toField(value);
  }
  return written;
}

/** `aws-chunked` is a coding of the transfer: what is stored is what was inside. */
function withoutAwsChunked(contentEncoding: string | undefined): string | undefined {
  const codings = (contentEncoding ?? '').split(',').map((coding) => coding.trim());
  const kept = codings.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked');
  if (kept.length === codings.length) return contentEncoding;
  return kept.length === 0 ? undefined : kept.join(',');
}
