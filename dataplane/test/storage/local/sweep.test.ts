import assert from 'node:assert/strict';
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { sweepEmptyDirectories, sweepIncoming } from '../../../src/storage/local/sweep.ts';
import { patterned, whole } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

const HOUR = 60 * 60 * 1000;

describe('local store: sweeping', () => {
  it('removes parts of an hour at open, and leaves younger ones', async () => {
    const { directory, remove } = await newDirectory();
    try {
      const { incoming } = layoutOf(directory);
      await mkdir(incoming, { recursive: true });
      for (const [name, age] of [
        ['old~x', HOUR + 1000],
        ['young~x', HOUR - 60_000],
        ['new~x', 0],
      ] as const) {
        await writeFile(join(incoming, name), 'half a blob');
        const then = new Date(Date.now() - age);
        await utimes(join(incoming, name), then, then);
      }
      const store = await openLocalStore({ directory });
      assert.deepEqual((await readdir(incoming)).sort(), ['new~x', 'young~x']);
      assert.deepEqual(await store.blobs.list(undefined, 10), []);
      await store.close();
      assert.equal(await sweepIncoming(layoutOf(directory), Date.now() + 2 * HOUR), 2);
    } finally {
      await remove();
    }
  });

  it('removes directories that have been empty for a day, and goes on writing to them', async () => {
    const { directory, remove } = await newDirectory();
    const store = await openLocalStore({ directory });
    try {
      const layout = layoutOf(directory);
      const [gone, kept] = ['01JD7K2M3N4P', '01JD8K2M3N4P'];
      for (const id of [gone, kept]) await store.blobs.put(id, whole(patterned(50_000)));
      await store.blobs.delete(gone);
      assert.equal(await sweepEmptyDirectories(layout), 0);
      assert.equal(await sweepEmptyDirectories(layout, Date.now() + 25 * HOUR), 1);
      assert.equal(await store.blobs.head(kept), 50_000);
      await store.blobs.put(`${gone}.1`, whole(patterned(50_000)));
      assert.equal((await stat(join(layout.blobs, '01JD', '01JD7K', `${gone}.1`))).size, 50_000);
    } finally {
      await store.close();
      await remove();
    }
  });
});
