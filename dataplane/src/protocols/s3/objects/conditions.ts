/** Preconditions: of reads (RFC 9110 §13), of copy sources, and of writes, which the core decides. */
import type { Conditions, ObjectVersion } from '../../../core/object.ts';
import { failed } from '../../writing.ts';
import { invalidArgument, notImplemented } from '../errors.ts';
import type { Fields } from './headerText.ts';

/** ETags of a field without quotes; a weak one keeps its `W/`. */
type ETags = readonly string[];

const MAX_ETAGS = 100;
const ETAG = /\s*(W\/)?(?:"([^"]*)"|([^",\s]+))\s*(?:,|$)/y;

/** Reads `*` or a list of ETags; unquoted ones are accepted, as S3 does. Throws `InvalidArgument` for anything else. */
export function parseETags(name: string, field: string): ETags {
  const etags: string[] = [];
  ETAG.lastIndex = 0;
  while (ETAG.lastIndex < field.length) {
    const match = ETAG.exec(field);
    if (!match || etags.length === MAX_ETAGS) throw invalidArgument(name, field.slice(0, 128), `${name} must be * or a list of ETags.`);
    etags.push((match[1] ?? '') + (match[2] ?? match[3] ?? ''));
  }
  if (etags.length === 0) throw invalidArgument(name, '', `${name} must be * or a list of ETags.`);
  return etags;
}

/** An HTTP date in ms since the epoch; undefined for none and for what is no date, which a recipient ignores (RFC 9110 §13.1.3). */
export function parseHttpDate(field: string | undefined): number | undefined {
  const time = field === undefined ? NaN : Date.parse(field);
  return Number.isNaN(time) ? undefined : time;
}

/** Last-Modified as the wire has it: whole seconds, in ms since the epoch. */
export function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

/** The four fields that ask about a representation; copy sources have their own names for them. */
export interface ReadConditionNames {
  readonly ifMatch: string;
  readonly ifNoneMatch: string;
  readonly ifModifiedSince: string;
  readonly ifUnmodifiedSince: string;
}

export const READ_CONDITIONS: ReadConditionNames = {
  ifMatch: 'if-match',
  ifNoneMatch: 'if-none-match',
  ifModifiedSince: 'if-modified-since',
  ifUnmodifiedSince: 'if-unmodified-since',
};

export const COPY_SOURCE_CONDITIONS: ReadConditionNames = {
  ifMatch: 'x-amz-copy-source-if-match',
  ifNoneMatch: 'x-amz-copy-source-if-none-match',
  ifModifiedSince: 'x-amz-copy-source-if-modified-since',
  ifUnmodifiedSince: 'x-amz-copy-source-if-unmodified-since',
};

/**
 * Whether the version meets a read's conditions, in the precedence of RFC 9110 §13.2.2. Throws `PreconditionFailed`, naming
 * the condition; answers `unchanged` where a GET answers 304.
 */
export function judgeRead(fields: Fields, names: ReadConditionNames, version: ObjectVersion): 'send' | 'unchanged' {
  const modified = wholeSeconds(version.modified);
  const ifMatch = fields[names.ifMatch];
  const unmodifiedSince = parseHttpDate(fields[names.ifUnmodifiedSince]);
  if (ifMatch !== undefined) {
    if (!matchesStrongly(parseETags(names.ifMatch, ifMatch), version.etag)) throw failed(names.ifMatch);
  } else if (unmodifiedSince !== undefined && modified > unmodifiedSince) {
    throw failed(names.ifUnmodifiedSince);
  }
  const ifNoneMatch = fields[names.ifNoneMatch];
  if (ifNoneMatch !== undefined) return matchesWeakly(parseETags(names.ifNoneMatch, ifNoneMatch), version.etag) ? 'unchanged' : 'send';
  const modifiedSince = parseHttpDate(fields[names.ifModifiedSince]);
  return modifiedSince !== undefined && modified <= modifiedSince ? 'unchanged' : 'send';
}

/** As `judgeRead` for the source of a copy, where "unchanged" is a failure too. */
export function judgeCopySource(fields: Fields, version: ObjectVersion): void {
  if (judgeRead(fields, COPY_SOURCE_CONDITIONS, version) === 'send') return;
  const { ifNoneMatch, ifModifiedSince } = COPY_SOURCE_CONDITIONS;
  throw failed(fields[ifNoneMatch] === undefined ? ifModifiedSince : ifNoneMatch);
}

/** If-Range (RFC 9110 §13.1.5): whether a Range still means the representation that the client has. Weak ETags never do. */
export function rangeStillMeant(ifRange: string | undefined, version: ObjectVersion): boolean {
  if (ifRange === undefined) return true;
  const field = ifRange.trim();
  if (field.startsWith('"') || !/[ ,]/.test(field)) return field.replace(/^"(.*)"$/, '$1') === version.etag;
  if (field.startsWith('W/')) return false;
  return parseHttpDate(field) === wholeSeconds(version.modified);
}

/**
 * The conditions of a PUT, completion or copy on what its name is now. If-None-Match takes `*` only, as in S3; the date
 * conditions are refused, since S3 has none for writes and ignoring one would overwrite what the client wanted kept.
 */
export function readWriteConditions(fields: Fields): Conditions {
  const ifMatch = fields['if-match'];
  const ifNoneMatch = fields['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw notImplemented('If-None-Match with anything but *');
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplemented('If-Match together with If-None-Match');
  for (const name of ['if-modified-since', 'if-unmodified-since']) if (fields[name] !== undefined) throw notImplemented(name);
  return {
    ifMatch: ifMatch === undefined ? undefined : parseETags('If-Match', ifMatch),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : ['*'],
  };
}

/** The conditions of a DELETE: If-Match, and S3's last-modified time and size of what is to be deleted. */
export function readDeleteConditions(fields: Fields): Conditions {
  const ifMatch = fields['if-match'];
  const modified = fields['x-amz-if-match-last-modified-time'];
  const size = fields['x-amz-if-match-size'];
  return {
    ifMatch: ifMatch === undefined ? undefined : parseETags('If-Match', ifMatch),
    ifMatchModified: modified === undefined ? undefined : parseModified(modified),
    ifMatchSize: size === undefined ? undefined : parseSize(size),
  };
}

/** The last-modified time of a conditional delete, as an HTTP or ISO 8601 date; throws `InvalidArgument`. */
export function parseModified(value: string): number {
  const time = parseHttpDate(value);
  if (time === undefined)
    throw invalidArgument('x-amz-if-match-last-modified-time', value.slice(0, 64), 'The last-modified time must be a date.');
  return time;
}

/** The size of a conditional delete in bytes; throws `InvalidArgument`. */
export function parseSize(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw invalidArgument('x-amz-if-match-size', value.slice(0, 64), 'The size must be a number of bytes.');
  return Number(value);
}

function matchesStrongly(etags: ETags, etag: string): boolean {
  return etags.includes('*') || etags.includes(etag);
}

function matchesWeakly(etags: ETags, etag: string): boolean {
  return etags.some((candidate) => candidate === '*' || candidate.replace(/^W\//, '') === etag);
}
