/** One Range of a read (RFC 9110 §14.2), for protocols that answer no more than one. */
import { ArtefactError } from '../errors.ts';
import type { ByteRange } from '../storage/contract.ts';

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/** One range of `size` bytes; undefined for a field that is ignored. Throws `InvalidRange` when none of its bytes is there. */
export function readRange(field: string, size: number): ByteRange | undefined {
  const [, from = '', to = ''] = RANGE.exec(field.trim()) ?? [];
  const asked = from === '' ? suffix(to, size) : { first: Number(from), last: to === '' ? size - 1 : Number(to) };
  if (asked === undefined || (to !== '' && asked.last < asked.first)) return undefined;
  const last = Math.min(asked.last, size - 1);
  if (asked.first <= last) return { offset: asked.first, length: last - asked.first + 1 };
  throw new ArtefactError('InvalidRange', 'None of these bytes is there.', { details: { contentRange: `bytes */${size}` } });
}

/** The last bytes; of none, more than there are. */
function suffix(length: string, size: number): { readonly first: number; readonly last: number } | undefined {
  return length === '' ? undefined : { first: Math.max(0, size - Number(length)), last: Math.max(size - 1, size - Number(length)) };
}
