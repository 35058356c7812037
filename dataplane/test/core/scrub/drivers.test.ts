/** The scrub on every driver, and on the weakest store that the contract allows. */
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import { openS3Store } from '../../../src/storage/s3/store.ts';
import { newDirectory } from '../../storage/local/place.ts';
import type { BondedBackend } from '../../storage/s3/bonded.ts';
import { startBonded } from '../../storage/s3/bonded.ts';
import { weakStore } from '../weakStore.ts';
import { describeScrub } from './scrubbing.ts';

describeScrub('memory', async () => openMemoryStore());
describeScrub('a store without transactions', async () => weakStore());

describe('on disk', () => {
  const directories: { readonly remove: () => Promise<void> }[] = [];
  after(async () => void (await Promise.all(directories.map(({ remove }) => remove()))));
  describeScrub('a local disk', async () => {
    const place = await newDirectory();
    directories.push(place);
    return openLocalStore({ directory: place.directory });
  });
});

describe('in a bucket', function () {
  this.timeout(120_000);
  this.slow(10_000);
  let backend: BondedBackend;
  before(async () => void (backend = await startBonded()));
  after(() => backend.close());
  describeScrub('an S3 server', async () => openS3Store(await backend.newPlace()));
});
