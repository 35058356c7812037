/** Opens the storage location that the settings name. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readStorageFile } from '../config/storageFile.ts';
import { keys } from '../core/keys.ts';
import type { Store } from '../storage/contract.ts';
import { openLocalStore } from '../storage/local/store.ts';
import { openS3Store } from '../storage/s3/store.ts';

/** In the data directory. */
const OBJECTS = 'objects';

/** Records that the core writes once and never again: they may be read without asking whether they still are as they were. */
const IMMUTABLE: readonly string[] = [keys.journals];

/** A bucket of an S3 server where a file names one, else the data directory. */
export async function openLocation({ data, storageFile }: Settings, name: string): Promise<Store> {
  if (storageFile === undefined) return openLocalStore({ directory: join(data, OBJECTS), name });
  const { s3 } = await readStorageFile(storageFile);
  const { presign, ...store } = await openS3Store({ ...s3, name, cacheFile: join(data, `cache-${name}.db`), immutable: IMMUTABLE });
  return s3.redirectDownloads === true ? { ...store, presign } : store;
}
