import assert from 'node:assert/strict';
import { SMALL_BLOB } from '../../../src/storage/contract.ts';
import type { Place, Suite } from '../conformance.ts';
import { failing, failsWith, lending, newId, patterned, read, sameBytes, whole } from './bodies.ts';

const MIB = 1024 * 1024;

export function describeBlobWriting({ group, test }: Suite): void {
  group('storing blobs', () => {
    for (const size of [0, 1, SMALL_BLOB - 1, SMALL_BLOB, SMALL_BLOB + 1, 128 * 1024, MIB - 1, MIB, MIB + 1, 3 * MIB + 17]) {
      test(`gives back a blob of ${size} bytes`, async ({ store }) => {
        const id = newId();
        const bytes = patterned(size, size);
        assert.equal(await store.blobs.put(id, lending(bytes, 64 * 1024)), size);
        assert.equal(await store.blobs.head(id), size);
        sameBytes(await read(store.blobs.get(id)), bytes);
      });
    }

    for (const [size, chunk] of [
      [100_000, 7],
      [2 * MIB, 1000],
      [3 * MIB, 128 * 1024 - 1],
      [3 * MIB, 300 * 1024],
      [5 * MIB, MIB],
    ] as const) {
      test(`keeps no lent chunk: ${size} bytes in one buffer of ${chunk}`, async ({ store }) => {
        const id = newId();
        const bytes = patterned(size, chunk);
        await store.blobs.put(id, lending(bytes, chunk));
        sameBytes(await read(store.blobs.get(id)), bytes);
      });
    }

    test('takes chunks of memory that threads share', async ({ store }) => {
      for (const size of [5000, 3 * MIB]) {
        const id = newId();
        const bytes = patterned(size, size);
        await store.blobs.put(id, lending(bytes, MIB, true));
        sameBytes(await read(store.blobs.get(id)), bytes);
      }
    });

    test('takes large and small chunks mixed, empty ones too', async ({ store }) => {
      const id = newId();
      const sizes = [0, 10, MIB, 0, 5, 200 * 1024, 64 * 1024, 64 * 1024, MIB + 3, 1];
      const chunks = sizes.map((size, index) => patterned(size, index + 1));
      await store.blobs.put(
        id,
        (async function* () {
          yield* chunks;
        })(),
      );
      sameBytes(await read(store.blobs.get(id)), Buffer.concat(chunks));
    });

    for (const size of [0, 1000, SMALL_BLOB + 1, 100 * 1024, 3 * MIB]) {
      test(`leaves nothing of a body that fails after ${size} bytes`, (place) => leavesNothing(place, size));
    }

    test('refuses an id that has bytes, small or large, and keeps those', async ({ store }) => {
      const [small, large] = [newId(), newId()];
      await store.blobs.put(small, whole(patterned(10)));
      await store.blobs.put(large, whole(patterned(2 * MIB)));
      for (const id of [small, large]) {
        for (const size of [0, 20, 2 * MIB + 1]) {
          await assert.rejects(store.blobs.put(id, whole(patterned(size, 9))), failsWith('Conflict'));
        }
      }
      sameBytes(await read(store.blobs.get(small)), patterned(10));
      sameBytes(await read(store.blobs.get(large)), patterned(2 * MIB));
    });

    test('lets exactly one of 16 writers of one id win', async ({ store }) => {
      for (const size of [100, 200 * 1024]) {
        const id = newId();
        const results = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => store.blobs.put(id, whole(patterned(size, n + 1)))));
        const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
        assert.equal(winners.length, 1);
        for (const result of results) if (result.status === 'rejected') failsWith('Conflict')(result.reason);
        sameBytes(await read(store.blobs.get(id)), patterned(size, (winners[0] ?? 0) + 1));
      }
    });

    test('refuses ids outside the grammar', async ({ store }) => {
      for (const id of ['', 'a/b', '../x', 'a b', 'ä', 'a%2e', 'a\0', 'x'.repeat(129)]) {
        await assert.rejects(store.blobs.put(id, whole(patterned(1))), failsWith('InvalidArgument'));
        await assert.rejects(store.blobs.head(id), failsWith('InvalidArgument'));
        await assert.rejects(store.blobs.delete(id), failsWith('InvalidArgument'));
        await assert.rejects(read(store.blobs.get(id)), failsWith('InvalidArgument'));
      }
    });

    test('takes every id of the grammar, with dots anywhere', async ({ store }) => {
      const ids = ['.', '..', '...', '.a', '-', '_', 'a', 'A', 'ab', 'x'.repeat(128), '..a.b', 'CON', 'a.part', 'Z_9-.'];
      for (const [index, id] of ids.entries()) {
        const bytes = patterned(index % 2 === 0 ? 5 : 100_000, index + 1);
        await store.blobs.put(id, whole(bytes));
        sameBytes(await read(store.blobs.get(id)), bytes);
      }
      const listed = await store.blobs.list(undefined, 10_000);
      for (const id of ids) assert.ok(listed.includes(id), id);
      for (const id of ids) await store.blobs.delete(id);
      for (const id of ids) assert.equal(await store.blobs.head(id), undefined);
    });

    test('deletes, and deletes what is not there', async ({ store }) => {
      for (const size of [10, 2 * MIB]) {
        const id = newId();
        await store.blobs.put(id, whole(patterned(size)));
        await store.blobs.delete(id);
        assert.equal(await store.blobs.head(id), undefined);
        await assert.rejects(read(store.blobs.get(id)), failsWith('DigestUnknown'));
        await store.blobs.delete(id);
      }
    });
  });
}

async function leavesNothing({ store, leftovers }: Place, size: number): Promise<void> {
  const id = newId();
  const failure = new Error('the sender went away');
  const { body, state } = failing(size, failure);
  await assert.rejects(store.blobs.put(id, body), (thrown) => thrown === failure);
  assert.equal(state.closed, true);
  assert.equal(await store.blobs.head(id), undefined);
  await assert.rejects(read(store.blobs.get(id)), failsWith('DigestUnknown'));
  assert.ok(!(await store.blobs.list(undefined, 10_000)).includes(id));
  assert.deepEqual((await leftovers?.()) ?? [], []);
  await store.blobs.put(id, whole(patterned(3)));
  sameBytes(await read(store.blobs.get(id)), patterned(3));
}
