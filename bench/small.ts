/** 4 KiB objects over 1, 16 and 64 connections: durable PUTs beside SQLite alone, GETs beside nginx with the same files. */
import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { commitsOf } from './commits.ts';
import { costOf, NO_COST, type Cost } from './cpu.ts';
import { median, peerOf, type Detail, type Figure, type Run } from './figures.ts';
import { BUCKET, bucketUrl, startBonded } from './house.ts';
import { startNginx, type Nginx } from './nginx.ts';
import { signedHeaders } from './signing.ts';
import { sampleOf, openSqliteAlone, type SqliteAlone } from './store/sqliteAlone.ts';
import { latencies, layRequests, load, perSecond, type Load, type Outcome } from './wrk.ts';

const SIZE = 4096;
const CONNECTIONS = [1, 16, 64];
const OBJECTS = 1000;

/** More than any server here could take, so that no name comes twice. */
const PUTS_PER_SECOND = 25_000;

interface Measured extends Outcome {
  readonly cost: Cost;
  /** Batches that shared one commit, of PUTs. */
  readonly group?: number;
}

interface Scene {
  readonly bonded: Server;
  readonly nginx: Nginx;
  readonly sqlite: SqliteAlone;
  readonly folder: string;
  readonly seconds: number;
  /** Everything that was measured, such as `PUT 16` or `GET 64 nginx`, round by round. */
  readonly all: Map<string, Measured[]>;
}

export async function measureSmall({ quick, rounds }: Run): Promise<Figure[]> {
  const work = await makeWorkspace();
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  const closers = [() => bonded.stop(), () => nginx.stop(), () => work.remove()];
  try {
    await layObjects(bonded, nginx, work.folder);
    await mkdir(work.at('sqlite'));
    const sqlite = openSqliteAlone(work.at('sqlite'), await sampleOf(bonded, BUCKET, SIZE));
    closers.unshift(async () => sqlite.close());
    const scene: Scene = { bonded, nginx, sqlite, folder: work.folder, seconds: quick ? 1 : 3, all: new Map() };
    for (let round = 0; round < rounds; round++) await oneRound(scene, round);
    return [
      ...CONNECTIONS.map((connections) => putFigure(scene, connections)),
      ...CONNECTIONS.map((connections) => getFigure(scene, connections)),
      signedFigure(scene, 'PUT'),
      signedFigure(scene, 'GET'),
    ];
  } finally {
    for (const close of closers) await close();
  }
}

/** The same bytes on both sides, each object its own. */
async function layObjects(bonded: Server, nginx: Nginx, folder: string): Promise<void> {
  for (let n = 0; n < OBJECTS; n++) {
    const body = randomBytes(SIZE);
    const file = await open(join(nginx.root, `get-${n}`), 'w');
    await file.write(body);
    await file.close();
    const { status } = await fetch(`${bucketUrl(bonded)}/get-${n}`, { method: 'PUT', body });
    if (status !== 200) throw new Error(`A PUT was answered ${status}.`);
  }
  await layRequests(folder, 'get bonded', gets(`/${BUCKET}`));
  await layRequests(folder, 'get nginx', gets(''));
}

function gets(prefix: string) {
  return Array.from({ length: OBJECTS }, (_, n) => ({ method: 'GET' as const, target: `${prefix}/get-${n}` }));
}

async function oneRound(scene: Scene, round: number): Promise<void> {
  const { bonded, nginx, folder, seconds } = scene;
  for (const connections of CONNECTIONS) {
    await warmUp(scene, connections, `${round}-${connections}`);
    const puts = await layRequests(folder, 'put', putsOf(`${round}-${connections}`, seconds));
    const { group = 1 } = await measurePuts(scene, `PUT ${connections}`, puts, connections);
    record(scene, `PUT ${connections} sqlite`, { ...scene.sqlite.write(Math.max(1, Math.round(group)), seconds), cost: NO_COST });
    for (const [name, server] of [['nginx', nginx] as const, ['bonded', bonded] as const]) {
      const get = { url: server.url, requests: join(folder, `get ${name}`), connections, seconds };
      await load(get);
      await measure(scene, `GET ${connections} ${name}`, server.pid, get);
    }
  }
  const sign = <T extends { readonly method: 'GET' | 'PUT'; readonly target: string }>(request: T) => ({
    ...request,
    headers: signedHeaders(request, bonded),
  });
  await warmUp(scene, 64, `${round}-signed`);
  await measurePuts(scene, 'PUT signed', await layRequests(folder, 'put', putsOf(`${round}-signed`, seconds).map(sign)), 64);
  const requests = await layRequests(folder, 'get signed', gets(`/${BUCKET}`).map(sign));
  const get = { url: bonded.url, requests, connections: 64, seconds };
  await load(get);
  await measure(scene, 'GET signed', bonded.pid, get);
}

/** As long as what is measured: V8 forgets the code of a server that has nothing to do, and compiles it again in the first seconds. */
async function warmUp({ bonded, folder, seconds }: Scene, connections: number, name: string): Promise<void> {
  const requests = await layRequests(folder, 'warm', putsOf(`warm-${name}`, seconds));
  await load({ url: bonded.url, requests, connections, seconds, bodySize: SIZE, once: true });
}

function putsOf(name: string, seconds: number) {
  return Array.from({ length: seconds * PUTS_PER_SECOND }, (_, n) => ({ method: 'PUT' as const, target: `/${BUCKET}/put-${name}-${n}` }));
}

async function measurePuts(scene: Scene, name: string, requests: string, connections: number): Promise<Measured> {
  const { bonded, seconds } = scene;
  const before = commitsOf(bonded);
  const outcome = await measure(scene, name, bonded.pid, { url: bonded.url, requests, connections, seconds, bodySize: SIZE, once: true });
  const measured = { ...outcome, group: outcome.requests / (commitsOf(bonded) - before) };
  scene.all.get(name)?.splice(-1, 1, measured);
  return measured;
}

async function measure(scene: Scene, name: string, pid: number, asked: Load): Promise<Measured> {
  const { result: outcome, cost } = await costOf(pid, () => load(asked));
  const measured = { ...outcome, cost };
  if (asked.bodySize === undefined && measured.bytes < measured.requests * SIZE) throw new Error(`${name}: the answers are too short.`);
  record(scene, name, measured);
  return measured;
}

function record({ all }: Scene, name: string, measured: Measured): void {
  all.set(name, [...(all.get(name) ?? []), measured]);
}

function putFigure(scene: Scene, connections: number): Figure {
  const measured = scene.all.get(`PUT ${connections}`) ?? [];
  const alone = scene.all.get(`PUT ${connections} sqlite`) ?? [];
  const details = [
    { name: 'PUTs per commit', value: median(measured.map(({ group = NaN }) => group)), unit: '' },
    ...latencies('', measured, median),
    ...latencies("SQLite's ", alone, median),
    ...costs(measured),
  ];
  return {
    ...figureOf(`4 KiB PUT, ${connections} conn.`, measured, details),
    peers: [peerOf('SQLite alone', alone.map(perSecond))],
    target: { of: 'ratio', is: 'at least', limit: 0.5 },
  };
}

function getFigure(scene: Scene, connections: number): Figure {
  const measured = scene.all.get(`GET ${connections} bonded`) ?? [];
  const theirs = scene.all.get(`GET ${connections} nginx`) ?? [];
  const details = [...latencies('', measured, median), ...latencies("nginx's ", theirs, median), ...costs(measured)];
  return {
    ...figureOf(`4 KiB GET, ${connections} conn.`, measured, details),
    peers: [peerOf('nginx', theirs.map(perSecond))],
    target: { of: 'ratio', is: 'at least', limit: 0.5 },
  };
}

/** Held against the same without signatures. */
function signedFigure(scene: Scene, method: 'GET' | 'PUT'): Figure {
  const measured = scene.all.get(`${method} signed`) ?? [];
  const unsigned = scene.all.get(method === 'PUT' ? 'PUT 64' : 'GET 64 bonded') ?? [];
  return {
    ...figureOf(`4 KiB ${method}, 64 conn., signed`, measured, [...latencies('', measured, median), ...costs(measured)]),
    peers: [peerOf('unsigned', unsigned.map(perSecond))],
  };
}

function figureOf(name: string, measured: readonly Measured[], details: readonly Detail[]) {
  const runs = measured.map(perSecond);
  return { section: 'small', name, value: median(runs), unit: '/s', runs, details };
}

function costs(measured: readonly Measured[]): readonly Detail[] {
  const perThousand = (of: (cost: Cost) => number) => median(measured.map(({ cost, requests }) => (of(cost) / requests) * 1e6));
  return [
    { name: 'server', value: perThousand(({ server }) => server), unit: 'CPU µs each' },
    { name: 'client', value: perThousand(({ client }) => client), unit: 'CPU µs each' },
  ];
}
