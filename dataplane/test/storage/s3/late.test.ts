import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { bucketNamed, bytesOf, testCore } from '../../core/core.fixture.ts';
import { failsWith, newId, patterned, read, sameBytes, whole } from '../conformance/bodies.ts';
import { lookInto, startBonded, type BondedBackend } from './bonded.ts';

const blobPuts = ({ method, url = '' }: IncomingMessage): boolean => method === 'PUT' && url.includes('/blobs/');

/** A server refuses requests whose signature is too old; until then one that was given up may arrive. */
describe('s3 driver: writes that arrive when nobody waits for them any more', function () {
  this.timeout(60_000);
  let backend: BondedBackend;
  let proxy: Proxy;
  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint);
  });
  after(async () => {
    await proxy.close();
    await backend.close();
  });

  afterEach(() => proxy.forget());

  /** A store for which everything is late at once. */
  async function openHasty(terms: { deadlineMs?: number } = {}): Promise<{ store: S3Store; names: (folder: string) => Promise<string[]> }> {
    const place = await backend.newPlace({ sealMs: 0, tombstoneMs: 0, ...terms });
    const look = lookInto(place);
    return {
      store: await openS3Store({ ...place, endpoint: proxy.endpoint }),
      names: async (folder) => (await look.names(folder)).filter((name) => name.startsWith(folder)),
    };
  }
  /** Times of a server's clock are in whole seconds. */
  const untilOld = () => sleep(1_100);

  it('are removed when they bring back a blob that was deleted', async () => {
    const { store, names } = await openHasty();
    const id = newId();
    proxy.plan(['hold'], blobPuts);
    await store.blobs.put(id, whole(patterned(1000)));
    await store.blobs.delete(id);
    assert.deepEqual(await proxy.deliver(), [200]);
    assert.equal((await names('blobs/')).length, 1, 'the late one has come');
    await untilOld();
    await store.sweep();
    assert.deepEqual([...(await names('blobs/')), ...(await names('late/'))], []);
    await store.close();
  });

  it('that travel in a batch too', async () => {
    const { store, names } = await openHasty();
    const id = newId();
    proxy.plan(['hold', 'dropAnswer'], blobPuts);
    await store.records.write([{ blob: id, bytes: patterned(100) }]);
    await store.blobs.delete(id);
    assert.deepEqual(await proxy.deliver(), [200]);
    await untilOld();
    await store.sweep();
    assert.deepEqual([...(await names('blobs/')), ...(await names('late/'))], []);
    await store.close();
  });

  it('leave a blob alone that stands', async () => {
    const { store, names } = await openHasty();
    const [held, dropped] = [newId(), newId()];
    proxy.plan(['hold'], blobPuts);
    await store.blobs.put(held, whole(patterned(1000)));
    // The one that made it had no answer, and the one after it was refused without one.
    proxy.plan(['hold', 'dropAnswer'], blobPuts);
    await store.blobs.put(dropped, whole(patterned(2000)));
    assert.deepEqual(await proxy.deliver(), [412, 412]);
    await untilOld();
    await store.sweep();
    sameBytes(await read(store.blobs.get(held)), patterned(1000));
    sameBytes(await read(store.blobs.get(dropped)), patterned(2000));
    assert.deepEqual(await names('late/'), []);
    await store.close();
  });

  it('are watched for until they can come no more', async () => {
    const place = await backend.newPlace({ sealMs: 60_000 });
    const store = await openS3Store({ ...place, endpoint: proxy.endpoint });
    proxy.plan(['hold'], blobPuts);
    const id = newId();
    await store.blobs.put(id, whole(patterned(10)));
    await store.blobs.delete(id);
    await untilOld();
    await store.sweep();
    assert.deepEqual(await proxy.deliver(), [200]);
    const look = lookInto(place);
    assert.equal((await look.names('late/')).filter((name) => name.startsWith('late/')).length, 1);
    await store.close();
  });

  it('are no success when nothing can watch for them', async () => {
    const { store } = await openHasty();
    proxy.plan(['hold'], blobPuts);
    proxy.plan(['error403'], ({ method, url = '' }) => method === 'PUT' && url.includes('/late/'));
    await assert.rejects(store.blobs.put(newId(), whole(patterned(10))), failsWith('Unavailable'));
    assert.deepEqual(await proxy.deliver(), [412]);
    await store.close();
  });

  it('cost nothing where every answer came', async () => {
    const { store, names } = await openHasty();
    await store.blobs.put(newId(), whole(patterned(10)));
    proxy.plan(['dropAnswer'], blobPuts);
    await store.blobs.put(newId(), whole(patterned(10)));
    assert.deepEqual(await names('late/'), []);
    await store.close();
  });

  it('are collected when the upload was given up', async () => {
    const { store, names } = await openHasty({ deadlineMs: 500 });
    const { core, pass } = testCore({ store });
    const bucket = bucketNamed('b');
    proxy.plan(
      Array.from({ length: 50 }, () => 'hold' as const),
      blobPuts,
    );
    await assert.rejects(core.objects.receive(bucket, bytesOf(randomBytes(100_000)), {}), failsWith('Unavailable'));
    proxy.forget();
    const statuses = await proxy.deliver();
    assert.ok(statuses.includes(200), String(statuses));
    assert.equal((await names('blobs/')).length, 1);
    await core.collection.collect(new AbortController().signal);
    assert.equal((await names('blobs/')).length, 1, 'their time is not over');
    pass(3_700_000);
    const removed = await core.collection.collect(new AbortController().signal);
    assert.equal(removed.blobs, 1);
    assert.deepEqual([...(await names('blobs/')), ...(await store.records.scan({ prefix: 'intent/', limit: 10 }))], []);
    await store.close();
  });

  it('are removed when the store had the bytes already', async () => {
    const { store, names } = await openHasty();
    const { put } = testCore({ store });
    const bucket = bucketNamed('b');
    const bytes = randomBytes(100_000);
    await put(bucket, 'first', bytes);
    proxy.plan(['hold'], blobPuts);
    await put(bucket, 'second', bytes);
    assert.deepEqual(await proxy.deliver(), [200]);
    assert.equal((await names('blobs/')).length, 2);
    await untilOld();
    await store.sweep();
    assert.equal((await names('blobs/')).length, 1);
    await store.close();
  });

  it('of a probe are removed', async () => {
    const { store, names } = await openHasty();
    proxy.plan(['hold'], ({ method, url = '' }) => method === 'PUT' && url.includes('/probe/'));
    await assert.rejects(store.check(), failsWith('Unavailable'));
    assert.deepEqual(await proxy.deliver(), [200]);
    assert.equal((await names('probe/')).length, 1);
    await untilOld();
    await store.sweep();
    assert.deepEqual(await names('probe/'), []);
    await store.close();
  });
});
