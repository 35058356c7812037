/** Opens the storage location that the settings name. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readStorageFile, type S3Location } from '../config/storageFile.ts';
import { keys } from '../core/keys.ts';
import { ArtefactError } from '../errors.ts';
import type { Store } from '../storage/contract.ts';

/** In the data directory. */
export const OBJECTS = 'objects';

/** Records that the core writes once and never again: they may be read without asking whether they still are as they were. */
const IMMUTABLE: readonly string[] = [keys.journals];

/**
 * What was given up may arrive at an S3 server for fifteen minutes, and their clocks may differ by as much; senders say every
 * five minutes that they live. Nothing may be taken for dead before that, in ms.
 */
const LEAST_GRACE = 40 * 60_000;

/** A place that kept what records need, as text. Only just that place has been proved. */
export type Proved = string;

/** Proves the location once, for all processes of this start; undefined where there is nothing to prove. Throws as `openLocation`. */
export async function proveLocation(settings: Settings, name: string): Promise<Proved | undefined> {
  const s3 = await readS3(settings);
  if (s3 === undefined) return undefined;
  const { probeS3 } = await import('../storage/s3/store.ts');
  await probeS3({ ...s3, name });
  return textOf(s3);
}

/**
 * A bucket of an S3 server where a file names one, else the data directory; only the driver that is used is loaded. Throws `Unavailable`
 * or `InvalidArgument` with the reason when it cannot be used. An S3 server is probed first, unless its place is the one that was `proved`.
 */
export async function openLocation(settings: Settings, name: string, proved?: Proved): Promise<Store> {
  const { data } = settings;
  const s3 = await readS3(settings);
  if (s3 === undefined) {
    const { openLocalStore } = await import('../storage/local/store.ts');
    return openLocalStore({ directory: join(data, OBJECTS), name });
  }
  const { openS3Store } = await import('../storage/s3/store.ts');
  const cacheFile = join(data, `cache-${name}.db`);
  const { parallelParts, ...place } = s3;
  const terms = parallelParts === undefined ? {} : { parallelParts };
  const { presign, ...store } = await openS3Store({
    ...place,
    name,
    cacheFile,
    immutable: IMMUTABLE,
    proved: proved === textOf(s3),
    terms,
  });
  return s3.redirectDownloads === true ? { ...store, presign } : store;
}

async function readS3({ storageFile, graceMs }: Settings): Promise<S3Location | undefined> {
  if (storageFile === undefined) return undefined;
  if (graceMs < LEAST_GRACE) throw tooHasty();
  return (await readStorageFile(storageFile)).s3;
}

function textOf({ endpoint, region, bucket, prefix }: S3Location): Proved {
  return JSON.stringify([endpoint, region, bucket, prefix]);
}

function tooHasty(): ArtefactError {
  return new ArtefactError(
    'InvalidArgument',
    'With a storage location in an S3 bucket, BONDED_GRACE must be at least 40m: until then, writes that were given up may still arrive.',
  );
}
