/** How often a running server's SQLite has committed. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from '../e2e/src/server.ts';

/** In the header of the WAL index: "iChange: counter incremented each transaction" (SQLite, The WAL-mode File Format). */
const CHANGES_AT = 8;

/** Transactions that all of its processes have committed; the counter stands in memory that they share, as a file that anyone may read. */
export function commitsOf(server: Pick<Server, 'dataFolder'>): number {
  const file = openSync(join(server.dataFolder, 'objects', 'records.sqlite-shm'), 'r');
  try {
    const counter = Buffer.alloc(4);
    readSync(file, counter, 0, 4, CHANGES_AT);
    return counter.readUInt32LE();
  } finally {
    closeSync(file);
  }
}
