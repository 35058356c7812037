import assert from 'node:assert/strict';
import type { Suite } from '../conformance.ts';
import { failsWith, lending, newId, newSpace, patterned, read, sameBytes } from './bodies.ts';

export function describeLifecycle({ group, test }: Suite): void {
  group('second openings and the end', () => {
    test('proves that it can be written, without a trace', async ({ store, leftovers }) => {
      await Promise.all([store.check(), store.check()]);
      await store.check();
      assert.deepEqual(await store.records.scan({ prefix: '', limit: 10 }), []);
      assert.deepEqual(await store.blobs.list(undefined, 10), []);
      assert.deepEqual((await leftovers?.()) ?? [], []);
    });

    test('shows blobs at once to a second opening of the place', async ({ store, reopen }) => {
      const other = (await reopen?.()) ?? assert.fail('skip this test for a driver that cannot be opened twice');
      try {
        for (const size of [10, 100_000]) {
          const id = newId();
          await store.blobs.put(id, lending(patterned(size), 9000));
          assert.equal(await other.blobs.head(id), size);
          assert.ok((await other.blobs.list(undefined, 10_000)).includes(id));
          sameBytes(await read(other.blobs.get(id)), patterned(size));
          await assert.rejects(other.blobs.put(id, lending(patterned(size + 1), 9000)), failsWith('Conflict'));
          await other.blobs.delete(id);
          assert.equal(await store.blobs.head(id), undefined);
          assert.ok(!(await store.blobs.list(undefined, 10_000)).includes(id));
        }
      } finally {
        await other.close();
      }
    });

    test('keeps everything when it is closed and opened again', async ({ store, reopen }) => {
      if (!reopen) assert.fail('skip this test for a driver that cannot be opened twice');
      const key = newSpace();
      const ids = [newId(), newId()];
      const other = await reopen();
      const [revision] = await other.records.write([{ put: key, value: 'kept' }]);
      for (const [index, id] of ids.entries()) await other.blobs.put(id, lending(patterned(1 + index * 99_999), 5000));
      await other.close();
      const again = await reopen();
      try {
        assert.deepEqual(await again.records.get(key), { key, value: 'kept', revision });
        for (const [index, id] of ids.entries()) sameBytes(await read(again.blobs.get(id)), patterned(1 + index * 99_999));
        const [next] = await again.records.write([{ put: key, value: 'kept' }]);
        assert.notEqual(next, revision);
        assert.equal((await store.records.get(key))?.revision, next);
      } finally {
        await again.close();
      }
    });

    test('finishes what was begun before it closes, and refuses all after', async ({ store }) => {
      const space = newSpace();
      const [small, large] = [newId(), newId()];
      const begun = Promise.all([
        ...Array.from({ length: 100 }, (_, n) => store.records.write([{ put: `${space}${n}`, value: n }])),
        store.blobs.put(small, lending(patterned(500), 100)),
        store.blobs.put(large, lending(patterned(500_000), 10_000)),
      ]);
      const unread = store.blobs.get(small);
      const closing = store.close();
      await assert.rejects(store.records.get(space), failsWith('Unavailable'));
      await Promise.all([begun, closing]);
      await store.close();
      await assert.rejects(store.records.write([{ put: space, value: 1 }]), failsWith('Unavailable'));
      await assert.rejects(store.records.scan({ prefix: '', limit: 1 }), failsWith('Unavailable'));
      await assert.rejects(store.blobs.put(newId(), lending(patterned(1), 1)), failsWith('Unavailable'));
      await assert.rejects(store.blobs.head(small), failsWith('Unavailable'));
      await assert.rejects(store.blobs.delete(small), failsWith('Unavailable'));
      await assert.rejects(store.blobs.list(undefined, 1), failsWith('Unavailable'));
      await assert.rejects(read(unread), failsWith('Unavailable'));
      await assert.rejects(store.check(), failsWith('Unavailable'));
    });
  });
}
