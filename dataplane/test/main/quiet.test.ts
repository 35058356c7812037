import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveBackWhenQuiet } from '../../src/main/quiet.ts';

/** Keeps the event loop busy for so long, in ms. */
async function work(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const turn = performance.now() + 5;
    while (performance.now() < turn);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('quiet', () => {
  it('is used once, and again after each busy time, never while there is work', async () => {
    let collected = 0;
    const quiet = giveBackWhenQuiet(() => void (collected += 1), 200);
    try {
      await sleep(1000);
      assert.equal(collected, 1);
      await work(1000);
      assert.equal(collected, 1);
      await sleep(1000);
      assert.equal(collected, 2);
    } finally {
      quiet.stop();
    }
    await work(400);
    await sleep(600);
    assert.equal(collected, 2);
  });

  it('gives back what nobody holds any more', async () => {
    let garbage: unknown[] | undefined = Array.from({ length: 300_000 }, (_, n) => ({ n }));
    const full = process.memoryUsage().heapUsed;
    assert.equal(garbage.length, 300_000);
    garbage = undefined;
    const quiet = giveBackWhenQuiet(undefined, 50);
    await sleep(500);
    quiet.stop();
    assert.ok(process.memoryUsage().heapUsed < full - 5_000_000, `${full} before, ${process.memoryUsage().heapUsed} after`);
  });
});
