import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ArtefactError, isError } from '../../src/errors.ts';
import type { Blobs, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { bucketNamed, bytesOf, testCore } from './core.fixture.ts';

const unreachable = async (): Promise<never> => {
  throw new ArtefactError('Unavailable', 'The storage is out of reach.');
};

/** A store in memory whose blobs may be made to fail. */
function failingStore(): { readonly store: Store; readonly failing: { put?: Blobs['put']; delete?: Blobs['delete'] } } {
  const inner = openMemoryStore();
  const failing: { put?: Blobs['put']; delete?: Blobs['delete'] } = {};
  const blobs: Blobs = {
    ...inner.blobs,
    put: (id, body) => (failing.put ?? inner.blobs.put)(id, body),
    delete: (id) => (failing.delete ?? inner.blobs.delete)(id),
  };
  return { store: { ...inner, blobs }, failing };
}

describe('core: bytes that were given up', () => {
  const bucket = bucketNamed('b');
  const bytes = randomBytes(100_000);
  const HOUR = 3_600_000;

  it('are left to the collector when they cannot be removed now', async () => {
    const { store, failing } = failingStore();
    const { core, keys, pass } = testCore({ store });
    failing.delete = unreachable;
    await assert.rejects(core.objects.receive(bucket, bytesOf(bytes), { md5: '0'.repeat(32) }), (error) =>
      isError(error, 'DigestMismatch'),
    );
    delete failing.delete;
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
    assert.equal((await keys('intent/')).length, 1);
    pass(HOUR + 1);
    await core.collection.collect(new AbortController().signal);
    assert.deepEqual([...(await store.blobs.list(undefined, 10)), ...(await keys('intent/'))], []);
  });

  it('are not stored at all when nobody could be told of them', async () => {
    const { store } = failingStore();
    const records: Store['records'] = { ...store.records, write: unreachable };
    const { core } = testCore({ store: { ...store, records } });
    await assert.rejects(core.objects.receive(bucket, bytesOf(bytes), {}), (error) => isError(error, 'Unavailable'));
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
  });

  it('are waited for when nobody knows whether they are stored', async () => {
    const { store, failing } = failingStore();
    const { core, keys, pass } = testCore({ store });
    let arrive = async (): Promise<unknown> => undefined;
    failing.put = async (id, body) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(Buffer.from(chunk));
      arrive = async () => store.blobs.put(id, bytesOf(Buffer.concat(chunks)));
      return unreachable();
    };
    await assert.rejects(core.objects.receive(bucket, bytesOf(bytes), {}), (error) => isError(error, 'Unavailable'));
    delete failing.put;
    await arrive();
    await core.collection.collect(new AbortController().signal);
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
    pass(HOUR + 1);
    await core.collection.collect(new AbortController().signal);
    assert.deepEqual([...(await store.blobs.list(undefined, 10)), ...(await keys('intent/'))], []);
  });
});
