import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Blobs } from '../../../src/storage/contract.ts';
import type { Suite } from '../conformance.ts';
import { failsWith, newId, patterned, read, sameBytes, whole } from './bodies.ts';

const MIB = 1024 * 1024;

export function describeBlobReading({ group, test }: Suite): void {
  group('reading blobs', () => {
    for (const size of [1000, 2 * MIB + MIB / 2]) {
      test(`answers ranges at all edges of ${size} bytes`, async ({ store }) => {
        const id = newId();
        const bytes = patterned(size, 3);
        await store.blobs.put(id, whole(bytes));
        for (const [offset, length] of [
          [0, 0],
          [0, 1],
          [0, size],
          [0, size + 1],
          [size - 1, 1],
          [size - 1, 10],
          [size, 0],
          [size, 5],
          [size + 100, 5],
          [size - 500, 500],
          [Math.floor(size / 2), 7],
          [0, Number.MAX_SAFE_INTEGER],
          [Math.max(0, MIB - 3), 6],
          [3, 2 * MIB],
        ] as const) {
          sameBytes(await read(store.blobs.get(id, { offset, length })), bytes.subarray(offset, offset + length));
        }
      });
    }

    test('answers any range as slicing would', async ({ store }) => {
      const id = newId();
      const bytes = patterned(300_000, 4);
      await store.blobs.put(id, whole(bytes));
      await fc.assert(
        fc.asyncProperty(fc.nat(310_000), fc.nat(310_000), async (offset, length) => {
          sameBytes(await read(store.blobs.get(id, { offset, length })), bytes.subarray(offset, offset + length));
        }),
        { numRuns: 40 },
      );
    });

    test('refuses ranges that are none', async ({ store }) => {
      const id = newId();
      await store.blobs.put(id, whole(patterned(10)));
      for (const [offset, length] of [
        [-1, 5],
        [0, -1],
        [0.5, 1],
        [Number.NaN, 1],
        [0, Infinity],
      ] as const) {
        await assert.rejects(read(store.blobs.get(id, { offset, length })), failsWith('InvalidArgument'));
      }
    });

    test('throws for a missing blob at the first pull, whatever the range', async ({ store }) => {
      for (const range of [undefined, { offset: 0, length: 0 }, { offset: 5, length: 5 }]) {
        const body = store.blobs.get(newId(), range)[Symbol.asyncIterator]();
        await assert.rejects(body.next(), failsWith('DigestUnknown'));
      }
      assert.equal(await store.blobs.head(newId()), undefined);
    });

    test('leaves a lent chunk alone until the next is asked for', async ({ store }) => {
      const id = newId();
      const bytes = patterned(4 * MIB + 5, 5);
      await store.blobs.put(id, whole(bytes));
      sameBytes(await read(store.blobs.get(id), 15), bytes);
    });

    test('serves 20 readers of one blob at once', async ({ store }) => {
      const id = newId();
      const bytes = patterned(2 * MIB + 1, 6);
      await store.blobs.put(id, whole(bytes));
      const all = await Promise.all(Array.from({ length: 20 }, () => read(store.blobs.get(id), 1)));
      for (const one of all) sameBytes(one, bytes);
    });

    test('lets go of the file when a reader leaves early', async ({ store, openFiles }) => {
      const id = newId();
      await store.blobs.put(id, whole(patterned(5 * MIB)));
      const before = await openFiles?.();
      for (let round = 0; round < 10; round += 1) {
        for await (const chunk of store.blobs.get(id)) {
          assert.ok(chunk.byteLength > 0);
          break;
        }
        await assert.rejects(abandon(store.blobs.get(id)), /reader failed/);
        store.blobs.get(id);
      }
      assert.equal(await openFiles?.(), before);
    });

    test('reads to the end what is deleted meanwhile', async ({ store }) => {
      const id = newId();
      const bytes = patterned(4 * MIB, 7);
      await store.blobs.put(id, whole(bytes));
      const chunks: Buffer[] = [];
      for await (const chunk of store.blobs.get(id)) {
        chunks.push(Buffer.from(chunk));
        await store.blobs.delete(id);
      }
      sameBytes(Buffer.concat(chunks), bytes);
    });

    test('lists ids in byte order, page by page, small and large in one', async ({ store }) => {
      for (const id of await store.blobs.list(undefined, 10_000)) await store.blobs.delete(id);
      const ids = [
        '0',
        '.x',
        '-',
        'A',
        'Z',
        '_',
        'a',
        'z',
        '01JD7K2M3N4P.1',
        '01JD7K2M3N4P',
        '01JD7K2M3N4P.10',
        '01JD7K2M',
        '01JD7K',
        '01JD',
        '01JE00',
        '02',
      ];
      for (const [index, id] of ids.entries()) await store.blobs.put(id, whole(patterned(index % 3 === 0 ? 50_000 : 4)));
      const expected = [...ids].sort();
      assert.deepEqual(await store.blobs.list(undefined, 10_000), expected);
      for (const limit of [1, 2, 5, ids.length, ids.length + 1]) assert.deepEqual(await allPages(store.blobs, limit), expected);
      assert.deepEqual(await store.blobs.list('01JD7K2M3N4P.0', 2), ['01JD7K2M3N4P.1', '01JD7K2M3N4P.10']);
      assert.deepEqual(await store.blobs.list('zz', 5), []);
      for (const limit of [0, -1, 10_001, 1.5]) await assert.rejects(store.blobs.list(undefined, limit), failsWith('InvalidArgument'));
    });
  });
}

async function abandon(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) throw new Error('reader failed');
}

async function allPages(blobs: Blobs, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await blobs.list(ids.at(-1), limit);
    ids.push(...page);
    if (page.length < limit) return ids;
  }
}
