/** What a well-behaved client notices of attacks beside it, and what connections cost that do nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACKS, LARGE, type StartAttack } from '../e2e/src/hostile/attacks.ts';
import { openMany } from '../e2e/src/hostile/line.ts';
import { startNeighbour, type Neighbour } from '../e2e/src/hostile/neighbour.ts';
import { BUCKET, startOpenServer } from '../e2e/src/hostile/openServer.ts';
import { HOST, put } from '../e2e/src/hostile/shapes.ts';
import { memoryOf } from '../e2e/src/processes.ts';
import type { Server } from '../e2e/src/server.ts';
import { median, peerOf, percentile, type Figure } from './figures.ts';
import { readable } from './table.ts';

const ROUNDS = 3;
const LASTS_MS = 3000;
const CONNECTIONS = 300;
const SETTLE_MS = 2000;
const LARGE_MIB = 256;

interface Round {
  readonly rest: readonly number[];
  readonly beside: readonly number[];
}

/** Rest and attack by turns, so that what else the machine does falls on both. */
async function round(server: Server, neighbour: Neighbour, start: StartAttack): Promise<Round> {
  await neighbour.ask();
  await sleep(LASTS_MS);
  const rest = await neighbour.ask();
  const attack = await start(server, CONNECTIONS);
  await neighbour.ask();
  await sleep(LASTS_MS);
  const beside = await neighbour.ask();
  attack.stop();
  const failures = [...rest.failures, ...beside.failures];
  if (failures.length > 0) throw new Error(`The neighbour was not served: ${failures.slice(0, 3).join('; ')}`);
  await sleep(500);
  return { rest: rest.latencies, beside: beside.latencies };
}

async function besideAttack(server: Server, neighbour: Neighbour, name: string, start: StartAttack): Promise<Figure> {
  const rounds: Round[] = [];
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round(server, neighbour, start));
  const [rest, beside] = [rounds.flatMap((one) => one.rest), rounds.flatMap((one) => one.beside)];
  return {
    section: 'hostile',
    name: `p99 beside ${name}`,
    value: median(rounds.map((one) => percentile(one.beside, 0.99))),
    unit: 'ms',
    runs: rounds.map((one) => percentile(one.beside, 0.99)),
    peers: [
      peerOf(
        'at rest',
        rounds.map((one) => percentile(one.rest, 0.99)),
      ),
    ],
    target: { of: 'ratio', is: 'at most', limit: 2 },
    note: `p50 ${readable(median(beside))} ms, at rest ${readable(median(rest))} ms`,
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
