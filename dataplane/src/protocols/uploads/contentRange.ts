/** Content-Range of requests (RFC 9110 §14.4, §14.5) and Range of reads (§14.2). */
import type { ByteRange } from '../../storage/contract.ts';
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

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/** One range of `size` bytes; undefined for a field that is ignored. Throws `InvalidRange` when none of its bytes is there. */
export function readRange(field: string, size: number): ByteRange | undefined {
  const [, from = '', to = ''] = RANGE.exec(field.trim()) ?? [];
  const asked = from === '' ? suffix(to, size) : { first: Number(from), last: to === '' ? size - 1 : Number(to) };
  if (asked === undefined || (to !== '' && asked.last < asked.first)) return undefined;
  const last = Math.min(asked.last, size - 1);
  if (asked.first <= last) return { offset: asked.first, length: last - asked.first + 1 };
  throw new ArtefactError('InvalidRange', 'None of these bytes is stored yet.', { details: { contentRange: `bytes */${size}` } });
}

/** The last bytes; of none, more than there are. */
function suffix(length: string, size: number): { readonly first: number; readonly last: number } | undefined {
  return length === '' ? undefined : { first: Math.max(0, size - Number(length)), last: Math.max(size - 1, size - Number(length)) };
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message);
}
