/** Content-Range of requests (RFC 9110 §14.4, §14.5). */
import { ArtefactError } from '../../errors.ts';

/** Which bytes a request carries. */
export interface ContentRange {
  /** Undefined for an unsatisfied range (an asterisk for the bytes), which carries none and asks what is there. */
  readonly bytes?: { readonly first: number; readonly last: number };
  /** Undefined for `*`. */
  readonly total?: number;
}

const FIELD = /^bytes[ \t]+(?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/i;

/** Throws `InvalidRequest` for anything else, and for a range that contradicts itself. */
export function readContentRange(field: string): ContentRange {
  const match = FIELD.exec(field.trim());
  if (match === null)
    throw invalid('Content-Range must be "bytes first-last/total", with * for a total that is not known, or "bytes */total".');
  const total = match[3] === undefined ? undefined : Number(match[3]);
  if (match[1] === undefined) return total === undefined ? {} : { total };
  const bytes = { first: Number(match[1]), last: Number(match[2]) };
  if (bytes.last < bytes.first) throw invalid('The last byte of Content-Range is before the first.');
  if (total !== undefined && bytes.last >= total) throw invalid('Content-Range reaches behind its own total.');
  return total === undefined ? { bytes } : { bytes, total };
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message);
}
