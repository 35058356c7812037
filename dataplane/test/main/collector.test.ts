import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { startCollector } from '../../src/main/collector.ts';
import { silentLog } from '../../src/telemetry/log.ts';

const NOTHING = { digests: 0, blobs: 0, uploads: 0, bytes: 0 };
const HOUR = 3_600_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the collector', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('runs a round four times within the grace, one after another', async () => {
    let rounds = 0;
    let running = 0;
    const collector = startCollector(
      {
        async collect() {
          rounds += 1;
          assert.equal(++running, 1);
          await settled();
          running -= 1;
          return NOTHING;
        },
      },
      { graceMs: HOUR, log: silentLog() },
    );
    mock.timers.tick(HOUR);
    for (let n = 0; n < 20; n++) await settled();
    assert.equal(rounds, 4);
    await collector.stop();
  });

  it('goes on after a round that failed', async () => {
    let rounds = 0;
    const collector = startCollector({ collect: () => Promise.reject(new Error(`no ${++rounds}`)) }, { graceMs: 60_000, log: silentLog() });
    mock.timers.tick(180_000);
    for (let n = 0; n < 20; n++) await settled();
    assert.equal(rounds, 3);
    await collector.stop();
  });

  it('stops a round that is under way, and begins no other', async () => {
    let rounds = 0;
    const collector = startCollector(
      {
        collect: (signal) => {
          rounds += 1;
          return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        },
      },
      { graceMs: 60_000, log: silentLog() },
    );
    mock.timers.tick(120_000);
    await settled();
    await collector.stop();
    assert.equal(rounds, 1);
  });
});
