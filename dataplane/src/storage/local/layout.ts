/**
 * Where things are in the data directory of a location.
 *
 *     <directory>/records.sqlite            records and small blobs (and SQLite's -wal and -shm beside it)
 *     <directory>/blobs/<4>/<6>/<id>        larger blobs, below the first 4 and the first 6 characters of their id
 *     <directory>/withheld/<id>             while a backup is taken: blobs that were deleted meanwhile
 *     <directory>/withheld-let-go/<id>      the same once the backup is taken, on their way out
 *     <directory>/incoming/<id>~<nonce>     blobs on their way, linked to their place when they are whole and on disk
 *
 * Directory names are beginnings of the ids beneath, so a walk in name order meets the ids in their order: `list` needs no
 * index. Ids whose first ten characters are base32 milliseconds get a directory per 17 minutes, and one above per 12 days.
 * Other ids work as well; those with equal beginnings share a directory.
 */
import { join } from 'node:path';
import type { BlobId } from '../contract.ts';

const OUTER = 4;
const INNER = 6;

export interface Layout {
  readonly directory: string;
  readonly database: string;
  readonly blobs: string;
  readonly incoming: string;
  readonly withheld: string;
  readonly letGo: string;
  /** Held by the process that takes a backup. */
  readonly backupLock: string;
  /** Shared by all processes that have the store open. */
  readonly openLock: string;
}

/** The paths of one location. */
export function layoutOf(directory: string): Layout {
  return {
    directory,
    database: join(directory, 'records.sqlite'),
    blobs: join(directory, 'blobs'),
    incoming: join(directory, 'incoming'),
    withheld: join(directory, 'withheld'),
    letGo: join(directory, 'withheld-let-go'),
    backupLock: join(directory, 'backup.lock'),
    openLock: join(directory, 'open.lock'),
  };
}

/** The beginnings of an id that its outer and its inner directory are named by. */
export function beginnings(id: BlobId): readonly [outer: string, inner: string] {
  return [id.slice(0, OUTER), id.slice(0, INNER)];
}

/** The directory that holds this id. */
export function leafOf(layout: Layout, id: BlobId): string {
  return join(layout.blobs, ...beginnings(id).map(fileName));
}

/** The final path of this id. */
export function pathOf(layout: Layout, id: BlobId): string {
  return join(leafOf(layout, id), fileName(id));
}

/** A leading dot is written `%2E`, so that the ids `.` and `..` are names like others; `%` is in no id. */
export function fileName(id: BlobId): string {
  return id.startsWith('.') ? `%2E${id.slice(1)}` : id;
}

/** The id, or beginning of ids, that a file or directory name stands for. */
export function idOf(name: string): BlobId {
  return name.startsWith('%2E') ? `.${name.slice(3)}` : name;
}
