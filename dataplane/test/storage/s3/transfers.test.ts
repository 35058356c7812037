import assert from 'node:assert/strict';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { partSize } from '../../../src/storage/s3/upload.ts';
import { failsWith, lending, newId, patterned, read, sameBytes, whole } from '../conformance/bodies.ts';
import { lookInto, startBonded, type BondedBackend } from './bonded.ts';

const MIB = 1024 * 1024;

describe('s3 driver: transfers', function () {
  this.timeout(60_000);
  let backend: BondedBackend;
  let proxy: Proxy;
  let store: S3Store;
  let direct: S3Store;
  let look: ReturnType<typeof lookInto>;

  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint, { seed: 7 });
    const place = await backend.newPlace();
    store = await openS3Store({ ...place, endpoint: proxy.endpoint });
    direct = await openS3Store(place);
    look = lookInto(place);
  });
  after(async () => {
    await store.close();
    await direct.close();
    await proxy.close();
    await backend.close();
  });

  it('sends large bodies in parts, in any sizes of chunks', async () => {
    for (const [size, chunk] of [
      [5 * MIB, 64 * 1024],
      [5 * MIB + 1, 100_001],
      [16 * MIB + 3, 6 * MIB],
      [27 * MIB, 1_000_003],
    ] as const) {
      const id = newId();
      const bytes = patterned(size, size);
      assert.equal(await store.blobs.put(id, lending(bytes, chunk)), size);
      assert.equal(await store.blobs.head(id), size);
      sameBytes(await read(store.blobs.get(id)), bytes);
      sameBytes(await read(store.blobs.get(id, { offset: 5 * MIB - 10, length: 20 })), bytes.subarray(5 * MIB - 10, 5 * MIB + 10));
    }
  });

  it('sends parts again that did not arrive, and puts each in its place', async () => {
    const id = newId();
    const bytes = patterned(22 * MIB, 3);
    proxy.plan(['resetBefore', 'error503', 'dropAnswer', 'error500After', 'delay'], ({ method }) => method === 'PUT');
    await store.blobs.put(id, lending(bytes, 256 * 1024));
    sameBytes(await read(store.blobs.get(id)), bytes);
  });

  it('lets exactly one of several win that store parts under one id, and leaves no upload', async () => {
    const id = newId();
    const puts = [1, 2, 3].map((seed) => store.blobs.put(id, whole(patterned(6 * MIB, seed))));
    const results = await Promise.allSettled(puts);
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    for (const [n, result] of results.entries()) if (n !== winner) failsWith('Conflict')((result as PromiseRejectedResult).reason);
    sameBytes(await read(store.blobs.get(id)), patterned(6 * MIB, winner + 1));
    assert.deepEqual(
      (await look.names('blobs/')).filter((name) => name.startsWith('upload')),
      [],
    );
  });

  it('gives an address from which the bytes come without credentials', async () => {
    const id = newId();
    await store.blobs.put(id, whole(patterned(1000)));
    const address = await store.presign.presignGet(id, {
      expiresSeconds: 60,
      responseHeaders: { contentType: 'text/x-test', contentDisposition: 'attachment; filename="a b.txt"', cacheControl: 'no-store' },
    });
    assert.equal(new URL(address).origin, proxy.endpoint);
    const answer = await fetch(address, { headers: { range: 'bytes=10-19' } });
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
      [206, 'text/x-test', 'no-store'],
    );
    sameBytes(new Uint8Array(await answer.arrayBuffer()), patterned(1000).subarray(10, 20));
    const forged = address.replace('X-Amz-Expires=60', 'X-Amz-Expires=600');
    assert.equal((await fetch(forged)).status, 403);
  });

  it('lets hundreds of readers that stand still be in nobody’s way', async () => {
    const id = newId();
    await direct.blobs.put(id, whole(patterned(4 * MIB)));
    const readers = Array.from({ length: 300 }, () => direct.blobs.get(id)[Symbol.asyncIterator]());
    await Promise.all(readers.map((reader) => reader.next()));
    const began = performance.now();
    await direct.records.write([{ put: 'meanwhile', value: 1 }]);
    assert.equal((await direct.records.get('meanwhile'))?.value, 1);
    const another = newId();
    await direct.blobs.put(another, whole(patterned(6 * MIB)));
    sameBytes(await read(direct.blobs.get(another)), patterned(6 * MIB));
    assert.ok(performance.now() - began < 5_000);
    for (const reader of readers) await reader.return?.();
  });

  it('doubles parts four times, so that ten thousand hold half a tebibyte', () => {
    const MOST = 10_000;
    const sizes = Array.from({ length: MOST }, (_, n) => partSize(n + 1, 5 * MIB));
    assert.deepEqual([...new Set(sizes)], [5 * MIB, 10 * MIB, 20 * MIB, 40 * MIB, 80 * MIB]);
    assert.equal(sizes.reduce((sum, size) => sum + size, 0) / 1024 ** 3, (5 + 10 + 20 + 40) * (1000 / 1024) + 80 * (6000 / 1024));
  });
});
