import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { startChild } from './children.ts';
import { newDirectory } from './place.ts';

const MIB = 1024 * 1024;

describe('local store: several processes in one directory', () => {
  it('sees what another process acknowledged', async function () {
    this.timeout(20_000);
    const { directory, remove } = await newDirectory();
    const store = await openLocalStore({ directory });
    const child = await startChild(directory, 'see');
    try {
      for (let n = 0; n < 100; n += 1) {
        await store.records.write([{ put: 'seen', value: n }]);
        child.process.stdin.write('seen\n');
        assert.equal((await child.lines.next()).value, String(n));
      }
    } finally {
      child.process.stdin.end();
      await child.ended;
      await store.close();
      await remove();
    }
  });

  it('loses no change of four that open it at once and race', async function () {
    this.timeout(60_000);
    const { directory, remove } = await newDirectory();
    const store = await openLocalStore({ directory });
    try {
      await store.records.write([{ put: 'count', value: 0 }]);
      const children = await Promise.all([1, 2, 3, 4].map(() => startChild(directory, 'count', '50')));
      assert.deepEqual(await Promise.all(children.map((child) => child.ended)), [0, 0, 0, 0]);
      assert.equal((await store.records.get('count'))?.value, 200);
    } finally {
      await store.close();
      await remove();
    }
  });

  it('makes a new directory together', async function () {
    this.timeout(30_000);
    const { directory, remove } = await newDirectory();
    try {
      const children = await Promise.all([1, 2, 3, 4].map(() => startChild(directory, 'see')));
      for (const child of children) child.process.stdin.end();
      assert.deepEqual(await Promise.all(children.map((child) => child.ended)), [0, 0, 0, 0]);
    } finally {
      await remove();
    }
  });

  it('keeps the write-ahead log short while two writers never pause', async function () {
    this.timeout(60_000);
    const { directory, remove } = await newDirectory();
    const stores = [await openLocalStore({ directory }), await openLocalStore({ directory })];
    try {
      const value = 'x'.repeat(30_000);
      let longest = 0;
      await Promise.all(
        stores.flatMap(({ records }, writer) =>
          [0, 1, 2, 3].map(async (lane) => {
            for (let n = 0; n < 800; n += 1) {
              await records.write([{ put: `${writer}/${lane}/${n % 10}`, value }]);
              if (n % 50 === 0) longest = Math.max(longest, (await stat(`${directory}/records.sqlite-wal`)).size);
            }
          }),
        ),
      );
      // 6,400 writes of four pages each are 200 MiB of log.
      assert.ok(longest > 0 && longest < 100 * MIB, `the log grew to ${longest} bytes`);
    } finally {
      for (const store of stores) await store.close();
      await remove();
    }
  });
});
