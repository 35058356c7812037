/** What a well-behaved client notices of attacks beside it, and what connections cost that do nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startAttacker, type AttackName } from '../e2e/src/hostile/attacker.ts';
import { ATTACKS, LARGE } from '../e2e/src/hostile/attacks.ts';
import { openMany } from '../e2e/src/hostile/line.ts';
import { startNeighbour, type Neighbour } from '../e2e/src/hostile/neighbour.ts';
import { BUCKET, startOpenServer } from '../e2e/src/hostile/openServer.ts';
import { HOST, put } from '../e2e/src/hostile/shapes.ts';
import { family, memoryOf } from '../e2e/src/processes.ts';
import type { Server } from '../e2e/src/server.ts';
import { cpuOf } from './cpu.ts';
import { median, peerOf, percentile, type Figure, type Run } from './figures.ts';

const LASTS_MS = 3000;
const CONNECTIONS = 300;
const SETTLE_MS = 1500;
const LARGE_MIB = 256;

/** What a stretch of time was like: the neighbour's latencies in ms, and of how many cores the server had need. */
interface Stretch {
  readonly latencies: readonly number[];
  readonly cores: number;
}

interface Place {
  readonly server: Server;
  readonly neighbour: Neighbour;
}

async function stretch(server: Server, neighbour: Neighbour): Promise<Stretch> {
  await neighbour.ask();
  const [began, used] = [performance.now(), cpuOf(family(server.pid))];
  await sleep(LASTS_MS);
  const { latencies, failures } = await neighbour.ask();
  if (failures.length > 0) throw new Error(`The neighbour was not served: ${failures.slice(0, 3).join('; ')}`);
  return { latencies, cores: ((cpuOf(family(server.pid)) - used) * 1000) / (performance.now() - began) };
}

/** What the neighbour shall notice at the most. */
const TARGET = { of: 'ratio', is: 'at most', limit: 2 } as const;

/** Rest and attack by turns, so that what else the machine does falls on both; an attack counts once its connections are open. */
async function besideAttack(place: Place, name: AttackName, rounds: number): Promise<Figure> {
  const { server, neighbour } = place;
  const rest: Stretch[] = [];
  const beside: Stretch[] = [];
  for (let n = 0; n < rounds; n++) {
    rest.push(await stretch(server, neighbour));
    const attack = await startAttacker(server, name, CONNECTIONS);
    await sleep(SETTLE_MS);
    beside.push(await stretch(server, neighbour));
    await attack.stop();
    await sleep(SETTLE_MS);
  }
  const p99 = (stretches: readonly Stretch[]) => stretches.map(({ latencies }) => percentile(latencies, 0.99));
  const p50 = (stretches: readonly Stretch[]) => median(stretches.flatMap(({ latencies }) => latencies));
  const cores = (stretches: readonly Stretch[]) => median(stretches.map((one) => one.cores));
  return {
    section: 'hostile',
    name: `p99 beside ${name}`,
    value: median(p99(beside)),
    unit: 'ms',
    runs: p99(beside),
    peers: [peerOf('at rest', p99(rest))],
    target: TARGET,
    details: [
      { name: 'p50', value: p50(beside), unit: 'ms' },
      { name: 'p50 at rest', value: p50(rest), unit: 'ms' },
      { name: 'server', value: cores(beside), unit: 'cores' },
      { name: 'server at rest', value: cores(rest), unit: 'cores' },
    ],
  };
}

interface Idle {
  readonly name: string;
  readonly count: number;
  readonly begin: string;
  readonly limitMiB: number;
}

/** In MiB over rest, summed over all processes. */
async function cost(server: Server, { name, count, begin, limitMiB }: Idle): Promise<Figure> {
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
    name: `memory of ${name}`,
    value,
    unit: 'MiB',
    runs: [value],
    peers: [],
    target: { of: 'value', is: 'below', limit: limitMiB },
    details: [
      { name: 'each', value: (value / count) * 1024, unit: 'KiB' },
      { name: 'all at rest', value: rest, unit: 'MiB' },
    ],
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
  const idle = { name: '2,000 idle connections', count: 2000, begin: `GET /${BUCKET}/none HTTP/1.1\r\n${HOST}\r\n`, limitMiB: 64 };
  const readers = { name: '64 readers that never read', count: 64, begin: `GET ${LARGE} HTTP/1.1\r\n${HOST}\r\n`, limitMiB: 64 * 4 };
  const begun = put('Content-Length: 1000000000\r\n', 'x'.repeat(1024 * 1024));
  const senders = { name: '64 senders that stop', count: 64, begin: begun, limitMiB: 64 * 4 };
  try {
    // As many before, which do not stay: code is compiled and buffers are kept once and for all.
    await cost(server, idle);
    return [await cost(server, idle), await cost(server, readers), await cost(server, senders)];
  } finally {
    await server.stop();
  }
}

/** Those whose name holds one of the words, which commas separate; all of them without any. */
function attacks(words: string | undefined): readonly AttackName[] {
  const all = Object.keys(ATTACKS) as AttackName[];
  const chosen = all.filter((name) => words?.split(',').some((word) => name.includes(word)) ?? true);
  if (chosen.length === 0) throw new Error(`No attack is called ${words}. Choose from ${all.join(', ')}.`);
  return chosen;
}

export async function measureHostile({ rounds, say }: Run): Promise<readonly Figure[]> {
  const chosen = attacks(process.env.ATTACK);
  const figures = process.env.ATTACK === undefined ? await costs() : [];
  const server = await startWithLarge();
  const neighbour = await startNeighbour(server);
  try {
    for (const name of chosen) {
      say(`beside ${name}`);
      figures.push(await besideAttack({ server, neighbour }, name, rounds));
    }
    return figures;
  } finally {
    await neighbour.stop();
    await server.stop();
  }
}
