/**
 * Looks whether the write-ahead log holds acknowledged commits that SQLite passes over. It reads a log up to the first frame that
 * is not sound, which is right after a crash, when only the last commit can be torn; behind damage it would forget the rest.
 * https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 *
 * The log alone is read: opening and closing the database or its index here would take away the locks that SQLite has on them.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Db } from './database.ts';
import { isErrno, unavailable } from './failure.ts';
import { whenLockIsFree } from './patience.ts';

const HEADER = 32;
const FRAME_HEADER = 24;
const LITTLE_ENDIAN = 0x377f0682;
const BIG_ENDIAN = 0x377f0683;

/** Frames read at a time. */
const AT_ONCE = 128;

/**
 * A crash may leave one whole commit that was never acknowledged behind what counts: it was written in another order than it
 * was to be synced. The one before it was on disk by then.
 */
const TORN = 1;

/** Throws `Unavailable` for a log whose header is damaged. SQLite would take it for an empty one, so this comes before it is opened. */
export function checkLogHeader(file: string, location: string): void {
  const log = openLog(file);
  if (log === undefined) return;
  try {
    const beginning = Buffer.alloc(HEADER + FRAME_HEADER);
    const length = readSync(log, beginning, 0, beginning.length, 0);
    const begun = length === beginning.length && beginning.some((byte) => byte !== 0);
    if (begun && !isHeader(beginning.subarray(0, HEADER))) throw damaged(location);
  } finally {
    closeSync(log);
  }
}

/** Throws `Unavailable` when commits stand behind a frame that is not sound. Costs a reading of the log, some 10 ms. */
export function checkLogEnd(db: Db, file: string, location: string): void {
  const log = openLog(file);
  if (log === undefined) return;
  try {
    // Nobody writes to it meanwhile.
    whenLockIsFree(location, () => db.exec('BEGIN IMMEDIATE'));
    if (commitsBehindDamage(log, Number(db.pragma('page_size', { simple: true }))) > TORN) throw damaged(location);
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK');
    closeSync(log);
  }
}

function commitsBehindDamage(log: number, page: number): number {
  const header = Buffer.alloc(HEADER);
  if (readSync(log, header, 0, HEADER, 0) < HEADER || !isHeader(header)) return 0;
  const size = FRAME_HEADER + page;
  const frames = Buffer.alloc(AT_ONCE * size);
  const sums = new Uint32Array([header.readUInt32BE(24), header.readUInt32BE(28)]);
  let sound = true;
  let commits = 0;
  for (let at = HEADER; commits <= TORN;) {
    const read = readSync(log, frames, 0, frames.length, at);
    for (let start = 0; start + size <= read; start += size) {
      const frame = frames.subarray(start, start + size);
      // Another salt: it is left of an earlier use of the file.
      if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) return commits;
      if (sound) sound = isSound(frame, sums, header);
      else if (frame.readUInt32BE(4) !== 0) commits += 1;
    }
    if (read < frames.length) return commits;
    at += read;
  }
  return commits;
}

function isHeader(header: Buffer): boolean {
  if (![LITTLE_ENDIAN, BIG_ENDIAN].includes(header.readUInt32BE(0))) return false;
  const sums = new Uint32Array(2);
  add(sums, header.subarray(0, 24), header);
  return sums[0] === header.readUInt32BE(24) && sums[1] === header.readUInt32BE(28);
}

/** Goes on with the sums over everything before it. */
function isSound(frame: Buffer, sums: Uint32Array, header: Buffer): boolean {
  add(sums, frame.subarray(0, 8), header);
  add(sums, frame.subarray(FRAME_HEADER), header);
  return sums[0] === frame.readUInt32BE(16) && sums[1] === frame.readUInt32BE(20);
}

function add(sums: Uint32Array, bytes: Buffer, header: Buffer): void {
  const copy = Buffer.alloc(bytes.length);
  bytes.copy(copy);
  const native = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? LITTLE_ENDIAN : BIG_ENDIAN;
  if (header.readUInt32BE(0) !== native) copy.swap32();
  const words = new Uint32Array(copy.buffer, copy.byteOffset, copy.length / 4);
  let [first = 0, second = 0] = sums;
  for (let at = 0; at < words.length; at += 2) {
    first = (first + words[at]! + second) >>> 0;
    second = (second + words[at + 1]! + first) >>> 0;
  }
  sums[0] = first;
  sums[1] = second;
}

/** Undefined where there is none. */
function openLog(file: string): number | undefined {
  try {
    return openSync(`${file}-wal`, 'r');
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

function damaged(location: string): Error {
  return unavailable(
    location,
    'its write-ahead log records.sqlite-wal is damaged, and changes that were acknowledged are in it; restore a backup, ' +
      'or move that file away to go on without them',
  );
}
