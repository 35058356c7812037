import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { openTripCounter } from '../../../../e2e/s3-backend/trips.ts';
import { keys } from '../../../src/core/keys.ts';
import { isError } from '../../../src/errors.ts';
import type { ByteRange } from '../../../src/storage/contract.ts';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { ACTOR, admit, bucketNamed, collectBytes, testCore, type TestCore } from '../../core/core.fixture.ts';
import { startBonded, type BondedBackend } from './bonded.ts';

const bucket = bucketNamed('b');

describe('s3 driver: how often a read goes to the server and back', function () {
  this.timeout(60_000);
  let backend: BondedBackend;
  let proxy: Proxy;
  const counter = openTripCounter();
  /** Two servers with nothing in common but the place; the first one's requests are counted. */
  let here: TestCore;
  let there: TestCore;
  let stores: S3Store[];

  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint, counter);
  });
  beforeEach(async () => {
    const place = await backend.newPlace({ tombstoneMs: 0, sealMs: 0 });
    const immutable = [keys.journals];
    stores = await Promise.all([openS3Store({ ...place, immutable, endpoint: proxy.endpoint }), openS3Store(place)]);
    [here, there] = stores.map((store) => testCore({ store })) as [TestCore, TestCore];
    for (const { resources } of [here, there]) resources.set('b', 'team-a');
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  after(async () => {
    await proxy.close();
    await backend.close();
  });

  /** What the work asked the server for, and how many times it waited for it. */
  async function trips(work: () => Promise<unknown>): Promise<{ readonly asked: readonly string[]; readonly waits: number }> {
    const { requests, waits } = await counter.during(proxy, work);
    const asked = requests.map((request) => request.replace(/^(\w+) .*?\/(records\/\w+|blobs)\/.*/, '$1 $2'));
    return { asked: asked.toSorted(), waits };
  }
  const collect = async ({ core, pass }: TestCore): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      pass(4_000_000);
      await core.collection.collect(new AbortController().signal);
    }
  };

  it('is once for a name that is known, whoever changed it meanwhile, and once for its bytes', async () => {
    const bytes = [randomBytes(100_000), randomBytes(90_000)] as const;
    await here.put(bucket, 'k', bytes[0]);
    const look = () => here.core.objects.get(bucket, 'k');
    const { digest } = await there.put(bucket, 'l', bytes[0]);
    await look();
    const name = await trips(look);
    assert.deepEqual(name, { asked: ['GET records/bucket', 'GET records/head'], waits: 1 });
    const content = await trips(async () =>
      assert.ok((await collectBytes(here.core.objects.open(bucket, admit(digest)))).equals(bytes[0])),
    );
    assert.deepEqual(content, { asked: ['GET blobs', 'GET records/digest'], waits: 1 });

    await there.put(bucket, 'k', bytes[1]);
    const changed = await trips(async () => assert.equal(((await here.core.objects.get(bucket, 'k')) as { size: number }).size, 90_000));
    assert.deepEqual(changed, { asked: ['GET records/bucket', 'GET records/head'], waits: 1 });
  });

  it('is once for a listing', async () => {
    await here.put(bucket, 'k', 'text');
    await here.core.objects.list(bucket, { prefix: '', limit: 10 });
    const listing = await trips(() => here.core.objects.list(bucket, { prefix: '', limit: 10 }));
    assert.equal(listing.waits, 1);
    assert.equal(listing.asked.length, 2);
  });

  it('is never for what cannot change', async () => {
    await here.put(bucket, 'k', 'text');
    const [entry] = await here.core.journal.read({ tail: true, limit: 1 });
    const known = await trips(() => here.store.records.get(keys.journal(entry?.id ?? '')));
    assert.deepEqual(known, { asked: [], waits: 0 });
  });

  it('finds bytes in their new place after they were removed and came again, and none that are gone', async () => {
    const bytes = randomBytes(200_000);
    const { digest } = await here.put(bucket, 'k', bytes);
    const open = (range?: ByteRange) => collectBytes(here.core.objects.open(bucket, admit(digest), range));
    const remove = async (): Promise<void> => {
      await there.core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
      await collect(there);
      assert.deepEqual(await there.store.blobs.list(undefined, 10), []);
    };
    await open();
    await remove();
    await there.put(bucket, 'k', bytes);
    assert.ok((await open({ offset: 7, length: 150_000 })).equals(bytes.subarray(7, 150_007)));
    await remove();
    await assert.rejects(open(), (error) => isError(error, 'DigestUnknown'));
  });

  it('never shows what was in an earlier bucket of the name', async () => {
    await here.put(bucket, 'k', 'old');
    await here.core.objects.get(bucket, 'k');
    // As the collector finds it once its resource is gone: the names are still there.
    const entry = await there.store.records.get('bucket/b');
    const record = entry?.value as { readonly id: string; readonly namespace: string };
    await there.store.records.write([{ put: 'bucket/b', value: { ...record, id: '01JD7K2M3N0000000000000000' } }]);
    const looking = here.core.objects.get(bucket, 'k');
    await assert.rejects(looking, (error) => isError(error, 'NameUnknown'));
    const { objects } = await here.core.objects.list(bucket, { prefix: '', limit: 10 });
    assert.deepEqual(objects, []);
  });
});
