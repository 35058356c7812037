/** A page of 1,000 names among 100,000: first, middle, last, and collapsed by a delimiter. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Server } from '../e2e/src/server.ts';
import { median, percentile, readable, type Figure } from './figures.ts';
import { BUCKET, portOf, startBonded } from './house.ts';
import { load } from './load.ts';
import { startNginx, type Nginx } from './nginx.ts';

const FOLDERS = 100;
const EACH = 1000;
const REQUESTS = 40;
const ROUNDS = 3;
const HOST = '127.0.0.1';

const folder = (n: number) => `d${String(n).padStart(3, '0')}`;
const key = (n: number) => `${folder(Math.floor(n / EACH))}/${String(n % EACH).padStart(4, '0')}`;

const QUERIES: Readonly<Record<string, string>> = {
  'first page': 'list-type=2&max-keys=1000',
  'middle page': `list-type=2&max-keys=1000&start-after=${folder(FOLDERS / 2)}/0500`,
  'last page': `list-type=2&max-keys=1000&start-after=${folder(FOLDERS - 2)}/0999`,
  'one folder by prefix': `list-type=2&max-keys=1000&prefix=${folder(FOLDERS / 2)}/`,
  '100 folders by delimiter': 'list-type=2&max-keys=1000&delimiter=/',
};

async function fill(server: Server): Promise<number> {
  const body = Buffer.from('x');
  const total = FOLDERS * EACH;
  const { perSecond } = await load({
    host: HOST,
    port: portOf(server),
    connections: 64,
    next: (n) => (n < total ? { method: 'PUT', target: `/${BUCKET}/${key(n)}`, body } : undefined),
  });
  return perSecond;
}

/** Latencies in ms of the same request, one after another. */
async function times(port: number, target: string): Promise<readonly number[]> {
  const { latencies } = await load({
    host: HOST,
    port,
    connections: 1,
    next: (n) => (n < REQUESTS ? { method: 'GET', target } : undefined),
  });
  return latencies;
}

/** The page itself, checked to be one, laid where nginx serves it: sending the same bytes is the floor. */
async function layFloor(server: Server, nginx: Nginx, query: string, name: string): Promise<void> {
  const page = await (await fetch(`${server.url}/${BUCKET}?${query}`)).text();
  const listed = page.match(/<(Key|CommonPrefixes)>/g)?.length ?? 0;
  const expected = query.includes('delimiter') ? FOLDERS : EACH;
  if (listed !== expected) throw new Error(`A page of ${listed} instead of ${expected} entries: ${page.slice(0, 500)}`);
  await writeFile(join(nginx.root, name), page);
}

export async function measureList(): Promise<Figure[]> {
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  try {
    const filled = await fill(bonded);
    const figures: Figure[] = [
      {
        section: 'list',
        name: 'filling with 100,000 objects of 1 B, 64 connections',
        value: filled,
        unit: '/s',
        runs: [filled],
        peers: [],
      },
    ];
    for (const [index, [name, query]] of Object.entries(QUERIES).entries()) {
      await layFloor(bonded, nginx, query, `page-${index}`);
      const ours: number[][] = [];
      const floor: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        floor.push(...(await times(nginx.port, `/page-${index}`)));
        ours.push([...(await times(portOf(bonded), `/${BUCKET}?${query}`))]);
      }
      const all = ours.flat();
      const note = `p99 ${readable(percentile(all, 0.99))} ms`;
      figures.push({
        section: 'list',
        name: `LIST, ${name}`,
        value: median(all),
        unit: 'ms',
        runs: ours.map(median),
        peers: [{ name: 'the same bytes from nginx', value: median(floor) }],
        note,
      });
    }
    return figures;
  } finally {
    await Promise.all([bonded.stop(), nginx.stop()]);
  }
}
