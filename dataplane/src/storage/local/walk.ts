/** Walks the files of blobs in the order of their ids. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobId } from '../contract.ts';
import { isErrno } from './failure.ts';
import { beginnings, fileName, idOf } from './layout.ts';
import type { Layout } from './layout.ts';

/** A directory that changed this short ago may change again without its time of change showing it. */
const RACY_MS = 2000;

/** A reading of a directory that holds as long as the directory's time of change is the same. */
interface Reading {
  readonly path: string;
  readonly changed: bigint;
  readonly names: readonly string[];
}

export interface Walk {
  /** Ids of files strictly after `after`, at most `limit`, ascending. */
  list(after: BlobId | undefined, limit: number): Promise<readonly BlobId[]>;
}

/** A walk over the blobs of this layout. It keeps the last directory it read, so that its next page need not read it again. */
export function openWalk(layout: Layout): Walk {
  let last: Reading | undefined;

  async function leaf(path: string): Promise<readonly string[]> {
    const changed = await changeTime(path);
    if (last?.path === path && last.changed === changed) return last.names;
    const names = await sortedIds(path);
    const settled = changed !== undefined && Date.now() - Number(changed / 1_000_000n) > RACY_MS;
    last = settled ? { path, changed, names } : undefined;
    return names;
  }

  async function list(after: BlobId | undefined, limit: number): Promise<readonly BlobId[]> {
    const found: BlobId[] = [];
    const [outerStart, innerStart] = beginnings(after ?? '');
    for (const outer of await directoriesFrom(layout.blobs, outerStart)) {
      for (const inner of await directoriesFrom(outer, innerStart)) {
        const names = await leaf(inner);
        for (let at = firstAfter(names, after); at < names.length && found.length < limit; at += 1) found.push(names[at] ?? '');
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  return { list };
}

async function directoriesFrom(path: string, start: string): Promise<string[]> {
  const ids = await sortedIds(path);
  return ids.filter((id) => id >= start).map((id) => join(path, fileName(id)));
}

/** Blob ids are ASCII, so JavaScript's order of them is their byte order. */
async function sortedIds(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).map(idOf).sort();
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}

async function changeTime(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).mtimeNs;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

function firstAfter(ids: readonly BlobId[], after: BlobId | undefined): number {
  if (after === undefined) return 0;
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
