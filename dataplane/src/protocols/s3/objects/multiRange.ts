/** Reads of several ranges (RFC 9110 §14.2, §15.3.7.2): `multipart/byteranges`, which S3 has not, for clients that ask for it. */
import { randomBytes } from 'node:crypto';
import type { Bytes, ByteRange } from '../../../storage/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import { contentRange, parseRange } from './ranges.ts';

/** More are answered with the whole, as S3 answers any number. */
const MAX_RANGES = 16;

/** A gap of fewer bytes is sent along: it is less than the head of a part. */
const GAP = 128;

const SEVERAL = /^bytes[ \t]{0,8}=([^=]{3,1024})$/i;

/**
 * The byte ranges of a field that has several, in ascending order, none touching another; undefined for a field that is about one,
 * that is malformed, or that has too many. Throws `InvalidRange` when no byte of any of them exists.
 */
export function severalRanges(field: string, size: number): readonly ByteRange[] | undefined {
  const specs = SEVERAL.exec(field)?.[1]
    ?.split(',')
    .filter((spec) => spec.trim() !== '');
  if (specs === undefined || specs.length < 2 || specs.length > MAX_RANGES) return undefined;
  const asked = specs.map((spec) => parseRange(`bytes=${spec.trim()}`));
  if (asked.includes(undefined)) return undefined;
  const found = asked.flatMap((request) => boundedRange(request!, size));
  if (found.length > 0) return merged(found);
  throw new ArtefactError('InvalidRange', 'The requested range is not satisfiable', {
    details: { rangeRequested: field.slice(0, 128), actualObjectSize: size },
  });
}

/** None where no byte of it exists: of several, those are left out. */
function boundedRange(request: NonNullable<ReturnType<typeof parseRange>>, size: number): readonly ByteRange[] {
  const first = 'suffix' in request ? Math.max(0, size - request.suffix) : request.first;
  const last = 'suffix' in request ? size - 1 : Math.min(request.last ?? size - 1, size - 1);
  return first > last ? [] : [{ offset: first, length: last - first + 1 }];
}

/** Overlapping ranges would let a small request ask for the same bytes many times over (§14.2): every byte is sent once. */
function merged(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const kept: ByteRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = kept.at(-1);
    if (last === undefined || range.offset > last.offset + last.length + GAP) kept.push(range);
    else kept[kept.length - 1] = { offset: last.offset, length: Math.max(last.length, range.offset + range.length - last.offset) };
  }
  return kept;
}

/** An answer of several parts: its headers, and its body over a way to read one range. */
export interface MultiRange {
  readonly headers: Readonly<Record<string, string>>;
  body(read: (range: ByteRange) => Bytes): Bytes;
}

/** The parts of a representation of `size` bytes and of media type `contentType` (as a header has it). */
export function multiRange(ranges: readonly ByteRange[], size: number, contentType: string): MultiRange {
  const boundary = randomBytes(18).toString('hex');
  const heads = ranges.map((range) =>
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`, 'latin1'),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length = ranges.reduce((sum, range, index) => sum + heads[index]!.length + range.length, tail.length);
  return {
    headers: { 'content-type': `multipart/byteranges; boundary=${boundary}`, 'content-length': String(length) },
    body: (read) =>
      parts(
        ranges.map((range, index) => [heads[index]!, range] as const),
        tail,
        read,
      ),
  };
}

async function* parts(
  all: readonly (readonly [head: Uint8Array, range: ByteRange])[],
  tail: Uint8Array,
  read: (range: ByteRange) => Bytes,
): AsyncGenerator<Uint8Array, void, void> {
  for (const [head, range] of all) {
    yield head;
    yield* read(range);
  }
  yield tail;
}
