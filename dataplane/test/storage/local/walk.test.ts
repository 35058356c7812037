import assert from 'node:assert/strict';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { layoutOf, leafOf, pathOf } from '../../../src/storage/local/layout.ts';
import { openWalk } from '../../../src/storage/local/walk.ts';
import { newDirectory } from './place.ts';

describe('local store: walking the files of blobs', () => {
  it('meets ids of any form in byte order, from anywhere', async function () {
    this.timeout(20_000);
    const id = fc.string({ unit: fc.constantFrom('0', '1', 'A', 'a', 'z', '.', '-', '_'), minLength: 1, maxLength: 9 });
    const { directory, remove } = await newDirectory();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(id, { maxLength: 25 }),
          fc.option(id, { nil: undefined }),
          fc.integer({ min: 1, max: 9 }),
          async (ids, after, limit) => {
            const layout = layoutOf(directory);
            await rm(layout.blobs, { recursive: true, force: true });
            for (const one of ids) {
              await mkdir(leafOf(layout, one), { recursive: true });
              await writeFile(pathOf(layout, one), '');
            }
            const expected = ids.filter((one) => after === undefined || one > after).sort();
            assert.deepEqual(await openWalk(layout).list(after, limit), expected.slice(0, limit));
          },
        ),
        { numRuns: 60 },
      );
    } finally {
      await remove();
    }
  });

  it('trusts no time of change that is young: two changes may have the same', async () => {
    const { directory, remove } = await newDirectory();
    try {
      const layout = layoutOf(directory);
      const walk = openWalk(layout);
      const now = new Date();
      await mkdir(leafOf(layout, '01JD7K1'), { recursive: true });
      for (const ids of [['01JD7K1'], ['01JD7K1', '01JD7K2'], ['01JD7K1', '01JD7K2', '01JD7K3']]) {
        await writeFile(pathOf(layout, ids.at(-1) ?? ''), '');
        await utimes(leafOf(layout, '01JD7K1'), now, now);
        assert.deepEqual(await walk.list(undefined, 10), ids);
      }
    } finally {
      await remove();
    }
  });

  it('sees what changed since its last page, at once and later', async () => {
    const { directory, remove } = await newDirectory();
    try {
      const layout = layoutOf(directory);
      const walk = openWalk(layout);
      await mkdir(leafOf(layout, '01JD7K00'), { recursive: true });
      const expected: string[] = [];
      for (let n = 0; n < 20; n += 1) {
        const id = `01JD7K${String(n).padStart(2, '0')}`;
        expected.push(id);
        await writeFile(pathOf(layout, id), '');
        // Every other time the directory looks unchanged for long, so that its reading is kept.
        const then = new Date(Date.now() - 60_000 + n * 10);
        if (n % 2 === 0) await utimes(leafOf(layout, id), then, then);
        assert.deepEqual(await walk.list(undefined, 100), expected);
        assert.deepEqual(await walk.list(expected.at(-2), 100), expected.slice(-1));
      }
    } finally {
      await remove();
    }
  });
});
