/** Refuses a directory that has lost a part of itself: SQLite would make an empty database in its place, and nobody would be told. */
import { readdirSync, statSync } from 'node:fs';
import { isErrno, unavailable } from './failure.ts';
import type { Layout } from './layout.ts';
import { checkLogHeader } from './log.ts';

/**
 * Throws `Unavailable` where there are blobs or a log without a database, and for a log whose beginning is damaged. Before anything is
 * made or opened. Another process may be making it: what it makes later is looked at first.
 */
export function checkBeforeOpening(layout: Layout, location: string): void {
  const logged = sizeOf(`${layout.database}-wal`) > 0;
  const hasBlobs = (namesIn(layout.blobs)?.length ?? 0) > 0;
  if ((logged || hasBlobs) && sizeOf(layout.database) === 0) {
    throw unavailable(location, 'its records.sqlite is gone or empty, while other parts of it are there; restore a backup');
  }
  checkLogHeader(layout.database, location);
}

/** True for a database whose directory of blobs is gone. That is made first, so it was there. */
export function hasLostBlobs(layout: Layout): boolean {
  return sizeOf(layout.database) > 0 && namesIn(layout.blobs) === undefined;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function namesIn(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}
