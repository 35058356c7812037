/**
 * Knows whether the files that were opened still stand in the data directory. SQLite goes on writing to a database that was moved
 * away or removed, and nobody would find what was acknowledged then.
 */
import { statSync } from 'node:fs';
import { unavailable } from './failure.ts';
import type { Layout } from './layout.ts';

/** The files of records as they were when they were opened; can be sent to another thread. */
export type Marks = readonly string[];

/** Takes the marks of a database that is open, so that its log stands beside it. */
export function marksOf(layout: Layout): Marks {
  return [layout.database, `${layout.database}-wal`].map(markOf);
}

/** Answers a function that costs some microseconds and throws `Unavailable` unless the same files stand there. */
export function openStanding(layout: Layout, location: string, marks: Marks): () => void {
  return () => {
    if (marksOf(layout).every((mark, index) => mark === marks[index])) return;
    throw unavailable(
      location,
      'its directory was moved, removed or replaced while Bonded ran; put it back, or start Bonded again with the right one',
    );
  };
}

function markOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : '';
}
