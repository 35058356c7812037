import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveBackWhenQuiet } from '../../src/quiet.ts';

/** Waits until it holds, for at most 8 s. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 800 && !holds(); tries += 1) await sleep(10);
  assert.ok(holds());
}

describe('quiet', () => {
  it('is used once, and again after each busy time, never while there is work', async () => {
    // A look that collects asks once more, so that its own work is not counted.
    const busy = [0.9, 0.5, 0.01, 1, 0.01, 0, 0.02, 0.9, 0.8, 0.01, 1, 0, 0];
    const seen: string[] = [];
    const quiet = giveBackWhenQuiet({
      lookMs: 1,
      collect: () => void seen.push('collect'),
      utilization: () => {
        const next = busy.shift() ?? 0;
        seen.push(String(next));
        return next;
      },
    });
    await until(() => busy.length === 0);
    quiet.stop();
    assert.equal(seen.slice(0, 15).join(' '), '0.9 0.5 0.01 collect 1 0.01 0 0.02 0.9 0.8 0.01 collect 1 0 0');
  });

  it('gives back what nobody holds any more', async () => {
    const full = fill();
    const quiet = giveBackWhenQuiet({ lookMs: 20, utilization: () => 0 });
    await until(() => process.memoryUsage().heapUsed < full - 5_000_000);
    quiet.stop();
  });
});

/** Fills memory with what nobody holds when it returns; answers how full it was. */
function fill(): number {
  const garbage = Array.from({ length: 300_000 }, (_, n) => ({ n }));
  assert.equal(garbage.length, 300_000);
  return process.memoryUsage().heapUsed;
}
