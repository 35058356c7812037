import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { startProxy, type Fault, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { failsWith, lending, newId, newSpace, patterned, read, sameBytes, whole } from '../conformance/bodies.ts';
import { lookInto, startBonded, type BondedBackend } from './bonded.ts';

const MIB = 1024 * 1024;

const puts = ({ method }: IncomingMessage): boolean => method === 'PUT';
const gets = ({ method }: IncomingMessage): boolean => method === 'GET';
const completions = ({ method, url = '' }: IncomingMessage): boolean => method === 'POST' && url.includes('uploadId=');

/** The server has acted, and nobody hears of it. */
const LOST: readonly Fault[] = ['dropAnswer', 'cutAnswer', 'error500After', 'error503After'];

describe('s3 driver: answers that are lost, and requests that are few', function () {
  this.timeout(30_000);
  let backend: BondedBackend;
  let proxy: Proxy;
  let store: S3Store;
  let other: S3Store;
  let look: ReturnType<typeof lookInto>;

  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint);
    const place = await backend.newPlace();
    store = await openS3Store({ ...place, endpoint: proxy.endpoint, immutable: ['fixed/'] });
    other = await openS3Store(place);
    look = lookInto(place);
  });
  after(async () => {
    await store.close();
    await other.close();
    await proxy.close();
    await backend.close();
  });

  const requests = async (work: () => Promise<unknown>): Promise<number> => {
    const total = (): number => Object.values(proxy.counts).reduce((sum, count) => sum + count, 0);
    const before = total();
    await work();
    return total() - before;
  };

  for (const fault of LOST) {
    it(`takes a write for made when its answer suffers ${fault}`, async () => {
      const key = newSpace();
      proxy.plan([fault], puts);
      const [revision = ''] = await store.records.write([{ put: key, value: 1, ifAbsent: true }]);
      proxy.plan([fault], puts);
      const [next] = await store.records.write([{ put: key, value: 2, ifRevision: revision }]);
      assert.deepEqual(await other.records.get(key), { key, value: 2, revision: next });
      await assert.rejects(other.records.write([{ put: key, value: 3, ifAbsent: true }]), failsWith('Conflict', { change: 0 }));
    });

    it(`takes a delete for made when its answer suffers ${fault}`, async () => {
      const key = newSpace();
      const [revision = ''] = await store.records.write([{ put: key, value: 1 }]);
      proxy.plan([fault], ({ method, url = '' }) => method === 'PUT' && url.includes('/records/'));
      assert.deepEqual(await store.records.write([{ delete: key, ifRevision: revision }]), ['']);
      assert.equal(await other.records.get(key), undefined);
    });

    it(`takes a blob for stored when its answer suffers ${fault}`, async () => {
      const [small, large] = [newId(), newId()];
      proxy.plan([fault], puts);
      await store.blobs.put(small, whole(patterned(100)));
      proxy.plan([fault], completions);
      assert.equal(await store.blobs.put(large, lending(patterned(6 * MIB), 100_000)), 6 * MIB);
      sameBytes(await read(other.blobs.get(large)), patterned(6 * MIB));
      await assert.rejects(store.blobs.put(small, whole(patterned(1))), failsWith('Conflict'));
    });
  }

  it('takes a write for lost when another came first while its answer was under way', async () => {
    const key = newSpace();
    await other.records.write([{ put: key, value: 'theirs' }]);
    proxy.plan(['dropAnswer'], puts);
    await assert.rejects(store.records.write([{ put: key, value: 'ours', ifAbsent: true }]), failsWith('Conflict', { change: 0 }));
    assert.equal((await other.records.get(key))?.value, 'theirs');
  });

  it('goes on with a download where it broke', async () => {
    const id = newId();
    const bytes = patterned(3 * MIB, 7);
    await store.blobs.put(id, whole(bytes));
    proxy.plan(['cutAnswer', 'cutAnswer', 'resetBefore', 'cutAnswer'], gets);
    sameBytes(await read(store.blobs.get(id)), bytes);
    proxy.plan(['cutAnswer'], gets);
    sameBytes(await read(store.blobs.get(id, { offset: 1000, length: 2 * MIB })), bytes.subarray(1000, 1000 + 2 * MIB));
  });

  it('passes an overloaded store on as SlowDown, and one that fails as Unavailable', async () => {
    const patient = await backend.newPlace({ deadlineMs: 200 });
    const hasty = await openS3Store({ ...patient, endpoint: proxy.endpoint });
    for (const [fault, code] of [
      ['error503', 'SlowDown'],
      ['error429', 'SlowDown'],
      ['error500', 'Unavailable'],
      ['resetBefore', 'Unavailable'],
    ] as const) {
      proxy.plan(Array.from({ length: 30 }, () => fault));
      await assert.rejects(hasty.records.get('k'), failsWith(code));
      proxy.forget();
    }
    await hasty.close();
  });

  it('asks once for a record that may have changed, and never for one that cannot', async () => {
    const [mutable, fixed] = [newSpace(), `fixed/${newSpace()}`];
    await store.records.write([{ put: mutable, value: 1 }]);
    await store.records.write([{ put: fixed, value: 1 }]);
    assert.equal(await requests(() => store.records.get(mutable)), 1);
    assert.equal(await requests(() => store.records.get(fixed)), 0);
    await other.records.write([{ put: mutable, value: 2 }]);
    assert.equal((await store.records.get(mutable))?.value, 2);
  });

  it('lists a page of known records with one request, and another’s change with one more', async () => {
    const space = newSpace();
    await store.records.write(Array.from({ length: 50 }, (_, n) => ({ put: `${space}${n}`, value: n })));
    assert.equal(await requests(() => store.records.scan({ prefix: space, limit: 100 })), 1);
    await other.records.write([{ put: `${space}7`, value: 'new' }]);
    assert.equal(await requests(() => store.records.scan({ prefix: space, limit: 100 })), 2);
  });

  it('does not ask whether a revision stands that it has seen replaced', async () => {
    const key = newSpace();
    const [first = ''] = await store.records.write([{ put: key, value: 1 }]);
    await store.records.write([{ put: key, value: 2, ifRevision: first }]);
    const asked = await requests(() =>
      assert.rejects(store.records.write([{ put: key, value: 3, ifRevision: first }]), failsWith('Conflict')),
    );
    assert.equal(asked, 0);
  });

  it('leaves no upload behind when its sender breaks off, nor when its parts cannot be stored', async () => {
    const failure = new Error('the sender went away');
    async function* breaking() {
      yield patterned(11 * MIB);
      throw failure;
    }
    await assert.rejects(store.blobs.put(newId(), breaking()), (thrown) => thrown === failure);
    assert.deepEqual(
      (await look.names()).filter((name) => name.startsWith('upload')),
      [],
    );
  });

  it('proves itself through lost answers, and tells why it cannot be used', async () => {
    await store.check();
    await assert.rejects(openS3Store({ ...(await backend.newPlace()), bucket: 'no-such-bucket' }), (thrown: Error) =>
      /the bucket does not exist/.test(thrown.message),
    );
    const place = await backend.newPlace();
    const stranger = { ...place, credentials: { accessKeyId: place.credentials?.accessKeyId ?? '', secretAccessKey: 'not-the-secret' } };
    await assert.rejects(
      openS3Store(stranger),
      (thrown: Error) => /does not accept the signature/.test(thrown.message) && !thrown.message.includes('not-the-secret'),
    );
    await assert.rejects(
      openS3Store({ ...place, endpoint: 'http://127.0.0.1:1', terms: { deadlineMs: 100 } }),
      /nobody listens at its endpoint/,
    );
  });
});
