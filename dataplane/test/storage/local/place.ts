/** A data directory for one group of tests. */
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import type { Place } from '../conformance.ts';

/** A new empty directory, and how to remove it. */
export async function newDirectory(): Promise<{ readonly directory: string; readonly remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'bonded-storage-'));
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** A local store in a directory of its own. */
export async function openLocalPlace(): Promise<Place> {
  const { directory, remove } = await newDirectory();
  const { blobs, incoming } = layoutOf(directory);
  const store = await openLocalStore({ directory });
  return {
    store,
    reopen: () => openLocalStore({ directory }),
    leftovers: () => readdir(incoming),
    openFiles: async () => (await openPaths()).filter((path) => path.startsWith(blobs) || path.startsWith(incoming)).length,
    cleanup: async () => {
      await store.close();
      await remove();
    },
  };
}

/** What this process has open, where the system can tell. */
async function openPaths(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const descriptors = await readdir('/proc/self/fd');
  return Promise.all(descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')));
}
