import { openS3Store } from '../../../src/storage/s3/store.ts';
import { describeStore, type Place } from '../conformance.ts';
import { lookInto, startBonded, type BondedBackend } from './bonded.ts';
import { NOT_TRANSACTIONAL } from './skips.ts';

/** Bonded is an S3 server whose conditional writes are atomic, so it may be the backend of its own driver. */
describe('s3 driver on Bonded', function () {
  this.timeout(120_000);
  this.slow(5_000);
  let backend: BondedBackend;
  before(async () => void (backend = await startBonded()));
  after(() => backend.close());

  async function open(): Promise<Place> {
    const options = await backend.newPlace();
    const store = await openS3Store(options);
    return {
      store,
      reopen: () => openS3Store(options),
      leftovers: async () => (await lookInto(options).names()).filter((name) => !/^(records|blobs|graves|late)\//.test(name)),
      cleanup: () => store.close(),
    };
  }

  describeStore('s3 on Bonded', open, { skip: NOT_TRANSACTIONAL });
});
