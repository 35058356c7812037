/** Opens the storage location that the settings name. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readStorageFile } from '../config/storageFile.ts';
import { keys } from '../core/keys.ts';
import { ArtefactError } from '../errors.ts';
import type { Store } from '../storage/contract.ts';
import { openLocalStore } from '../storage/local/store.ts';
import { openS3Store } from '../storage/s3/store.ts';

/** In the data directory. */
const OBJECTS = 'objects';

/** Records that the core writes once and never again: they may be read without asking whether they still are as they were. */
const IMMUTABLE: readonly string[] = [keys.journals];

/**
 * What was given up may arrive at an S3 server for fifteen minutes, and their clocks may differ by as much; senders say every
 * five minutes that they live. Nothing may be taken for dead before that, in ms.
 */
const LEAST_GRACE = 40 * 60_000;

/** A bucket of an S3 server where a file names one, else the data directory. */
export async function openLocation({ data, storageFile, graceMs }: Settings, name: string): Promise<Store> {
  if (storageFile !== undefined && graceMs < LEAST_GRACE) throw tooHasty();
  if (storageFile === undefined) return openLocalStore({ directory: join(data, OBJECTS), name });
  const { s3 } = await readStorageFile(storageFile);
  const { presign, ...store } = await openS3Store({ ...s3, name, cacheFile: join(data, `cache-${name}.db`), immutable: IMMUTABLE });
  return s3.redirectDownloads === true ? { ...store, presign } : store;
}

function tooHasty(): ArtefactError {
  return new ArtefactError(
    'InvalidArgument',
    'With a storage location in an S3 bucket, BONDED_GRACE must be at least 40m: until then, writes that were given up may still arrive.',
  );
}
