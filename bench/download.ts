/** 1 GiB down, over one connection and over eight, beside nginx with sendfile and the same client. */
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace, MIB } from '../e2e/src/files.ts';
import { costOf, NO_COST, sumOfCosts, type Transfer } from './cpu.ts';
import { allAtOnce, curlDown, curlUp, sinkDown } from './clients.ts';
import { median, peerOf, type Figure, type Run } from './figures.ts';
import { bucketUrl, startBonded } from './house.ts';
import { startNginx } from './nginx.ts';

const GIB = 1024 * MIB;
const MB = 1e6;

const CLIENTS = { curl: curlDown, sink: sinkDown } as const;
const CONNECTIONS = [1, 8];

interface Party {
  readonly name: 'bonded' | 'nginx';
  readonly pid: number;
  readonly url: string;
}

interface Case {
  readonly client: keyof typeof CLIENTS;
  readonly connections: number;
}

const CASES: readonly Case[] = Object.keys(CLIENTS).flatMap((client) =>
  CONNECTIONS.map((connections) => ({ client: client as Case['client'], connections })),
);

/** Each connection takes the same object, so that neither party waits for the disk. */
export async function measureDownload({ quick, rounds }: Run): Promise<Figure[]> {
  const size = quick ? 128 * MIB : GIB;
  const work = await makeWorkspace();
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  try {
    const source = await work.sample('source', size);
    await curlUp({ file: source.path, url: `${bucketUrl(bonded)}/down` });
    await link(source.path, join(nginx.root, 'down'));
    const parties: readonly Party[] = [
      { name: 'nginx', pid: nginx.pid, url: `${nginx.url}/down` },
      { name: 'bonded', pid: bonded.pid, url: `${bucketUrl(bonded)}/down` },
    ];
    const transfers: Transfers = new Map();
    for (let round = 0; round < rounds; round++) await oneRound(parties, size, transfers);
    return CASES.map((one) => figureOf(one, size, (name) => transfers.get(`${one.client} ${one.connections} ${name}`) ?? []));
  } finally {
    await Promise.all([bonded.stop(), nginx.stop(), work.remove()]);
  }
}

type Transfers = Map<string, Transfer[]>;

async function oneRound(parties: readonly Party[], size: number, transfers: Transfers): Promise<void> {
  for (const one of CASES) {
    for (const party of parties) {
      const key = `${one.client} ${one.connections} ${party.name}`;
      transfers.set(key, [...(transfers.get(key) ?? []), await download(party, one, size)]);
    }
  }
}

async function download({ pid, url }: Party, { client, connections }: Case, size: number): Promise<Transfer> {
  const urls = Array.from({ length: connections }, () => url);
  const { result: seconds, cost } = await costOf(pid, () => allAtOnce(urls, size, CLIENTS[client]));
  return { seconds, cost };
}

function figureOf({ client, connections }: Case, size: number, of: (party: Party['name']) => readonly Transfer[]): Figure {
  const speeds = (transfers: readonly Transfer[]) => transfers.map(({ seconds }) => (connections * size) / MB / seconds);
  const runs = speeds(of('bonded'));
  const [ours = NO_COST, theirs = NO_COST] = (['bonded', 'nginx'] as const).map((name) => sumOfCosts(of(name).map(({ cost }) => cost)));
  const perGib = GIB / (size * connections * runs.length);
  return {
    section: 'download',
    name: `${connections} × ${size / MIB} MiB, ${client === 'sink' ? 'bytes dropped' : client}`,
    value: median(runs),
    unit: 'MB/s',
    runs,
    peers: [peerOf('nginx', speeds(of('nginx')))],
    target: { of: 'ratio', is: 'at least', limit: 0.95 },
    details: [
      { name: 'server', value: ours.server * perGib, unit: 'CPU s/GiB' },
      { name: "nginx's", value: theirs.server * perGib, unit: 'CPU s/GiB' },
      { name: 'client', value: ours.client * perGib, unit: 'CPU s/GiB' },
      { name: 'main thread', value: (ours.threads.main ?? 0) * perGib, unit: 'CPU s/GiB' },
    ],
  };
}
