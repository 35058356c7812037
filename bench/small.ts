/** 4 KiB objects: PUTs and GETs per second over 1, 16 and 64 connections. */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { makeWorkspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { median, percentile, readable, type Figure, type Peer } from './figures.ts';
import { BUCKET, portOf, startBonded } from './house.ts';
import { load, type Outcome, type Request } from './load.ts';
import { startNginx } from './nginx.ts';
import { signed } from './signing.ts';

const SIZE = 4096;
const CONNECTIONS = [1, 16, 64];
const ROUNDS = 3;
const ROUND_MS = 3000;
const OBJECTS = 1000;
const HOST = '127.0.0.1';

interface Target {
  readonly name: 'bonded' | 'nginx';
  readonly port: number;
  readonly prefix: string;
}

const body = randomBytes(SIZE);

const put = (target: string): Request => ({ method: 'PUT', target, body });
const get = (target: string): Request => ({ method: 'GET', target });

/** Durable writes of 4 KiB per second that the disk does one after another: what each PUT would cost if none shared a commit. */
async function syncsPerSecond(): Promise<number> {
  const work = await makeWorkspace();
  const file = await open(work.at('syncs'), 'w');
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < ROUND_MS; count++) {
    await file.write(body);
    await file.datasync();
  }
  const perSecond = (count / (performance.now() - begin)) * 1000;
  await file.close();
  await work.remove();
  return perSecond;
}

/** Outcomes by what was measured, such as `PUT 16 nginx`. */
class Outcomes {
  readonly #all = new Map<string, Outcome[]>();

  add(name: string, outcome: Outcome): void {
    this.#all.set(name, [...(this.#all.get(name) ?? []), outcome]);
  }

  rates(name: string): number[] {
    return (this.#all.get(name) ?? []).map(({ perSecond }) => perSecond);
  }

  latencies(name: string): number[] {
    return (this.#all.get(name) ?? []).flatMap(({ latencies }) => latencies);
  }
}

async function oneRound(round: number, targets: readonly Target[], outcomes: Outcomes): Promise<void> {
  for (const connections of CONNECTIONS) {
    for (const { name, port, prefix } of targets) {
      const fresh = `${prefix}/put-${round}-${connections}`;
      const options = { host: HOST, port, connections, forMs: ROUND_MS };
      outcomes.add(`PUT ${connections} ${name}`, await load({ ...options, next: (n) => put(`${fresh}-${n}`) }));
      outcomes.add(`GET ${connections} ${name}`, await load({ ...options, next: (n) => get(`${prefix}/get-${n % OBJECTS}`) }));
    }
  }
}

/** Requests are signed beforehand, so that the figure is of the server's checking. */
async function oneSignedRound(round: number, server: Server, outcomes: Outcomes): Promise<void> {
  const options = { host: HOST, port: portOf(server), connections: 64, forMs: ROUND_MS };
  const batch = (count: number, make: (n: number) => Request) =>
    Array.from({ length: count }, (_, n) => signed(make(n), server.host, server.credentials));
  // More than there is time for: each PUT makes a new name, as the unsigned ones do.
  const puts = batch((ROUND_MS / 1000) * 10_000, (n) => put(`/${BUCKET}/signed-${round}-${n}`));
  outcomes.add('PUT 64 signed', await load({ ...options, next: (n) => puts[n] }));
  const gets = batch(OBJECTS, (n) => get(`/${BUCKET}/get-${n}`));
  outcomes.add('GET 64 signed', await load({ ...options, next: (n) => gets[n % OBJECTS] }));
}

function figure(outcomes: Outcomes, name: string, measured: string, peers: readonly Peer[]): Figure {
  const runs = outcomes.rates(measured);
  const latencies = outcomes.latencies(measured);
  const note = `p50 ${readable(percentile(latencies, 0.5))} ms, p99 ${readable(percentile(latencies, 0.99))} ms`;
  return { section: 'small', name, value: median(runs), unit: '/s', runs, peers, note };
}

export async function measureSmall(): Promise<Figure[]> {
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  const outcomes = new Outcomes();
  const syncs: number[] = [];
  try {
    const targets: Target[] = [
      { name: 'nginx', port: nginx.port, prefix: '' },
      { name: 'bonded', port: portOf(bonded), prefix: `/${BUCKET}` },
    ];
    for (const { port, prefix } of targets)
      await load({ host: HOST, port, connections: 8, next: (n) => (n < OBJECTS ? put(`${prefix}/get-${n}`) : undefined) });
    for (let round = 0; round < ROUNDS; round++) {
      syncs.push(await syncsPerSecond());
      await oneRound(round, targets, outcomes);
      await oneSignedRound(round, bonded, outcomes);
    }
  } finally {
    await Promise.all([bonded.stop(), nginx.stop()]);
  }
  const disk: Peer = { name: 'one fdatasync each', value: median(syncs) };
  const ofNginx = (measured: string): Peer => ({ name: 'nginx', value: median(outcomes.rates(`${measured} nginx`)) });
  const plain = CONNECTIONS.flatMap((count) =>
    ['PUT', 'GET'].map((method) =>
      figure(outcomes, `4 KiB ${method}, ${count} connections`, `${method} ${count} bonded`, [
        ofNginx(`${method} ${count}`),
        ...(method === 'PUT' ? [disk] : []),
      ]),
    ),
  );
  const withSignature = ['PUT', 'GET'].map((method) =>
    figure(outcomes, `4 KiB ${method}, 64 connections, signed`, `${method} 64 signed`, [
      { name: 'unsigned', value: median(outcomes.rates(`${method} 64 bonded`)) },
    ]),
  );
  return [...plain, ...withSignature];
}
