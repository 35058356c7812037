/** Pages of 1,000 out of 1,000,000 objects, and out of 100,000 prefixes by delimiter: wherever the page is, as fast. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { run } from '../e2e/src/shell.ts';
import { costOf, type Cost } from './cpu.ts';
import { median, peerOf, type Figure, type Run } from './figures.ts';
import { BUCKET, startBonded } from './house.ts';
import { millionStore, objectName, OBJECTS, PREFIXES, prefixName } from './store/million.ts';
import { startNginx, type Nginx } from './nginx.ts';
import { layRequests, load, type Outcome } from './wrk.ts';

const PAGE = 1000;

/** Pages of one kind: their targets, asked for in turn, and how many entries each must have. */
interface Case {
  readonly name: string;
  readonly queries: readonly string[];
  readonly entries: number;
  /** The operating system has forgotten the database: every record comes from the disk. No promise is made of that. */
  readonly cold?: true;
}

const page = (after?: string) => `list-type=2&max-keys=${PAGE}${after === undefined ? '' : `&start-after=${encodeURIComponent(after)}`}`;
const pageFrom = (n: number) => page(n === 0 ? undefined : objectName(n - 1));
const collapsedFrom = (n: number) => `${page(n === 0 ? undefined : prefixName(n - 1))}&delimiter=%2F`;
const inside = (n: number) => `${page()}&prefix=${encodeURIComponent(prefixName(n))}&delimiter=%2F`;
const starts = (count: number) => Array.from({ length: count / PAGE }, (_, n) => n * PAGE);

const CASES: readonly Case[] = [
  { name: 'first page', queries: [pageFrom(0)], entries: PAGE },
  { name: 'middle page', queries: [pageFrom(OBJECTS / 2)], entries: PAGE },
  { name: 'last page', queries: [pageFrom(OBJECTS - PAGE)], entries: PAGE },
  { name: 'all 1,000 pages in turn', queries: starts(OBJECTS).map(pageFrom), entries: PAGE },
  { name: 'prefixes, first page', queries: [collapsedFrom(0)], entries: PAGE },
  { name: 'prefixes, middle page', queries: [collapsedFrom(PREFIXES / 2)], entries: PAGE },
  { name: 'prefixes, last page', queries: [collapsedFrom(PREFIXES - PAGE)], entries: PAGE },
  { name: 'prefixes, all 100 pages in turn', queries: starts(PREFIXES).map(collapsedFrom), entries: PAGE },
  { name: 'pages in turn, disk cold', queries: starts(OBJECTS).map(pageFrom), entries: PAGE, cold: true },
  { name: 'inside a prefix, by delimiter', queries: starts(PREFIXES).map(inside), entries: OBJECTS / PREFIXES },
];

/** What one kind of page came to, round by round. */
interface Measured {
  readonly ours: (Outcome & { readonly cost: Cost })[];
  /** nginx with the very bytes of the first page: the least that an answer of this size takes. */
  readonly floor: Outcome[];
}

interface Scene {
  readonly dataFolder: string;
  readonly rounds: number;
  readonly bonded: Server;
  readonly nginx: Nginx;
  readonly folder: string;
  readonly seconds: number;
}

/** One client, which asks for one page after another. */
export async function measureList({ quick, rounds, cache, say }: Run): Promise<Figure[]> {
  const dataFolder = await millionStore(cache, say);
  const work = await makeWorkspace();
  const [bonded, nginx] = await Promise.all([startBonded({ dataFolder }), startNginx()]);
  const scene: Scene = { dataFolder, rounds, bonded, nginx, folder: work.folder, seconds: quick ? 1 : 4 };
  try {
    const all = CASES.map((): Measured => ({ ours: [], floor: [] }));
    await warm(dataFolder);
    for (const [index, one] of CASES.entries()) await layPage(bonded.url, join(nginx.root, `page-${index}`), one);
    for (let round = 0; round < rounds; round++) {
      for (const [index, measured] of all.entries()) await measurePages(scene, index, measured);
      await warm(dataFolder);
    }
    return CASES.map((one, index) => figureOf(one, all[index] ?? { ours: [], floor: [] }));
  } finally {
    await Promise.all([bonded.stop(), nginx.stop(), work.remove()]);
  }
}

async function measurePages(scene: Scene, index: number, { ours, floor }: Measured): Promise<void> {
  const { bonded, nginx, folder, seconds } = scene;
  const { queries = [], cold } = CASES[index] ?? {};
  const fromNginx = await layRequests(folder, 'nginx', [{ method: 'GET', target: `/page-${index}` }]);
  floor.push(await load({ url: nginx.url, requests: fromNginx, connections: 1, seconds: 1 }));
  // Each round begins elsewhere, so that all of them together come to all pages.
  const begin = Math.floor((queries.length * ours.length) / scene.rounds);
  const targets = [...queries.slice(begin), ...queries.slice(0, begin)].map((query) => ({
    method: 'GET' as const,
    target: `/${BUCKET}?${query}`,
  }));
  const requests = await layRequests(folder, 'bonded', targets);
  if (cold) await chill(scene.dataFolder);
  const pages = () => load({ url: bonded.url, requests, connections: 1, seconds });
  const { result, cost } = await costOf(bonded.pid, pages);
  ours.push({ ...result, cost });
}

const databaseOf = (dataFolder: string) => join(dataFolder, 'objects', 'records.sqlite');

/** What a server that has run for a while finds in the memory of its machine. */
async function warm(dataFolder: string): Promise<void> {
  await run(['dd', `if=${databaseOf(dataFolder)}`, 'of=/dev/null', 'bs=4M'], { env: { PATH: process.env.PATH ?? '' } });
}

/** Asks the operating system to forget the file, as after a restart of the machine. */
async function chill(dataFolder: string): Promise<void> {
  const forget = ['oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'];
  await run(['dd', 'if=/dev/null', `of=${databaseOf(dataFolder)}`, ...forget], { env: { PATH: process.env.PATH ?? '' } });
}

/** The page itself, checked to be one, laid where nginx serves it. */
async function layPage(url: string, file: string, { queries: [query = ''], entries }: Case): Promise<void> {
  const answer = await (await fetch(`${url}/${BUCKET}?${query}`)).text();
  const listed = answer.match(/<(Contents|CommonPrefixes)>/g)?.length ?? 0;
  if (listed !== entries) throw new Error(`A page of ${listed} instead of ${entries} entries: ${answer.slice(0, 500)}`);
  await writeFile(file, answer);
}

function figureOf({ name, cold }: Case, { ours, floor }: Measured): Figure {
  const runs = ours.map(({ p99 }) => p99);
  return {
    section: 'list',
    name: `${name}, p99`,
    value: median(runs),
    unit: 'ms',
    runs,
    peers: [
      peerOf(
        "nginx's",
        floor.map(({ p99 }) => p99),
      ),
    ],
    target: cold ? undefined : { of: 'value', is: 'below', limit: 20 },
    details: [
      { name: 'p50', value: median(ours.map(({ p50 }) => p50)), unit: 'ms' },
      { name: 'longest', value: Math.max(...ours.map(({ max }) => max)), unit: 'ms' },
      { name: 'server', value: median(ours.map(({ cost, requests }) => (cost.server / requests) * 1000)), unit: 'CPU ms each' },
    ],
  };
}
