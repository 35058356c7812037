/** Byte ranges of reads (RFC 9110 §14), as S3 answers them: one range, or the whole. */
import type { ByteRange } from '../../../storage/contract.ts';
import { s3Error } from '../errors.ts';
import { ArtefactError } from '../../../errors.ts';

/** What a Range field asks for, before the size is known. */
export type RangeRequest = { readonly first: number; readonly last?: number } | { readonly suffix: number };

/** White space is bounded: two runs of it beside each other would make the match quadratic. */
const ONE_RANGE = /^bytes[ \t]{0,8}=[ \t]{0,8}(\d*)[ \t]{0,8}-[ \t]{0,8}(\d*)[ \t]{0,8}$/i;

/**
 * Reads a Range field. Undefined when there is none, and for what a server ignores: another unit, a malformed value
 * (RFC 9110 §14.2), and several ranges, to which S3 answers the whole.
 */
export function parseRange(field: string | undefined): RangeRequest | undefined {
  const match = field === undefined ? null : ONE_RANGE.exec(field);
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : { suffix: bounded(last) };
  if (last === '') return { first: bounded(first) };
  return bounded(last) < bounded(first) ? undefined : { first: bounded(first), last: bounded(last) };
}

/**
 * The bytes that a request means of `size`; undefined for the whole as a plain 200 (no range asked for, or a suffix of
 * nothing, which S3 answers so). Throws `InvalidRange` when no byte of it exists.
 */
export function resolveRange(request: RangeRequest | undefined, size: number, field: string): ByteRange | undefined {
  if (request === undefined) return undefined;
  if ('suffix' in request) {
    if (request.suffix === 0) throw unsatisfiable(field, size);
    if (size === 0) return undefined;
    const length = Math.min(request.suffix, size);
    return { offset: size - length, length };
  }
  if (request.first >= size) throw unsatisfiable(field, size);
  const last = Math.min(request.last ?? size - 1, size - 1);
  return { offset: request.first, length: last - request.first + 1 };
}

/** `bytes a-b/size` of a part that was found. */
export function contentRange({ offset, length }: ByteRange, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}

const COPY_RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

/**
 * Reads `x-amz-copy-source-range`, which has one form only: `bytes=first-last`, both within the source.
 * Throws `InvalidArgument` for any other, and where the source is shorter.
 */
export function parseCopyRange(field: string, size: number): ByteRange {
  const match = COPY_RANGE.exec(field);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || last < first) {
    throw copyRangeError(
      field,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  if (last >= size) throw copyRangeError(field, `Range specified is not valid for source object of size: ${size}`);
  return { offset: first, length: last - first + 1 };
}

/** The part number of a read; throws `InvalidArgument` outside 1–10,000. */
export function parsePartNumber(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= 10_000) return number;
  throw new ArtefactError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', {
    details: { argumentName: 'partNumber', argumentValue: value.slice(0, 64) },
  });
}

/** S3's answer to a part that the object has not. */
export function partNotThere(requested: number, count: number): ArtefactError {
  return s3Error('InvalidRange', 'InvalidPartNumber', 'The requested partnumber is not satisfiable', {
    partNumberRequested: requested,
    actualPartCount: count,
  });
}

function unsatisfiable(field: string, size: number): ArtefactError {
  return new ArtefactError('InvalidRange', 'The requested range is not satisfiable', {
    details: { rangeRequested: field.slice(0, 128), actualObjectSize: size },
  });
}

function copyRangeError(field: string, message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, {
    details: { argumentName: 'x-amz-copy-source-range', argumentValue: field.slice(0, 128) },
  });
}

/** More digits than any object has bytes still mean "very far". */
function bounded(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
