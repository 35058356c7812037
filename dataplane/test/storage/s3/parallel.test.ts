import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLanes, pooled } from '../../../src/storage/s3/parallel.ts';

describe('work in parallel', () => {
  it('is done so many at a time, and answered in order', async () => {
    let now = 0;
    let most = 0;
    const work = async (n: number): Promise<number> => {
      most = Math.max(most, (now += 1));
      await sleep(n % 3);
      now -= 1;
      return n * 2;
    };
    const items = Array.from({ length: 30 }, (_, n) => n);
    assert.deepEqual(
      await Promise.all(pooled(items, 4, work)),
      items.map((n) => n * 2),
    );
    assert.equal(most, 4);
  });

  it('frees its lane when it fails', async () => {
    const lanes = openLanes(1);
    await assert.rejects(
      lanes.run(() => Promise.reject(new Error('failed'))),
      /failed/,
    );
    assert.equal(await lanes.run(async () => 'free'), 'free');
  });

  it('waits for as many lanes as it needs, in turn, and never for more than there are', async () => {
    const lanes = openLanes(4);
    let used = 0;
    const order: number[] = [];
    const run = (wide: number) =>
      lanes.run(async () => {
        used += Math.min(4, wide);
        assert.ok(used <= 4);
        order.push(wide);
        await sleep(2);
        used -= Math.min(4, wide);
      }, wide);
    await Promise.all([run(1), run(3), run(8), run(2), run(1)]);
    assert.deepEqual(order, [1, 3, 8, 2, 1]);
  });
});
