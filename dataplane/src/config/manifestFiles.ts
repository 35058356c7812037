/** Which files of a directory are manifests: `*.yaml`, `*.yml` and `*.json`, at any depth, as they are at this moment. */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { ManifestProblem } from './manifestProblem.ts';

export interface ManifestFile {
  /** From the directory, with `/`. */
  readonly path: string;
  readonly absolute: string;
  /** In bytes. */
  readonly size: number;
  /** Changes when the content may have changed. */
  readonly fingerprint: string;
  /** Last change of the inode, in ms since the epoch. */
  readonly changed: number;
}

export interface FoundFiles {
  readonly files: readonly ManifestFile[];
  readonly problems: readonly ManifestProblem[];
}

const MAX_FILES = 50_000;
const MAX_DEPTH = 16;
/** Looked at together, so that a large directory neither waits for each file nor floods the thread pool. */
const BATCH = 64;

/**
 * Finds them, in the order of their paths. Names that begin with a dot are passed over, since editors, Git and mounted
 * ConfigMaps keep their own there. A link is followed when it leads to a file within the directory, and is a problem otherwise.
 */
export async function findManifests(directory: string): Promise<FoundFiles> {
  let root: string;
  let paths: readonly string[];
  try {
    root = await realpath(directory);
    paths = (await walk(root, root, 0)).toSorted();
  } catch (error) {
    return {
      files: [],
      problems: [{ file: '.', reason: `the directory cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` }],
    };
  }
  if (paths.length > MAX_FILES) return { files: [], problems: [{ file: '.', reason: `there are more than ${MAX_FILES} manifests` }] };
  const files: ManifestFile[] = [];
  const problems: ManifestProblem[] = [];
  for (let at = 0; at < paths.length; at += BATCH) {
    const looked = await Promise.all(paths.slice(at, at + BATCH).map((absolute) => look(root, absolute)));
    for (const found of looked) {
      if (found === undefined) continue;
      if ('reason' in found) problems.push(found);
      else files.push(found);
    }
  }
  return { files, problems };
}

async function walk(root: string, folder: string, depth: number): Promise<readonly string[]> {
  if (depth > MAX_DEPTH) throw Object.assign(new Error('nested too deeply'), { code: 'ELOOP' });
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // A folder that is removed while we look has nothing in it.
    if (depth > 0 && error.code === 'ENOENT') return [];
    throw error;
  });
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await walk(root, path, depth + 1)));
    else if (/\.(ya?ml|json)$/.test(entry.name) || entry.isSymbolicLink()) found.push(path);
  }
  return found;
}

/** Undefined for what is no manifest, or is gone by now. */
async function look(root: string, absolute: string): Promise<ManifestFile | ManifestProblem | undefined> {
  const path = relative(root, absolute).replaceAll(sep, '/');
  try {
    const link = (await lstat(absolute)).isSymbolicLink();
    const target = link ? await realpath(absolute) : absolute;
    const stats = await stat(target, { bigint: true });
    if (!/\.(ya?ml|json)$/.test(path))
      return stats.isDirectory() ? { file: path, reason: 'a link to a directory is not followed' } : undefined;
    if (!target.startsWith(root + sep)) return { file: path, reason: 'the link leads out of the directory of manifests' };
    if (!stats.isFile()) return { file: path, reason: 'it is not a regular file' };
    return { path, absolute: target, size: Number(stats.size), fingerprint: fingerprintOf(stats), changed: Number(stats.ctimeMs) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { file: path, reason: `it cannot be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
}

function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('-');
}
