/** Very many connections: what they cost, and that none of them keeps others out. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange, openLine, openMany } from '../../src/hostile/line.ts';
import { startNeighbour } from '../../src/hostile/neighbour.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import { HOST, put } from '../../src/hostile/shapes.ts';
import { metric } from '../../src/metrics.ts';
import { memoryOf } from '../../src/processes.ts';
import type { Server } from '../../src/server.ts';

const GET = `GET /${BUCKET}/none HTTP/1.1\r\n${HOST}\r\n`;

/** Two thousand connections with a request answered on each, opened in groups: what counts is what they cost while they are idle. */
async function openInTurns(server: Server): Promise<readonly Socket[]> {
  const all: Socket[] = [];
  for (let opened = 0; opened < 2000; opened += 50) {
    all.push(...(await openMany(server, 50, GET)));
    await sleep(50);
  }
  return all;
}

async function closing(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

describe('very many connections', () => {
  let server: Server | undefined;

  afterEach(() => server?.stop());

  it('that are idle cost less than 64 MiB for 2,000', async () => {
    server = await startOpenServer({ env: { BONDED_LOG_LEVEL: 'warn' } });
    // As many before, which do not stay: code is compiled and buffers are kept once and for all.
    for (const passing of await openInTurns(server)) passing.destroy();
    await sleep(2000);
    const rest = memoryOf(server.pid);
    const idle = await openInTurns(server);
    await sleep(2000);
    assert.ok((await metric(server, 'bonded_http_connections')) >= 2000);
    const cost = memoryOf(server.pid) - rest;
    for (const socket of idle) socket.destroy();
    assert.ok(cost < 64, `2,000 idle connections cost ${cost.toFixed(0)} MiB`);
  });

  it('that are idle make room for others, beyond the number that is set', async () => {
    server = await startOpenServer({ env: { BONDED_WORKERS: '1', BONDED_MAX_CONNECTIONS: '100' } });
    const idle = await openMany(server, 400, '');
    const late = await openMany(server, 100, GET);
    // Who had to go is gone a moment later.
    await sleep(500);
    const open = await metric(server, 'bonded_http_connections');
    assert.ok(open <= 100, `${open} are open`);
    for (let n = 0; n < 20; n++) {
      const answer = await exchange(server, `GET /${BUCKET}/none HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /);
    }
    for (const socket of [...idle, ...late]) socket.destroy();
  });

  it('do not use up the files that a process may open', async () => {
    server = await startOpenServer({ env: { BONDED_WORKERS: '1' }, through: ['prlimit', '--nofile=512:512'] });
    const neighbour = await startNeighbour(server);
    try {
      // Every one of them has a file open: a body that is arriving, of more than is kept in a record.
      const senders = await openMany(server, 600, put('Content-Length: 1000000\r\n', 'x'.repeat(100_000)));
      await sleep(3000);
      const { failures, requests } = await neighbour.ask();
      // An idle connection makes room for a new one; whoever sends on it just then sends again.
      const refused = failures.filter((failure) => !/socket hang up|ECONNRESET/.test(failure));
      assert.deepEqual(refused, []);
      assert.ok(requests > 10 * failures.length, `${requests} requests, of which ${failures.length} met a closed connection`);
      assert.ok((await metric(server, 'bonded_http_connections')) <= 192);
      assert.match(await server.log(), /"maxConnections":192/);
      assert.doesNotMatch(await server.log(), /EMFILE/);
      for (const socket of senders) socket.destroy();
    } finally {
      await neighbour.stop();
    }
  });

  it('each with requests sent ahead have no more under way than connections', async () => {
    server = await startOpenServer({ env: { BONDED_WORKERS: '1', BONDED_LOG_LEVEL: 'warn' } });
    await exchange(server, put('Content-Length: 40000000\r\nConnection: close\r\n', 'x'.repeat(40_000_000)));
    const rest = memoryOf(server.pid);
    const greedy = await openMany(server, 10, `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}\r\n`.repeat(30), false);
    await sleep(2000);
    assert.equal(await metric(server, 'bonded_http_requests_in_flight'), 10);
    const tooGreedy = await openMany(server, 50, `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}\r\n`.repeat(1500), false);
    for (const socket of tooGreedy) await closing(socket.resume());
    const cost = memoryOf(server.pid) - rest;
    // Sixty downloads, and what it takes to read 75,000 heads. Were all of them under way, one connection alone would cost as much.
    assert.ok(cost < 600, `${cost.toFixed(0)} MiB`);
    for (const socket of greedy) socket.destroy();
    const line = await openLine(server);
    line.write(GET);
    await line.match(/NoSuchKey/);
    line.socket.destroy();
  });
});
