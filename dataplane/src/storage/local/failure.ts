/** Turns what the disk and SQLite throw into the codes of the data plane, once. */
import { ArtefactError } from '../../errors.ts';

/** A failure of another thread: what is left of an error after it was sent here. */
export interface FailureReport {
  readonly code: string;
  readonly message: string;
}

/** What an operator has to know, by the beginning of an errno name or SQLite's code. */
const REASONS: readonly (readonly [code: string, reason: string])[] = [
  ['ENOSPC', 'no space is left on its disk; free some and try again'],
  ['SQLITE_FULL', 'no space is left on its disk; free some and try again'],
  ['EDQUOT', 'its disk quota is used up; free some space and try again'],
  ['EROFS', 'its file system is read-only; mount it writable and try again'],
  ['SQLITE_READONLY', 'its records are read-only; make the data directory writable and try again'],
  ['EIO', 'its disk reports an input/output error; check the disk'],
  ['SQLITE_IOERR_SHMSIZE', 'no space is left on its disk, or the disk fails; free some, or check the disk'],
  ['SQLITE_IOERR', 'its disk reports an input/output error; check the disk'],
  ['SQLITE_CORRUPT', 'its records are damaged; restore them from a backup'],
  ['SQLITE_NOTADB', 'its records are not a database; restore them from a backup'],
  ['EACCES', 'the data directory may not be accessed; check its owner and mode'],
  ['EPERM', 'the data directory does not permit this; check its owner, mode and file system'],
  ['SQLITE_CANTOPEN', 'its records cannot be opened; check the data directory, its owner and mode'],
  ['ENOENT', 'a part of the data directory is gone; restart Bonded, and let nothing else remove files there'],
  ['EMFILE', 'too many files are open; raise the limit of open files, or try again later'],
  ['ENFILE', 'too many files are open; raise the limit of open files, or try again later'],
];

/** Names of errnos and SQLite's codes; Node's own `ERR_…` are mistakes of ours, no report of a disk. */
const REPORTED = /^(E[A-Z0-9]+|SQLITE_\w+)$/;

/** Codes that pass by themselves when load goes down. */
const BUSY = ['SQLITE_BUSY', 'SQLITE_LOCKED'];

/**
 * The same failure as an ArtefactError: `SlowDown` where waiting helps, `Unavailable` with the reason for everything else
 * that a disk or SQLite reports. What is no such report (a mistake of ours) is passed on as it is.
 */
export function translate(thrown: unknown, location: string): unknown {
  if (thrown instanceof ArtefactError) return thrown;
  const code = codeOf(thrown);
  if (code === undefined || !REPORTED.test(code)) return thrown;
  if (BUSY.some((known) => code.startsWith(known))) {
    return new ArtefactError('SlowDown', `Storage location '${location}' is busy; try again in a moment.`, { cause: thrown });
  }
  const reason = REASONS.find(([known]) => code.startsWith(known))?.[1] ?? `it reports ${code}`;
  return unavailable(location, reason, thrown);
}

/** `Unavailable`, in the one wording all failures of a location have. */
export function unavailable(location: string, reason: string, cause?: unknown): ArtefactError {
  return new ArtefactError('Unavailable', `Storage location '${location}' cannot be used: ${reason}.`, { cause });
}

/** Runs one step on disk or database and translates what it throws. Never wrap reading a body in it: its errors are the caller's. */
export async function onDisk<T>(location: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (thrown) {
    throw translate(thrown, location);
  }
}

/** True when a file-system call failed with this errno name. */
export function isErrno(thrown: unknown, ...names: readonly string[]): boolean {
  return names.includes(codeOf(thrown) ?? '');
}

/** A record or page that is not as it was written. */
export function damage(message: string): Error {
  return Object.assign(new Error(message), { code: 'SQLITE_CORRUPT' });
}

/** True for what SQLite, or a look at what it answered, found damaged. */
export function isDamage(thrown: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(thrown) ?? '');
}

/** An error that can be sent to another thread. */
export function report(thrown: unknown): FailureReport {
  return { code: codeOf(thrown) ?? 'UNKNOWN', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** The opposite of `report`. */
export function fromReport(failure: FailureReport): Error {
  if (failure.code === 'Unavailable') return new ArtefactError('Unavailable', failure.message);
  return Object.assign(new Error(failure.message), { code: failure.code });
}

function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
