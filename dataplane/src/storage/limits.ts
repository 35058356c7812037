/** What a driver refuses before it does anything: shared, so that no driver takes what another would not. */
import { ArtefactError } from '../errors.ts';
import { MAX_KEY, SMALL_BLOB } from './contract.ts';
import type { BlobId, ByteRange, Change, ScanQuery } from './contract.ts';

const BLOB_ID = /^[0-9A-Za-z._-]{1,128}$/;

/** The largest page of a scan or a list. */
const MAX_PAGE = 10_000;

function refuse(message: string): never {
  throw new ArtefactError('InvalidArgument', message);
}

/** Throws `InvalidArgument` for anything outside the grammar of blob ids. */
export function checkBlobId(id: BlobId): void {
  if (typeof id !== 'string' || !BLOB_ID.test(id)) refuse('A blob id has 1 to 128 characters of 0-9, A-Z, a-z, ".", "_" and "-".');
}

/** Throws `InvalidArgument`, or `NameTooLong` beyond `MAX_KEY` bytes of UTF-8. */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key === '') refuse('A record key is a string that is not empty.');
  if (!key.isWellFormed()) refuse('A record key is well-formed Unicode: it holds half of a surrogate pair.');
  if (key.startsWith('\0') || key.endsWith('\0')) refuse('A record key neither begins nor ends with U+0000.');
  // A UTF-16 unit takes at most three bytes, so short keys need no counting.
  if (key.length * 3 > MAX_KEY && Buffer.byteLength(key) > MAX_KEY) {
    throw new ArtefactError('NameTooLong', `A record key has at most ${MAX_KEY} bytes of UTF-8; use a shorter name.`);
  }
}

/** Throws `InvalidArgument` unless both numbers are whole and not negative. */
export function checkRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  const sound = Number.isSafeInteger(range.offset) && Number.isSafeInteger(range.length) && range.offset >= 0 && range.length >= 0;
  if (!sound) refuse('A byte range has a whole offset and a whole length, neither of them negative.');
}

/** Throws `InvalidArgument` for a page outside 1–10,000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) refuse(`A page has a limit of 1 to ${MAX_PAGE}.`);
}

/** Throws `InvalidArgument` for a limit outside 1–10,000 or text that is not well-formed. */
export function checkScan(query: ScanQuery): void {
  checkLimit(query.limit);
  for (const text of [query.prefix, query.after ?? '', query.delimiter ?? '']) {
    if (!text.isWellFormed()) refuse('A scan takes well-formed Unicode: its prefix, after or delimiter holds half of a surrogate pair.');
  }
}

/** Checks every change of a batch, so that a refused one is refused before the first has happened. */
export function checkChanges(changes: readonly Change[]): void {
  for (const change of changes) {
    if ('blob' in change) checkSmallBlob(change.blob, change.bytes);
    else if ('put' in change) checkPut(change);
    else checkKey(change.delete);
  }
  if (!changes.some(({ beside }) => beside)) return;
  for (const group of groupsOf(changes)) {
    if (new Set(group.map(({ change }) => targetOf(change))).size < group.length) refuse('Changes in any order are of different keys.');
  }
}

/** A change, and where it stands in its batch. */
export interface PlacedChange {
  readonly change: Change;
  readonly index: number;
}

/** The batch as groups that have an order, of changes that have none. */
export function groupsOf(changes: readonly Change[]): readonly (readonly PlacedChange[])[] {
  const groups: PlacedChange[][] = [];
  for (const [index, change] of changes.entries()) {
    if (change.beside === true && groups.length > 0) groups.at(-1)?.push({ change, index });
    else groups.push([{ change, index }]);
  }
  return groups;
}

function targetOf(change: Change): string {
  if ('blob' in change) return `blob ${change.blob}`;
  return `record ${'put' in change ? change.put : change.delete}`;
}

function checkPut(change: Extract<Change, { put: string }>): void {
  checkKey(change.put);
  if (change.ifAbsent && change.ifRevision !== undefined) refuse('A put has ifAbsent or ifRevision, never both.');
}

function checkSmallBlob(id: BlobId, bytes: Uint8Array): void {
  checkBlobId(id);
  if (bytes.byteLength > SMALL_BLOB) refuse(`A blob in a batch of changes has at most ${SMALL_BLOB} bytes; put a larger one on its own.`);
}
