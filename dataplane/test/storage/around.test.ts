import assert from 'node:assert/strict';
import { aroundStore } from '../../src/storage/around.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import type { Store } from '../../src/storage/contract.ts';
import { read, whole } from './conformance/bodies.ts';

const ABC = Buffer.from('abc');

/** A store that leaves out nothing of the contract. */
function wholeStore(): Store {
  const store = openMemoryStore();
  const { blobs, records } = store;
  return {
    ...store,
    blobs: { ...blobs, small: async () => Buffer.from('small') },
    records: { ...records, transactional: true, recall: (key) => ({ key, value: 'recalled', revision: '1' }) },
    presign: { presignGet: async () => 'https://s3.example/' },
  };
}

describe('a store with something around it', () => {
  it('makes every call through that', async () => {
    const calls: string[] = [];
    const store = aroundStore(wholeStore(), { call: (name, work) => (calls.push(name), work()) });
    await store.blobs.put('id', whole(ABC));
    await store.blobs.small?.('id');
    await store.blobs.head('id');
    await store.blobs.list(undefined, 1);
    await store.blobs.delete('id');
    await store.records.get('k');
    await store.records.scan({ prefix: '', limit: 1 });
    await store.records.write([{ put: 'k', value: 1 }]);
    await store.check();
    const blobs = ['put', 'small', 'head', 'list', 'delete'].map((name) => `blobs.${name}`);
    const records = ['get', 'scan', 'write'].map((name) => `records.${name}`);
    assert.deepEqual(calls, [...blobs, ...records, 'check']);
  });

  it('has what the store has, and nothing else', () => {
    const call = <T>(_: string, work: () => Promise<T>) => work();
    const [whole, memory] = [wholeStore(), openMemoryStore()];
    for (const store of [whole, memory]) {
      const same = aroundStore(store, { call });
      assert.deepEqual(Object.keys(same).toSorted(), Object.keys(store).toSorted());
      assert.deepEqual(Object.keys(same.blobs).toSorted(), Object.keys(store.blobs).toSorted());
      assert.deepEqual(Object.keys(same.records).toSorted(), Object.keys(store.records).toSorted());
      assert.equal(same.presign, store.presign);
    }
    assert.equal(aroundStore(whole, { call }).records.recall?.('k')?.value, 'recalled');
  });

  it('passes bytes on through that, and as they are without it', async () => {
    const store = wholeStore();
    await store.blobs.put('id', whole(ABC));
    const call = <T>(_: string, work: () => Promise<T>) => work();
    const passed = aroundStore(store, {
      call,
      async *bytes(bytes) {
        yield* bytes;
        yield Buffer.from('!');
      },
    });
    const text = async ({ blobs }: Store) => String(await read(blobs.get('id')));
    assert.equal(await text(passed), 'abc!');
    assert.equal(await text(aroundStore(store, { call })), 'abc');
  });
});
