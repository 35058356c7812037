import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { openTripCounter } from '../../../../e2e/s3-backend/trips.ts';
import { keys } from '../../../src/core/keys.ts';
import { inAnyOrder, type Change } from '../../../src/storage/contract.ts';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { ACTOR, bucketNamed, testCore, type TestCore } from '../../core/core.fixture.ts';
import { startBonded, type BondedBackend } from './bonded.ts';

const bucket = bucketNamed('b');

describe('s3 driver: how often a write goes to the server and back', function () {
  this.timeout(60_000);
  const counter = openTripCounter();
  let backend: BondedBackend;
  let proxy: Proxy;
  let store: S3Store;
  let test: TestCore;

  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint, counter);
    store = await openS3Store({ ...(await backend.newPlace()), immutable: [keys.journals], endpoint: proxy.endpoint });
    test = testCore({ store });
    test.resources.set('b', 'team-a');
    await test.put(bucket, 'warm', 'up');
  });
  after(async () => {
    await store.close();
    await proxy.close();
    await backend.close();
  });

  const waits = async (work: () => Promise<unknown>): Promise<number> => (await counter.during(proxy, work)).waits;
  const fresh = (): Buffer => randomBytes(4096);

  it('is nine times for a small object, whether it is new or replaces another', async () => {
    const first = await waits(() => test.put(bucket, 'k', fresh()));
    const second = await waits(() => test.put(bucket, 'k', fresh()));
    assert.ok(first <= 9 && second <= 9, `${first} and ${second}`);
  });

  it('is six times for bytes that are known, and five times for a removal', async () => {
    const bytes = fresh();
    await test.put(bucket, 'one', bytes);
    const known = await waits(() => test.put(bucket, 'other', bytes));
    const removal = await waits(() => test.core.objects.delete(bucket, 'one', undefined, {}, ACTOR));
    assert.ok(known <= 6 && removal <= 5, `${known} and ${removal}`);
  });

  it('is once for changes that have no order, and once for each that has one', async () => {
    const puts = (name: string): Change[] => Array.from({ length: 20 }, (_, n) => ({ put: `${name}${n}`, value: n, ifAbsent: true }));
    assert.equal(await waits(() => store.records.write(inAnyOrder(puts('a')))), 1);
    assert.equal(await waits(() => store.records.write(puts('b').slice(0, 3))), 3);
    // The graves are dug at once, and then the tombstones written.
    const deletes = puts('a').map((_, n) => ({ delete: `a${n}` }));
    assert.equal(await waits(() => store.records.write(inAnyOrder(deletes))), 2);
  });
});
