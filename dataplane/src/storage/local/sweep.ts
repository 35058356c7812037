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

const LOOK_AT_PARTS_EVERY_MS = 10 * 60 * 1000;
const SWEEP_WITHHELD_EVERY_MS = 60 * 60 * 1000;
const SWEEP_DIRECTORIES_EVERY_MS = 24 * 60 * 60 * 1000;

/** Sweeps from time to time, until the answered function is called. */
export function startSweeping(layout: Layout): () => void {
  const sweepIncoming = openIncomingSweep(layout);
  const lookAtParts = (): void => void sweepIncoming().catch(() => undefined);
  lookAtParts();
  // Nobody waits for these: one that fails is made again the next time.
  const timers = [
    setInterval(lookAtParts, LOOK_AT_PARTS_EVERY_MS),
    setInterval(() => void sweepEmptyDirectories(layout).catch(() => undefined), SWEEP_DIRECTORIES_EVERY_MS),
    setInterval(() => void sweepWithheld(layout).catch(() => undefined), SWEEP_WITHHELD_EVERY_MS),
  ];
  for (const timer of timers) timer.unref();
  return () => timers.forEach((timer) => clearInterval(timer));
}

/** A part as this process saw it first, or saw it changed last. */
interface Sighting {
  readonly size: number;
  readonly modified: number;
  /** By the clock of this process that never jumps, in ms. */
  readonly since: number;
}

/** Removes parts that no writer comes back to (`company.ts`). */
export async function removeOrphans(layout: Layout, names: readonly string[]): Promise<void> {
  for (const name of names) await unlessGone(unlink(join(layout.incoming, name)));
}

/**
 * Answers a function that looks at all parts, and removes those that this process has seen unchanged for an hour, by a clock that never
 * jumps: what a process that died has left while others live. It answers how many it removed.
 *
 * What the files' own times say is not asked: they come from a clock that may be put forward, and then every part that is being
 * written would look old, those of other processes too. A part changes with every MiB, whatever the clock shows. This alone would
 * leave what a crash left for an hour, and for ever where no process lives that long; so a process that starts alone sweeps at once.
 */
export function openIncomingSweep(layout: Layout, elapsed: () => number = () => performance.now()): () => Promise<number> {
  let seen: ReadonlyMap<string, Sighting> = new Map();
  return async () => {
    const now = elapsed();
    const sightings = new Map<string, Sighting>();
    let removed = 0;
    for (const name of await readdir(layout.incoming)) {
      const path = join(layout.incoming, name);
      const sighting = await look(path, seen.get(name), now);
      if (sighting === undefined) continue;
      if (now - sighting.since < ABANDONED_MS) sightings.set(name, sighting);
      else if (await unlessGone(unlink(path).then(() => true))) removed += 1;
    }
    seen = sightings;
    return removed;
  };
}

async function look(path: string, before: Sighting | undefined, now: number): Promise<Sighting | undefined> {
  const found = await unlessGone(stat(path));
  if (found === undefined) return undefined;
  const { size, mtimeMs: modified } = found;
  return before?.size === size && before.modified === modified ? before : { size, modified, since: now };
}

/** Its writer, or another process that sweeps, may be faster. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
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
