/** Copies a store that is in use: its records as they are at one moment, and then every blob that they speak of. */
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, open } from 'node:fs/promises';
import Database from 'better-sqlite3';
import type { BlobId } from '../contract.ts';
import { checkBlobId } from '../limits.ts';
import { DIRECTORY_MODE, openDirectories, syncDirectory } from './directories.ts';
import { isErrno, onDisk, unavailable } from './failure.ts';
import { layoutOf, leafOf, pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { startWithholding, withheldPath } from './withheld.ts';

export interface LocalBackup {
  /**
   * Brings a blob's file to the copy: as a further link to the same bytes, which never change, or copied where the copy is on
   * another file system. False when there is no such file, also not among those deleted since the backup began.
   */
  bring(id: BlobId): Promise<boolean>;
  /** Makes the copy durable, and lets deleted blobs go. */
  end(): Promise<void>;
}

export interface LocalBackupOptions {
  readonly directory: string;
  /** Is not there yet, or is empty. */
  readonly target: string;
  readonly name?: string;
}

/**
 * Begins a backup of a store that other processes may be using: records are copied when it resolves, and `target` can be opened as a
 * store, whose blobs are to be brought. Throws `Unavailable` when there is no store, or another backup is under way.
 */
export async function beginLocalBackup(options: LocalBackupOptions): Promise<LocalBackup> {
  const location = options.name ?? 'default';
  const [from, to] = [layoutOf(options.directory), layoutOf(options.target)];
  if (!existsSync(from.database)) throw unavailable(location, 'there is no store in its directory');
  return onDisk(location, async () => {
    for (const path of [to.blobs, to.incoming]) await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    // Before the records are read: a blob that they speak of is deleted only later, and then withheld.
    const stopWithholding = await startWithholding(from, location);
    try {
      await copyDatabase(from.database, to.database);
      await syncDirectory(to.directory);
      return bringing({ from, to, location, stopWithholding });
    } catch (thrown) {
      await stopWithholding();
      throw thrown;
    }
  });
}

interface Copying {
  readonly from: Layout;
  readonly to: Layout;
  readonly location: string;
  readonly stopWithholding: () => Promise<void>;
}

function bringing({ from, to, location, stopWithholding }: Copying): LocalBackup {
  const directories = openDirectories(to.blobs);
  const leaves = new Set<string>();
  return {
    bring: (id) =>
      onDisk(location, async () => {
        checkBlobId(id);
        await directories.ensure(leafOf(to, id));
        leaves.add(leafOf(to, id));
        // In this order, since a blob moves from the one place to the other.
        for (const source of [pathOf(from, id), withheldPath(from, id)]) if (await linkOrCopy(source, pathOf(to, id))) return true;
        return false;
      }),
    end: () =>
      onDisk(location, async () => {
        try {
          for (const leaf of leaves) await syncDirectory(leaf);
        } finally {
          await stopWithholding();
        }
      }),
  };
}

/** One transaction reads it all: what is committed meanwhile is neither seen nor makes the copying begin anew. */
async function copyDatabase(from: string, to: string): Promise<void> {
  const db = new Database(from, { readonly: true, fileMustExist: true });
  try {
    db.exec('BEGIN');
    db.prepare('SELECT 1 FROM sqlite_schema').get();
    await db.backup(to, { progress: () => 0x7fff_ffff });
  } finally {
    db.close();
  }
  await chmod(to, 0o600);
  await syncFile(to);
}

/** False when the source is not there. */
async function linkOrCopy(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    if (!isErrno(thrown, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS')) throw thrown;
  }
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
  await syncFile(target);
  return true;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
