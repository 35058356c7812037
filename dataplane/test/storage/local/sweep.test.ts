import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { openIncomingSweep, sweepEmptyDirectories } from '../../../src/storage/local/sweep.ts';
import { patterned, whole } from '../conformance/bodies.ts';
import { startChild } from './children.ts';
import { newDirectory } from './place.ts';

const HOUR = 60 * 60 * 1000;

describe('local store: sweeping', () => {
  /** A directory with parts, as another process may be writing them, and a sweep with a clock that the test moves. */
  async function sweeping(): Promise<{
    readonly sweep: () => Promise<number>;
    readonly pass: (ms: number) => void;
    readonly write: (name: string, body: string, modified?: number) => Promise<void>;
    readonly names: () => Promise<string[]>;
    readonly remove: () => Promise<void>;
  }> {
    const { directory, remove } = await newDirectory();
    const layout = layoutOf(directory);
    await mkdir(layout.incoming, { recursive: true });
    let now = 5;
    return {
      sweep: openIncomingSweep(layout, () => now),
      pass: (ms) => void (now += ms),
      write: async (name, body, modified = Date.now()) => {
        await writeFile(join(layout.incoming, name), body);
        await utimes(join(layout.incoming, name), new Date(modified), new Date(modified));
      },
      names: async () => (await readdir(layout.incoming)).sort(),
      remove,
    };
  }

  it('leaves what is written to, however old the clock makes it look', async () => {
    const { sweep, pass, write, names, remove } = await sweeping();
    try {
      // The clock was put forward by years, and back again.
      const times = [Date.now() - 400 * 24 * HOUR, Date.now() + 400 * 24 * HOUR];
      for (let round = 0; round < 20; round += 1) {
        await write('longer~x', 'x'.repeat(round + 1), times[0]);
        await write('touched~x', 'x', times[round % 2]);
        assert.equal(await sweep(), 0, `round ${round}`);
        pass(HOUR - 1);
      }
      assert.deepEqual(await names(), ['longer~x', 'touched~x']);
    } finally {
      await remove();
    }
  });

  it('removes what was seen unchanged for an hour, whatever its time says', async () => {
    const { sweep, pass, write, names, remove } = await sweeping();
    try {
      await write('past~x', 'half', Date.now() - 400 * 24 * HOUR);
      await write('future~x', 'half', Date.now() + 400 * 24 * HOUR);
      assert.equal(await sweep(), 0, 'this process has seen it for the first time');
      pass(HOUR / 2);
      await write('younger~x', 'half');
      assert.equal(await sweep(), 0);
      pass(HOUR / 2);
      assert.equal(await sweep(), 2);
      assert.deepEqual(await names(), ['younger~x']);
      pass(HOUR / 2);
      assert.equal(await sweep(), 1);
    } finally {
      await remove();
    }
  });

  it('removes all parts at once when no other process has the store open, and none while one has', async function () {
    this.timeout(20_000);
    const { directory, remove } = await newDirectory();
    const { incoming } = layoutOf(directory);
    const years = 400 * 24 * HOUR;
    const leave = async (): Promise<void> => {
      await mkdir(incoming, { recursive: true });
      for (const [name, time] of Object.entries({ old: Date.now() - years, young: Date.now(), later: Date.now() + years })) {
        await writeFile(join(incoming, `${name}~x`), 'half a blob');
        await utimes(join(incoming, `${name}~x`), new Date(time), new Date(time));
      }
    };
    const partsAfterOpening = async (): Promise<number> => {
      const store = await openLocalStore({ directory });
      try {
        await store.blobs.put(`whole-${randomUUID()}`, whole(patterned(50_000)));
        return (await readdir(incoming)).length;
      } finally {
        await store.close();
      }
    };
    try {
      await leave();
      assert.equal(await partsAfterOpening(), 0, 'nobody is there');
      const [first, second] = [await startChild(directory, 'see'), await startChild(directory, 'see')];
      await leave();
      assert.equal(await partsAfterOpening(), 3, 'two are there');
      first.process.stdin.end();
      await first.ended;
      assert.equal(await partsAfterOpening(), 3, 'one is there');
      second.process.kill('SIGKILL');
      await second.ended;
      assert.equal(await partsAfterOpening(), 0, 'the last one was killed');
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
