/** What a well-behaved client notices of attacks beside it, and what connections cost that do nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACKS, LARGE, type StartAttack } from '../e2e/src/hostile/attacks.ts';
import { openMany } from '../e2e/src/hostile/line.ts';
import { startNeighbour, type Neighbour } from '../e2e/src/hostile/neighbour.ts';
import { BUCKET, startOpenServer } from '../e2e/src/hostile/openServer.ts';
import { HOST, put } from '../e2e/src/hostile/shapes.ts';
import { memoryOf } from '../e2e/src/processes.ts';
import { processorTimeOf } from '../e2e/src/processorTime.ts';
import type { Server } from '../e2e/src/server.ts';
import { median, peerOf, percentile, type Figure } from './figures.ts';
import { readable } from './table.ts';

const ROUNDS = 3;
const LASTS_MS = 3000;
const CONNECTIONS = 300;
const SETTLE_MS = 1500;
const LARGE_MIB = 256;

/** What a stretch of time was like: the neighbour's latencies in ms, and of how many cores the server had need. */
interface Stretch {
  readonly latencies: readonly number[];
  readonly cores: number;
}

async function stretch(server: Server, neighbour: Neighbour): Promise<Stretch> {
  await neighbour.ask();
  const [began, used] = [performance.now(), processorTimeOf(server.pid)];
  await sleep(LASTS_MS);
  const { latencies, failures } = await neighbour.ask();
  if (failures.length > 0) throw new Error(`The neighbour was not served: ${failures.slice(0, 3).join('; ')}`);
  return { latencies, cores: ((processorTimeOf(server.pid) - used) * 1000) / (performance.now() - began) };
}

/** Rest and attack by turns, so that what else the machine does falls on both; an attack counts once its connections are open. */
async function besideAttack(server: Server, neighbour: Neighbour, name: string, start: StartAttack): Promise<Figure> {
  const rest: Stretch[] = [];
  const beside: Stretch[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    rest.push(await stretch(server, neighbour));
    const attack = await start(server, CONNECTIONS);
    await sleep(SETTLE_MS);
    beside.push(await stretch(server, neighbour));
    attack.stop();
    await sleep(SETTLE_MS);
  }
  const share = (stretches: readonly Stretch[], of: number) =>
    percentile(
      stretches.flatMap((one) => one.latencies),
      of,
    );
  const cores = (stretches: readonly Stretch[]) => readable(median(stretches.map((one) => one.cores)));
  return {
    section: 'hostile',
    name: `p99 beside ${name}`,
    value: median(beside.map((one) => percentile(one.latencies, 0.99))),
    unit: 'ms',
    runs: beside.map((one) => percentile(one.latencies, 0.99)),
    peers: [
      peerOf(
        'at rest',
        rest.map((one) => percentile(one.latencies, 0.99)),
      ),
    ],
    target: { of: 'ratio', is: 'at most', limit: 2 },
    note: `p50 ${readable(share(beside, 0.5))} ms, at rest ${readable(share(rest, 0.5))}; ${cores(beside)} cores, at rest ${cores(rest)}`,
  };
}

/** In MiB over rest, summed over all processes. */
async function cost(
  { name, limit }: { readonly name: string; readonly limit?: number },
  server: Server,
  count: number,
  begin: string,
): Promise<Figure> {
  const rest = memoryOf(server.pid);
  const sockets = [];
  for (let opened = 0; opened < count; opened += 50) {
    sockets.push(...(await openMany(server, Math.min(50, count - opened), begin, !begin.includes(LARGE))));
    await sleep(50);
  }
  await sleep(SETTLE_MS);
  const value = memoryOf(server.pid) - rest;
  for (const socket of sockets) socket.destroy();
  await sleep(SETTLE_MS);
  return {
    section: 'hostile',
    name,
    value,
    unit: 'MiB',
    runs: [value],
    peers: [],
    details: [{ name: 'all at rest', value: rest, unit: 'MiB' }],
    ...(limit === undefined ? {} : { target: { of: 'value', is: 'below', limit } as const }),
    note: `${readable((value / count) * 1024)} KiB each`,
  };
}

async function startWithLarge(): Promise<Server> {
  const server = await startOpenServer({ env: { BONDED_LOG_LEVEL: 'warn' } });
  const stored = await fetch(`${server.url}${LARGE}`, { method: 'PUT', body: Buffer.alloc(LARGE_MIB * 1024 * 1024) });
  if (!stored.ok) throw new Error(`The object of the attacks was not stored: ${stored.status}`);
  return server;
}

async function costs(): Promise<Figure[]> {
  const server = await startWithLarge();
  const idle = `GET /${BUCKET}/none HTTP/1.1\r\n${HOST}\r\n`;
  try {
    // As many before, which do not stay: code is compiled and buffers are kept once and for all.
    await cost({ name: '' }, server, 2000, idle);
    return [
      await cost({ name: '2,000 idle connections', limit: 64 }, server, 2000, idle),
      await cost({ name: '64 readers that never read' }, server, 64, `GET ${LARGE} HTTP/1.1\r\n${HOST}\r\n`),
      await cost({ name: '64 senders that stop' }, server, 64, put('Content-Length: 1000000000\r\n', 'x'.repeat(1024 * 1024))),
    ];
  } finally {
    await server.stop();
  }
}

export async function measureHostile(): Promise<Figure[]> {
  const figures = await costs();
  const server = await startWithLarge();
  const neighbour = await startNeighbour(server);
  try {
    for (const [name, start] of Object.entries(ATTACKS)) figures.push(await besideAttack(server, neighbour, name, start));
    return figures;
  } finally {
    await neighbour.stop();
    await server.stop();
  }
}
