/** `main.ts backup <directory>`: copies a data directory that a server may be using, so that the copy is one from which it can start. */
import { cp, copyFile, mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { copyConfigStore } from '../config/store.ts';
import { syncFolder } from '../config/durableFile.ts';
import type { Settings } from '../config/settings.ts';
import { blobsInUse } from '../core/inUse.ts';
import { ArtefactError } from '../errors.ts';
import { beginLocalBackup, type LocalBackup } from '../storage/local/backup.ts';
import { openLocalStore } from '../storage/local/store.ts';
import { LOCATION } from './installation.ts';
import { OBJECTS } from './location.ts';

/** What the copy has. */
export interface BackedUp {
  readonly target: string;
  /** Files of blobs; smaller ones are in the records. */
  readonly files: number;
  /** Digests whose bytes are not there: they were not there in the store either. */
  readonly missing: readonly string[];
}

/** The copy of the manifests in the target. */
const MANIFESTS = 'manifests';

/** Written last: a backup without it was broken off. */
const DONE = 'backup.json';

/** A directory of manifests that is changed while it is copied is copied anew this often. */
const TRIES = 10;

/**
 * Takes a backup to a new directory: a data directory, with the manifests in it. Throws `InvalidArgument` for a target that
 * cannot be one, `Unavailable` when it cannot be taken.
 */
export async function takeBackup(settings: Settings, directory: string): Promise<BackedUp> {
  if (settings.storageFile !== undefined) {
    throw new ArtefactError('InvalidArgument', 'The content is in an S3 bucket (BONDED_STORAGE): back that up by its own means.');
  }
  const target = await newTarget(settings, directory);
  const backup = await beginLocalBackup({ directory: join(settings.data, OBJECTS), target: join(target, OBJECTS), name: LOCATION });
  const brought = await bringAll(backup, join(target, OBJECTS)).finally(() => backup.end());
  // After the records: a bucket that they know has a manifest by now.
  await copyManifests(settings.manifests, join(target, MANIFESTS));
  await copyConfiguration(settings, target);
  const done = { taken: new Date().toISOString(), files: brought.files, missing: brought.missing };
  await writeFile(join(target, DONE), `${JSON.stringify(done)}\n`, { mode: 0o600, flush: true });
  for (const folder of [target, resolve(target, '..')]) await syncFolder(folder);
  return { target, ...brought };
}

/** Makes it. A backup in the data directory would be lost with it. */
async function newTarget({ data }: Settings, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const target = await realpath(directory);
  if (`${target}${sep}`.startsWith(`${await realpath(data)}${sep}`)) refuse(`${directory} is in the data directory`);
  if ((await readdir(target)).length > 0) refuse(`${directory} is not empty`);
  return target;
}

function refuse(what: string): never {
  throw new ArtefactError('InvalidArgument', `No backup was taken: ${what}. Name a new directory.`);
}

async function bringAll(backup: LocalBackup, objects: string): Promise<Pick<BackedUp, 'files' | 'missing'>> {
  const copy = await openLocalStore({ directory: objects, name: LOCATION });
  const missing = new Set<string>();
  let files = 0;
  try {
    for await (const { blob, digest } of blobsInUse(copy)) {
      if ((await copy.blobs.head(blob)) !== undefined) continue;
      if (await backup.bring(blob)) files += 1;
      else if (digest !== undefined) missing.add(digest);
    }
  } finally {
    await copy.close();
  }
  return { files, missing: [...missing] };
}

/** Files whose name begins with a dot are on their way, or another program's. */
async function copyManifests(from: string, to: string): Promise<void> {
  const filter = (path: string): boolean => path === from || !basename(path).startsWith('.');
  for (let tries = 1; ; tries += 1) {
    try {
      return await cp(from, to, { recursive: true, force: true, filter });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || tries === TRIES) throw thrown;
    }
  }
}

async function copyConfiguration({ data, signingKeyFile }: Settings, target: string): Promise<void> {
  await copyConfigStore(join(data, 'config.db'), join(target, 'config.db'));
  const ownKey = join(data, 'signing-key');
  const files = ['root-credentials', ...(resolve(signingKeyFile) === resolve(ownKey) ? ['signing-key'] : [])];
  for (const file of files) await copyFile(join(data, file), join(target, file));
}
