/** Refuses a directory that has lost a part of itself: SQLite would make an empty database in its place, and nobody would be told. */
import { readdirSync, statSync } from 'node:fs';
import { isErrno, unavailable } from './failure.ts';
import type { Layout } from './layout.ts';
import { checkLogHeader } from './log.ts';

/**
 * Throws `Unavailable` where there are blobs or a log without a database, or a database without its directory of blobs. Before
 * anything is made or opened. Another process may be making it: what it makes later is looked at first.
 */
export function checkWhole(layout: Layout, location: string): void {
  const logged = sizeOf(`${layout.database}-wal`) > 0;
  const hasBlobs = (namesIn(layout.blobs)?.length ?? 0) > 0;
  const hasRecords = sizeOf(layout.database) > 0;
  if (!hasRecords && (logged || hasBlobs)) {
    throw unavailable(location, 'its records.sqlite is gone or empty, while other parts of it are there; restore a backup');
  }
  if (hasRecords && namesIn(layout.blobs) === undefined) {
    throw unavailable(location, 'its directory blobs is gone, while its records are there; mount it, or restore a backup');
  }
  checkLogHeader(layout.database, location);
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
