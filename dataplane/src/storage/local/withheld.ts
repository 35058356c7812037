/**
 * While a backup is being taken, blobs that are deleted are withheld: moved to a directory where the backup still finds them. Its
 * process holds a lock that the kernel lets go of however it ends; whoever finds the lock free removes what is withheld.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { BlobId } from '../contract.ts';
import { DIRECTORY_MODE, syncDirectory } from './directories.ts';
import { isErrno, unavailable } from './failure.ts';
import { fileName } from './layout.ts';
import type { Layout } from './layout.ts';
import { isBusy } from './patience.ts';

/** The place of a blob that is withheld. */
export function withheldPath(layout: Layout, id: BlobId): string {
  return join(layout.withheld, fileName(id));
}

/** Moves a blob's file away instead of removing it; false where nothing is withheld, or there is no such file. */
export async function withhold(layout: Layout, id: BlobId, path: string): Promise<boolean> {
  try {
    await rename(path, withheldPath(layout, id));
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

/** From now on deleted blobs are withheld, in all processes; the answered function ends that. Throws `Unavailable` while another one withholds. */
export async function startWithholding(layout: Layout, location: string): Promise<() => Promise<void>> {
  const lock = take(layout);
  if (!lock) throw unavailable(location, 'another backup of it is being taken');
  try {
    await letGo(layout);
    await mkdir(layout.withheld, { mode: DIRECTORY_MODE });
    await syncDirectory(layout.directory);
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
  return async () => {
    try {
      await letGo(layout);
    } finally {
      lock.close();
    }
  };
}

/** Removes what a backup that died has left. Answers whether there can be nothing withheld any more. */
export async function sweepWithheld(layout: Layout): Promise<boolean> {
  const lock = take(layout);
  if (!lock) return false;
  try {
    await letGo(layout);
    return true;
  } finally {
    lock.close();
  }
}

/**
 * Only by whoever holds the lock. The directory leaves its place before it is emptied: until then other processes still move blobs
 * into it, and it would not be empty when it is to go.
 */
async function letGo(layout: Layout): Promise<void> {
  await rm(layout.letGo, { recursive: true, force: true });
  try {
    await rename(layout.withheld, layout.letGo);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return;
    throw thrown;
  }
  await rm(layout.letGo, { recursive: true, force: true });
}

/** Undefined while another process has it. Nothing is ever written to the file. */
function take(layout: Layout): Database.Database | undefined {
  const lock = new Database(layout.backupLock, { timeout: 0 });
  try {
    lock.exec('BEGIN IMMEDIATE');
    return lock;
  } catch (thrown) {
    lock.close();
    if (isBusy(thrown)) return undefined;
    throw thrown;
  }
}
