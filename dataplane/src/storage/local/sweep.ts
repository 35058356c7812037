/** Removes what processes that died in the middle left behind, and what nobody needs any more. */
import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './failure.ts';
import type { Layout } from './layout.ts';
import { sweepWithheld } from './withheld.ts';

/** A part nobody wrote to for this long has no writer any more: live ones are written to at least every MiB. */
const ABANDONED_MS = 60 * 60 * 1000;

/** An empty directory of this age gets no new ids any more (one that does is made again). */
const EMPTY_MS = 24 * 60 * 60 * 1000;

const SWEEP_PARTS_EVERY_MS = 60 * 60 * 1000;
const SWEEP_DIRECTORIES_EVERY_MS = 24 * 60 * 60 * 1000;

/** Sweeps from time to time, until the answered function is called. */
export function startSweeping(layout: Layout): () => void {
  // Nobody waits for these: one that fails is made again the next time.
  const timers = [
    setInterval(() => void sweepIncoming(layout).catch(() => undefined), SWEEP_PARTS_EVERY_MS),
    setInterval(() => void sweepEmptyDirectories(layout).catch(() => undefined), SWEEP_DIRECTORIES_EVERY_MS),
    setInterval(() => void sweepWithheld(layout).catch(() => undefined), SWEEP_PARTS_EVERY_MS),
  ];
  for (const timer of timers) timer.unref();
  return () => timers.forEach((timer) => clearInterval(timer));
}

/** Removes parts that nobody has written to for an hour; those of other live processes stay. Answers how many it removed. */
export async function sweepIncoming(layout: Layout, now: number = Date.now()): Promise<number> {
  let removed = 0;
  for (const name of await readdir(layout.incoming)) {
    if (await removeOld(join(layout.incoming, name), now - ABANDONED_MS, unlink)) removed += 1;
  }
  return removed;
}

/** Removes empty directories of blobs that were not changed for a day. Answers how many it removed. */
export async function sweepEmptyDirectories(layout: Layout, now: number = Date.now()): Promise<number> {
  let removed = 0;
  for (const outer of await readdir(layout.blobs)) {
    for (const inner of await readdir(join(layout.blobs, outer))) {
      if (await removeOld(join(layout.blobs, outer, inner), now - EMPTY_MS, rmdir)) removed += 1;
    }
    if (await removeOld(join(layout.blobs, outer), now - EMPTY_MS, rmdir)) removed += 1;
  }
  return removed;
}

/** Another process may be faster, and a directory with blobs in it refuses: both are no failure. */
async function removeOld(path: string, before: number, remove: (path: string) => Promise<void>): Promise<boolean> {
  try {
    if ((await stat(path)).mtimeMs > before) return false;
    await remove(path);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) return false;
    throw thrown;
  }
}
