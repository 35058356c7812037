import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openS3Store, type S3StoreOptions } from '../../../dataplane/src/storage/s3/store.ts';
import { patterned, read, sameBytes } from '../../../dataplane/test/storage/conformance/bodies.ts';
import { run } from '../../src/shell.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { startProxy, type Proxy } from '../proxy.ts';

const PROCESSES = 4;
const TIMES = 25;

for (const name of BACKENDS) {
  describe(`s3 driver on ${name}: several processes and a faulty network`, function () {
    this.timeout(120_000);
    let backend: Backend;
    let proxies: Proxy[];
    before(async () => {
      backend = await startBackend(name);
      proxies = await Promise.all(Array.from({ length: PROCESSES }, (_, n) => startProxy(backend.endpoint, { seed: n + 1, rate: 0.08 })));
    });
    after(async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await backend.stop();
    });

    it('has one winner in every race, counts every change once, and loses none', async () => {
      const { endpoint, credentials } = backend;
      const options: S3StoreOptions = {
        bucket: await backend.newBucket(),
        prefix: 'race/',
        endpoint,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials,
      };
      const racer = join(import.meta.dirname, '../racer.ts');
      const printed = await Promise.all(
        proxies.map((proxy, n) =>
          run([process.execPath, racer, JSON.stringify({ ...options, endpoint: proxy.endpoint }), `p${n}`, String(TIMES)]),
        ),
      );
      const taken = printed.map((text) => JSON.parse(text) as number[]);
      assert.deepEqual(
        taken.flat().toSorted((a, b) => a - b),
        Array.from({ length: TIMES }, (_, n) => n),
      );

      const store = await openS3Store(options);
      assert.deepEqual((await store.records.get('count'))?.value, { count: PROCESSES * TIMES });
      const tickets = await store.records.scan({ prefix: 'ticket/', limit: 1000 });
      assert.equal(tickets.length, TIMES);
      const blobs = tickets.map((item) => ('value' in item ? (item.value as { blob: string }).blob : ''));
      assert.deepEqual(await store.blobs.list(undefined, 1000), blobs.toSorted());
      for (const blob of blobs) {
        const [process = '', ticket = ''] = blob.split('.');
        assert.ok(taken[Number(process.slice(1))]?.includes(Number(ticket)));
        sameBytes(await read(store.blobs.get(blob)), patterned(1000 + Number(ticket), Number(ticket) + 1));
      }
      await store.close();
      assert.ok(proxies.every((proxy) => proxy.counts.dropAnswer + proxy.counts.error500After > 0));
    });
  });
}
