/** A store in memory, for tests: same contract, nothing survives the process. */
import { ArtefactError } from '../../errors.ts';
import type { Store } from '../contract.ts';
import { openMemoryBlobs } from './blobs.ts';
import { openMemoryRecords } from './records.ts';

/** Opens an empty store. After `close` every call throws `Unavailable`. */
export function openMemoryStore(): Store {
  let open = true;
  const stillOpen = (): void => {
    if (!open) throw new ArtefactError('Unavailable', 'This storage location is closed.');
  };
  const bytesById = new Map<string, Uint8Array>();
  return {
    blobs: openMemoryBlobs(bytesById, stillOpen),
    records: openMemoryRecords(bytesById, stillOpen),
    async check() {
      stillOpen();
    },
    async close() {
      open = false;
    },
  };
}
