/** Large transfers with the content in an S3 server, beside the same client at that server itself; what they take, and how often small requests wait. */
import { startBackend, type Backend } from '../e2e/s3-backend/backend.ts';
import { storageIn } from '../e2e/s3-backend/storage.ts';
import { makeWorkspace, MIB, type Workspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { costOf, sumOfCosts, type Transfer } from './cpu.ts';
import { allAtOnce, curlDown, curlUp } from './clients.ts';
import { median, peerOf, type Figure, type Run, type Target } from './figures.ts';
import { bucketUrl, startBonded } from './house.ts';
import { atRest, during, type Sample } from './memorySamples.ts';
import { measureTrips } from './s3Trips.ts';
import { freshen, sparseFiles } from './sparse.ts';

const GIB = 1024 * MIB;
const MB = 1e6;
const MOST_ROUNDS = 3;

/** Of what MinIO does alone: every byte is taken in and sent once more on its way, by one more server on the same cores. */
const SPEED: Target = { of: 'ratio', is: 'at least', limit: 0.33 };
const OVER_REST: Target = { of: 'value', is: 'below', limit: 64 };

/** Before anything is measured: its code is compiled and kept for later starts then, as it is where a server has run for a while. */
const WARM_UP = 16 * MIB;

interface Load {
  readonly connections: number;
  readonly size: number;
}

type Direction = 'up' | 'down';

/** Where each connection sends its file, and gets it back. */
interface Party {
  readonly pid: number;
  readonly puts: readonly string[];
  readonly gets: readonly string[];
}

/** What both did in one load and direction, round by round. */
interface Measured {
  readonly load: Load;
  readonly direction: Direction;
  readonly ours: readonly Transfer[];
  readonly theirs: readonly Transfer[];
  readonly rest: readonly Sample[];
  /** Of each round. */
  readonly samples: readonly (readonly Sample[])[];
}

/** Both parties take turns. Bonded is started anew for each figure of memory, so that it begins at rest. */
export async function measureS3({ quick, rounds }: Run): Promise<Figure[]> {
  const loads: readonly Load[] = [
    { connections: 1, size: quick ? 256 * MIB : GIB },
    { connections: 8, size: quick ? 64 * MIB : 512 * MIB },
  ];
  const work = await makeWorkspace();
  const backend = await startBackend('minio');
  try {
    const transfers = await measureTransfers(backend, work, { loads, rounds: Math.min(rounds, MOST_ROUNDS) });
    return [...transfers, ...(await measureTrips(backend, work))];
  } finally {
    await Promise.all([backend.stop(), work.remove()]);
  }
}

async function measureTransfers(
  backend: Backend,
  work: Workspace,
  { loads, rounds }: { readonly loads: readonly Load[]; readonly rounds: number },
): Promise<Figure[]> {
  const storage = await storageIn(work.at(''), backend, { bucket: await backend.newBucket() });
  const direct = { backend, bucket: await backend.newBucket() };
  const bonded = await startBonded({ storage });
  const figures: Figure[] = [];
  try {
    await warmUp(bonded, await sparseFiles(work, 8, WARM_UP));
    for (const load of loads) {
      const files = await sparseFiles(work, load.connections, load.size);
      figures.push(...figuresOf(await measure({ load, direction: 'up', files, bonded, direct, rounds })));
      figures.push(...figuresOf(await measure({ load, direction: 'down', files, bonded, direct, rounds })));
    }
    return figures;
  } finally {
    await bonded.stop();
  }
}

async function warmUp(bonded: Server, files: readonly string[]): Promise<void> {
  const sent = files.map((file, n) => ({ file, url: `${bucketUrl(bonded)}/warm-${n}` }));
  await allAtOnce(sent, WARM_UP, curlUp);
}

interface Measurement {
  readonly load: Load;
  readonly direction: Direction;
  readonly files: readonly string[];
  readonly bonded: Server;
  readonly direct: { readonly backend: Backend; readonly bucket: string };
  readonly rounds: number;
}

async function measure({ load, direction, files, bonded, direct, rounds }: Measurement): Promise<Measured> {
  await bonded.terminate();
  await bonded.start();
  const rest = await atRest(bonded.pid);
  const [ours, theirs]: [Transfer[], Transfer[]] = [[], []];
  const samples: (readonly Sample[])[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await transfer(await directParty(direct, load), direction, files, load));
    const party = bondedParty(bonded, load);
    const watched = await during(bonded.pid, () => transfer(party, direction, files, load));
    ours.push(watched.result);
    samples.push(watched.samples);
  }
  return { load, direction, ours, theirs, rest, samples };
}

/** Uploads are of bytes that neither party has. */
async function transfer({ pid, puts, gets }: Party, direction: Direction, files: readonly string[], { size }: Load): Promise<Transfer> {
  if (direction === 'up') for (const file of files) await freshen(file);
  const sent = files.map((file, n) => ({ file, url: puts[n] ?? '' }));
  const move = () => (direction === 'up' ? allAtOnce(sent, size, curlUp) : allAtOnce(gets, size, curlDown));
  const { result: seconds, cost } = await costOf(pid, move);
  return { seconds, cost };
}

function bondedParty(bonded: Server, { connections, size }: Load): Party {
  const urls = Array.from({ length: connections }, (_, n) => `${bucketUrl(bonded)}/${size}-${n}`);
  return { pid: bonded.pid, puts: urls, gets: urls };
}

async function directParty({ backend, bucket }: Measurement['direct'], { connections, size }: Load): Promise<Party> {
  const names = Array.from({ length: connections }, (_, n) => `${size}-${n}`);
  const addresses = await Promise.all(names.map(async (name) => backend.addresses(bucket, name)));
  return { pid: backend.pid, puts: addresses.map(({ put }) => put), gets: addresses.map(({ get }) => get) };
}

function figuresOf({ load, direction, ours, theirs, rest, samples }: Measured): Figure[] {
  const bytes = load.connections * load.size;
  const speeds = (transfers: readonly Transfer[]) => transfers.map(({ seconds }) => bytes / MB / seconds);
  const perGib = GIB / (bytes * ours.length);
  const cost = sumOfCosts(ours.map((one) => one.cost));
  const name = `${load.connections} × ${load.size / MIB} MiB ${direction}`;
  const base = median(rest.map(({ proportional }) => proportional));
  const peaks = samples.map((round) => Math.max(...round.map(({ proportional }) => proportional)) - base);
  return [
    {
      section: 's3',
      name,
      value: median(speeds(ours)),
      unit: 'MB/s',
      runs: speeds(ours),
      peers: [peerOf('MinIO itself', speeds(theirs))],
      target: SPEED,
      details: [
        { name: 'Bonded', value: cost.server * perGib, unit: 'CPU s/GiB' },
        { name: 'its main threads', value: (cost.threads.main ?? 0) * perGib, unit: 'CPU s/GiB' },
        { name: 'MinIO alone', value: sumOfCosts(theirs.map((one) => one.cost)).server * perGib, unit: 'CPU s/GiB' },
      ],
    },
    {
      section: 's3',
      name: `${name}, memory over rest`,
      value: Math.max(...peaks),
      unit: 'MiB',
      runs: peaks,
      peers: [],
      target: OVER_REST,
      details: [
        { name: 'at rest', value: base, unit: 'MiB' },
        { name: 'mostly over it', value: median(samples.flat().map(({ proportional }) => proportional)) - base, unit: 'MiB' },
      ],
    },
  ];
}
