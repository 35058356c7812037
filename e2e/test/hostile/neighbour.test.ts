/** A well-behaved client beside each attack: all that it asks for is answered. How long it waits is measured in `make bench`. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACKS, LARGE } from '../../src/hostile/attacks.ts';
import { startNeighbour, type Neighbour } from '../../src/hostile/neighbour.ts';
import { startOpenServer } from '../../src/hostile/openServer.ts';
import { metric } from '../../src/metrics.ts';
import { memoryOf } from '../../src/processes.ts';
import type { Server } from '../../src/server.ts';

const MIB = 1024 * 1024;
const CONNECTIONS = 300;
const LASTS_MS = 4000;
/** Roomy, for all attacks one after another: two buffers of 512 KiB for each slow connection, and what allocators keep of them. */
const MOST_MIB = 1024;

describe('a well-behaved client', () => {
  let server: Server;
  let neighbour: Neighbour;
  let rest = 0;

  before(async () => {
    server = await startOpenServer({ env: { BONDED_LOG_LEVEL: 'warn' } });
    const stored = await fetch(`${server.url}${LARGE}`, { method: 'PUT', body: Buffer.alloc(256 * MIB) });
    assert.equal(stored.status, 200);
    neighbour = await startNeighbour(server);
    rest = memoryOf(server.pid);
  });
  after(async () => {
    await neighbour.stop();
    await server.stop();
  });

  for (const [name, start] of Object.entries(ATTACKS)) {
    it(`is served beside ${name}`, async () => {
      const attack = await start(server, CONNECTIONS);
      try {
        await neighbour.ask();
        await sleep(LASTS_MS);
        const { requests, failures } = await neighbour.ask();
        assert.deepEqual(failures, []);
        assert.ok(requests > 0);
        const memory = memoryOf(server.pid);
        assert.ok(memory < rest + MOST_MIB, `${memory} MiB, at rest ${rest}`);
      } finally {
        attack.stop();
      }
    });
  }

  it('leaves nothing open behind them', async () => {
    for (const end = Date.now() + 30_000; ; await sleep(200)) {
      // Its own connection, and that of who asks for the number.
      const open = await metric(server, 'bonded_http_connections');
      const uploads = await metric(server, 'bonded_http_uploads_in_flight');
      if (open <= 2 && uploads === 0) return;
      assert.ok(Date.now() < end, `${open} connections and ${uploads} uploads are left`);
    }
  });
});
