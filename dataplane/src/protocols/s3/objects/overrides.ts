/** The `response-*` parameters of reads: headers of this answer, instead of those stored. */
import type { ContentHeaders } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call } from '../../contract.ts';
import { invalidArgument } from '../errors.ts';
import { fitsField } from './headerText.ts';

const OVERRIDES: Readonly<Record<string, keyof ContentHeaders>> = {
  'response-content-type': 'contentType',
  'response-content-language': 'contentLanguage',
  'response-expires': 'expires',
  'response-cache-control': 'cacheControl',
  'response-content-disposition': 'contentDisposition',
  'response-content-encoding': 'contentEncoding',
};

const MAX_VALUE = 2048;

/**
 * The headers that this request replaces. Throws `InvalidRequest` for anonymous callers (else anyone could make a link under
 * our host that serves a public object as a page), and `InvalidArgument` for what is no header value.
 */
export function responseOverrides(call: Pick<Call<unknown>, 'head' | 'principal'>): ContentHeaders {
  const headers: Partial<Record<keyof ContentHeaders, string>> = {};
  for (const [name, value] of call.head.query) {
    const key = Object.hasOwn(OVERRIDES, name) ? OVERRIDES[name] : undefined;
    if (key === undefined) continue;
    if (call.principal.kind === 'anonymous') {
      throw new ArtefactError('InvalidRequest', 'Request specific response headers cannot be used for anonymous GET requests.');
    }
    if (!fitsField(value) || value.length > MAX_VALUE)
      throw invalidArgument(name, '', `${name} must be a header value of at most ${MAX_VALUE} characters.`);
    headers[key] = value;
  }
  return headers;
}
