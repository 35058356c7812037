/** Large transfers with the content in an S3 server, beside the same client at that server itself; and what they take of memory and processor. */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeWorkspace } from '../e2e/src/files.ts';
import { family, memoryOf } from '../e2e/src/processes.ts';
import { startServer, type Server } from '../e2e/src/server.ts';
import { run } from '../e2e/src/shell.ts';
import { startBackend, type Backend } from '../e2e/s3-backend/backend.ts';
import { storageIn } from '../e2e/s3-backend/storage.ts';
import { cpuOf } from './cpu.ts';
import { median, type Figure } from './figures.ts';
import { BUCKET, MANIFESTS } from './house.ts';

const MIB = 1024 ** 2;
const MB = 1e6;
const ROUNDS = 3;
const SAMPLE_EVERY_MS = 100;
const SETTLE_MS = 3000;
const WITHIN_MS = 300_000;

interface Load {
  readonly name: string;
  readonly size: number;
  readonly connections: number;
}

const LOADS: readonly Load[] = [
  { name: '1 GiB', size: 1024 * MIB, connections: 1 },
  { name: '8 × 512 MiB', size: 512 * MIB, connections: 8 },
];

/** Where an object is put and got. */
type Target = (name: string) => Promise<{ readonly put: string; readonly get: string }>;

interface Run {
  /** MB/s of all connections together. */
  readonly speed: number;
  /** Seconds of the processor, for each GiB. */
  readonly processor: number;
  /** The most memory, in MiB. */
  readonly peak: number;
}

/** Measures uploads and downloads of some sizes and numbers, interleaved with the same at the S3 server. */
export async function measureS3(): Promise<Figure[]> {
  const work = await makeWorkspace();
  const backend = await startBackend('minio');
  const { bonded, idle } = await startOver(backend, work.at(''));
  const bucket = await backend.newBucket();
  const ours: Target = async (name) => ({ put: `${bonded.url}/${BUCKET}/${name}`, get: `${bonded.url}/${BUCKET}/${name}` });
  const theirs: Target = (name) => backend.addresses(bucket, name);
  try {
    const figures: Figure[] = [];
    for (const load of LOADS) {
      const source = (await work.sample(`source-${load.size}`, load.size)).path;
      const up: Direction = { name: 'up', of: ({ put }) => ['--upload-file', source, put] };
      const down: Direction = { name: 'down', of: ({ get }) => [get] };
      for (const direction of [up, down]) figures.push(...(await measure({ load, direction, ours, theirs, pid: bonded.pid, idle })));
    }
    return figures;
  } finally {
    await bonded.stop();
    await backend.stop();
    await work.remove();
  }
}

async function startOver(backend: Backend, folder: string): Promise<{ readonly bonded: Server; readonly idle: number }> {
  const storage = await storageIn(folder, backend, { bucket: await backend.newBucket() });
  const bonded = await startServer({ manifests: { 'bench.yaml': MANIFESTS }, env: { ...storage, BONDED_LOG_LEVEL: 'warn' } });
  await sleep(SETTLE_MS);
  return { bonded, idle: memoryOf(bonded.pid) };
}

interface Direction {
  readonly name: 'up' | 'down';
  readonly of: (target: Awaited<ReturnType<Target>>) => readonly string[];
}

interface Measurement {
  readonly load: Load;
  readonly direction: Direction;
  readonly ours: Target;
  readonly theirs: Target;
  readonly pid: number;
  /** MiB. */
  readonly idle: number;
}

async function measure({ load, direction, ours, theirs, pid, idle }: Measurement): Promise<Figure[]> {
  const runs: Run[] = [];
  const direct: Run[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    direct.push(await transfer(load, async (n) => direction.of(await theirs(`${load.size}-${n}`)), undefined));
    runs.push(await transfer(load, async (n) => direction.of(await ours(`${load.size}-${n}`)), pid));
  }
  const of = (all: readonly Run[], key: keyof Run): number[] => all.map((one) => one[key]);
  const figure = (name: string, unit: string, key: keyof Run): Omit<Figure, 'peers'> => {
    const values = of(runs, key);
    return { section: 's3', name: `${load.name} ${direction.name}${name}`, unit, value: median(values), runs: values };
  };
  return [
    { ...figure('', 'MB/s', 'speed'), peers: [{ name: 'MinIO itself', value: median(of(direct, 'speed')) }] },
    { ...figure(', processor for a GiB', 's', 'processor'), peers: [] },
    { ...figure(', memory over idle', 'MiB', 'peak'), ...overIdle(of(runs, 'peak'), idle), peers: [{ name: 'idle', value: idle }] },
  ];
}

function overIdle(peaks: readonly number[], idle: number): Pick<Figure, 'value' | 'runs'> {
  const runs = peaks.map((peak) => peak - idle);
  return { value: Math.max(...runs), runs };
}

/** Transfers by curl, all connections at once. */
async function transfer(load: Load, argumentsOf: (n: number) => Promise<readonly string[]>, pid: number | undefined): Promise<Run> {
  const targets = await Promise.all(Array.from({ length: load.connections }, (_, n) => argumentsOf(n)));
  const before = pid === undefined ? 0 : cpuOf(family(pid));
  const began = performance.now();
  let peak = 0;
  const sampling = setInterval(() => {
    if (pid !== undefined) peak = Math.max(peak, memoryOf(pid));
  }, SAMPLE_EVERY_MS);
  try {
    await Promise.all(
      targets.map((target) =>
        run(['curl', '--silent', '--show-error', '--fail', '--output', '/dev/null', '--header', 'Expect:', ...target], {
          env: { PATH: process.env.PATH ?? '' },
          timeoutMs: WITHIN_MS,
        }),
      ),
    );
  } finally {
    clearInterval(sampling);
  }
  const bytes = load.size * load.connections;
  const seconds = (performance.now() - began) / 1000;
  const processor = pid === undefined ? 0 : cpuOf(family(pid)) - before;
  return { speed: bytes / MB / seconds, processor: (processor * 1024 * MIB) / bytes, peak };
}
