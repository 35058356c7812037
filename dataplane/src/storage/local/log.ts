/**
 * Looks whether the write-ahead log holds acknowledged commits that SQLite passes over. It reads a log up to the first frame that
 * is not sound, which is right after a crash, when only the last commit can be torn; behind damage it would forget the rest.
 * https://www.sqlite.org/walformat.html
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Db } from './database.ts';
import { isErrno, unavailable } from './failure.ts';
import { whenLockIsFree } from './patience.ts';

const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = [0x377f0682, 0x377f0683];

/** Where the index beside the log has the number of frames that count, and the salts of the log in use. */
const INDEX = { bytes: 40, frames: 16, salts: 32 } as const;

/**
 * A crash may leave one whole commit that was never acknowledged behind what counts: it was written in another order than it
 * was to be synced. The one before it was on disk by then.
 */
const TORN = 1;

/** Throws `Unavailable` for a log whose header is damaged. SQLite would take it for an empty one, so this comes before it is opened. */
export function checkLogHeader(file: string, location: string): void {
  const header = readAt(`${file}-wal`, 0, HEADER + FRAME_HEADER);
  const begun = header.byteLength === HEADER + FRAME_HEADER && header.some((byte) => byte !== 0);
  if (begun && !MAGIC.includes(header.readUInt32BE(0))) throw damaged(location);
}

/** Throws `Unavailable` when commits stand behind the end of what SQLite took from the log. The database is open, and its log was read. */
export function checkLogEnd(db: Db, file: string, location: string): void {
  whenLockIsFree(location, () => db.exec('BEGIN IMMEDIATE'));
  try {
    const index = readAt(`${file}-shm`, 0, INDEX.bytes);
    if (index.byteLength < INDEX.bytes) return;
    const frames = readNative(index, INDEX.frames);
    const page = Number(db.pragma('page_size', { simple: true }));
    const salts = index.subarray(INDEX.salts, INDEX.salts + 8);
    if (commitsFrom(`${file}-wal`, HEADER + frames * (FRAME_HEADER + page), { page, salts }) > TORN) throw damaged(location);
  } finally {
    db.exec('ROLLBACK');
  }
}

/** Counts frames that end a commit of this log, up to one more than may be. */
function commitsFrom(path: string, start: number, { page, salts }: { readonly page: number; readonly salts: Buffer }): number {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const frame = Buffer.alloc(FRAME_HEADER);
    let commits = 0;
    for (let at = start; at + FRAME_HEADER + page <= size && commits <= TORN; at += FRAME_HEADER + page) {
      readSync(file, frame, 0, FRAME_HEADER, at);
      if (frame.readUInt32BE(4) !== 0 && frame.subarray(8, 16).equals(salts)) commits += 1;
    }
    return commits;
  } finally {
    closeSync(file);
  }
}

/** What there is of these bytes; nothing of a file that is not there. */
function readAt(path: string, position: number, length: number): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, position));
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return Buffer.alloc(0);
    throw thrown;
  }
}

/** The index is in the order of bytes of this machine. */
function readNative(bytes: Buffer, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, new Uint8Array(new Uint16Array([1]).buffer)[0] === 1);
}

function damaged(location: string): Error {
  return unavailable(
    location,
    'its write-ahead log records.sqlite-wal is damaged, and changes that were acknowledged are in it; restore a backup, ' +
      'or move that file away to go on without them',
  );
}
