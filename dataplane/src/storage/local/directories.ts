/** Directories that survive a power cut: a new name is durable only when the directory that holds it was synced. */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from './failure.ts';

/** Only the owner of the process may look into a data directory. */
export const DIRECTORY_MODE = 0o700;

/** Leaf directories remembered as durable; forgetting some only costs two syncs each. */
const REMEMBERED = 4096;

export interface Directories {
  /** Makes the directory, and all above it down from `root`, durable. */
  ensure(path: string): Promise<void>;
  /** Makes it anew although it was remembered (somebody removed it). */
  ensureAgain(path: string): Promise<void>;
  /** Makes the names in it durable. Calls that come while a sync is under way share the next one. */
  sync(path: string): Promise<void>;
}

/** Directories beneath `root`, which must be there. */
export function openDirectories(root: string): Directories {
  const durable = new Set<string>();
  const syncs = new Map<string, SharedSync>();

  async function ensureAgain(path: string): Promise<void> {
    const above = pathsAbove(path, root);
    for (const each of [...above.slice(1), path]) await makeOne(each);
    for (const each of above.toReversed()) await shareSync(syncs, each);
    if (durable.size >= REMEMBERED) durable.clear();
    durable.add(path);
  }

  return {
    ensure: async (path) => (durable.has(path) ? undefined : ensureAgain(path)),
    ensureAgain,
    sync: (path) => shareSync(syncs, path),
  };
}

/** From the root down to the directory that holds `path`. */
function pathsAbove(path: string, root: string): readonly string[] {
  const above = dirname(path);
  return above.length <= root.length ? [root] : [...pathsAbove(above, root), above];
}

/** Never one that is missing above it: a root that was taken away must not come to stand again, empty. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (thrown) {
    if (!isErrno(thrown, 'EEXIST')) throw thrown;
  }
}

interface SharedSync {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

/** A sync that began before a name was added may miss it, so only one that has not begun yet is shared. */
function shareSync(syncs: Map<string, SharedSync>, path: string): Promise<void> {
  const shared = syncs.get(path);
  if (!shared) return beginSync(syncs, path);
  shared.next ??= shared.running.then(
    () => beginSync(syncs, path),
    () => beginSync(syncs, path),
  );
  return shared.next;
}

function beginSync(syncs: Map<string, SharedSync>, path: string): Promise<void> {
  const running = syncDirectory(path);
  const shared: SharedSync = { running };
  syncs.set(path, shared);
  const forget = (): void => {
    if (syncs.get(path) === shared && !shared.next) syncs.delete(path);
  };
  running.then(forget, forget);
  return running;
}

/** Syncs one directory. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
