import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy } from '../../../../e2e/s3-backend/proxy.ts';
import { encodeBody } from '../../../src/storage/s3/body.ts';
import { nameOf } from '../../../src/storage/s3/names.ts';
import { openS3Store } from '../../../src/storage/s3/store.ts';
import { failsWith } from '../conformance/bodies.ts';
import { lookInto, startBonded, type BondedBackend } from './bonded.ts';

describe('s3 driver: tombstones', function () {
  this.timeout(30_000);
  let backend: BondedBackend;
  before(async () => void (backend = await startBonded()));
  after(() => backend.close());

  async function openPair(terms: { tombstoneMs: number; sealMs: number }) {
    const place = await backend.newPlace(terms);
    const store = await openS3Store(place);
    const look = lookInto(place);
    const inPlace = async (folder: string): Promise<readonly string[]> =>
      (await look.names(folder)).filter((name) => name.startsWith(folder));
    return { place, store, look, inPlace };
  }

  it('hide a folder in which all was deleted, and are removed with their graves', async () => {
    const { store, inPlace } = await openPair({ tombstoneMs: 0, sealMs: 60_000 });
    await store.records.write([
      { put: 'a/1', value: 1 },
      { put: 'a/2', value: 1 },
      { put: 'b/1', value: 1 },
      { put: `${'x'.repeat(900)}/1`, value: 1 },
    ]);
    await store.records.write([{ delete: 'a/1' }, { delete: 'a/2' }, { delete: `${'x'.repeat(900)}/1` }]);
    const top = () => store.records.scan({ prefix: '', delimiter: '/', limit: 10 });
    assert.deepEqual(await top(), [{ prefix: 'b/' }]);
    assert.equal((await inPlace('records/')).length, 4);
    assert.equal((await inPlace('graves/')).length, 3);
    await sleep(1_100);
    await store.sweep();
    assert.deepEqual(await inPlace('records/'), [`records/${nameOf('b/1')}`]);
    assert.equal((await inPlace('graves/')).length, 3);
    assert.deepEqual(await top(), [{ prefix: 'b/' }]);
    await store.sweep();
    assert.deepEqual(await inPlace('graves/'), []);
    await store.close();
  });

  it('stand until they are old, and a record that came back is left alone', async () => {
    const { store, inPlace } = await openPair({ tombstoneMs: 60_000, sealMs: 60_000 });
    await store.records.write([{ put: 'k', value: 1 }]);
    await store.records.write([{ delete: 'k' }]);
    await store.sweep();
    assert.equal((await inPlace('records/')).length, 1);
    const young = await openS3Store({ ...(await backend.newPlace()), terms: { tombstoneMs: 0 } });
    await young.records.write([{ put: 'k', value: 1 }]);
    await young.records.write([{ delete: 'k' }]);
    const [revision] = await young.records.write([{ put: 'k', value: 2, ifAbsent: true }]);
    await sleep(1_100);
    await young.sweep();
    await young.sweep();
    assert.deepEqual(await young.records.get('k'), { key: 'k', value: 2, revision });
    await young.close();
    await store.close();
  });

  it('leave no grave where nothing was deleted', async () => {
    const { store, inPlace } = await openPair({ tombstoneMs: 0, sealMs: 60_000 });
    await store.records.write([{ delete: 'none' }]);
    await assert.rejects(store.records.write([{ put: 'k', value: 1, ifRevision: 'x' }, { delete: 'other' }]), failsWith('Conflict'));
    for (let tries = 0; tries < 50 && (await inPlace('graves/')).length > 0; tries += 1) await sleep(20);
    assert.deepEqual(await inPlace('graves/'), []);
    await store.close();
  });

  it('that are being removed are not written over, until nobody can be removing them any more', async () => {
    const { store, look } = await openPair({ tombstoneMs: 0, sealMs: 60_000 });
    const seal = (at: number) =>
      look.objects.put(`records/${nameOf('k')}`, encodeBody({ key: 'k', nonce: `seal of ${at}`, past: ['x'], gone: 'sealed', at }));
    await seal(Date.now());
    assert.equal(await store.records.get('k'), undefined);
    await assert.rejects(store.records.write([{ put: 'k', value: 1 }]), failsWith('SlowDown'));
    const writing = store.records.write([{ put: 'k', value: 1, ifAbsent: true }]);
    await sleep(300);
    await look.objects.delete(`records/${nameOf('k')}`);
    await writing;
    assert.equal((await store.records.get('k'))?.value, 1);
    await seal(Date.now() - 120_000);
    await store.records.write([{ put: 'k', value: 2, ifAbsent: true }]);
    assert.equal((await store.records.get('k'))?.value, 2);
    await store.close();
  });

  it('whose removal was lost on the way are removed in a later round', async () => {
    const place = await backend.newPlace({ tombstoneMs: 0, sealMs: 0, deadlineMs: 2_000 });
    const proxy = await startProxy(backend.endpoint);
    const store = await openS3Store({ ...place, endpoint: proxy.endpoint });
    const look = lookInto(place);
    await store.records.write([{ put: 'k', value: 1 }]);
    await store.records.write([{ delete: 'k' }]);
    await sleep(1_100);
    proxy.plan(['resetBefore'], ({ method, url = '' }) => method === 'DELETE' && url.includes('/records/'));
    await store.sweep();
    assert.equal((await look.names('records/')).filter((name) => name.startsWith('records/')).length, 1);
    await sleep(10);
    await store.sweep();
    await store.sweep();
    assert.deepEqual(
      (await look.names()).filter((name) => /^(records|graves)/.test(name)),
      [],
    );
    await store.close();
    await proxy.close();
  });

  it('are not touched by a create that races with the sweep', async () => {
    const { store } = await openPair({ tombstoneMs: 0, sealMs: 60_000 });
    for (let round = 0; round < 10; round += 1) {
      const key = `k${round}`;
      await store.records.write([{ put: key, value: 1 }]);
      await store.records.write([{ delete: key }]);
    }
    await sleep(1_100);
    const creating = Array.from({ length: 10 }, async (_, round) => {
      await sleep(round * 3);
      await store.records.write([{ put: `k${round}`, value: 'back', ifAbsent: true }]);
    });
    await Promise.all([store.sweep(), ...creating]);
    await store.sweep();
    const back = await store.records.scan({ prefix: 'k', limit: 100 });
    assert.deepEqual(
      back.map((item) => 'value' in item && item.value),
      Array.from({ length: 10 }, () => 'back'),
    );
    await store.close();
  });
});
