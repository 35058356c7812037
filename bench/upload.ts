/** 1 GiB up, hashed and durable, over one connection and over eight, beside what the disk takes and what one core hashes. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { makeWorkspace, MIB, sha256Of, type Sample, type Workspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { attempt, run } from '../e2e/src/shell.ts';
import { costOf, sumOfCosts, type Cost, type Transfer } from './cpu.ts';
import { allAtOnce, curlUp, type Sent } from './clients.ts';
import { median, peerOf, type Detail, type Figure, type Run } from './figures.ts';
import { BUCKET, startBonded } from './house.ts';
import { signedHeaders, UNSIGNED } from './signing.ts';
import { freshen } from './sparse.ts';

const GIB = 1024 * MIB;
const MB = 1e6;
const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' };

/** Before the clock runs: what every connection sends so that the server's code is compiled. */
const WARM_UP = 16 * MIB;

/** How the client says what the body is. MD5 and SHA-256 are computed either way; without a checksum of the client's, CRC64NVME too. */
const KINDS = { sha256: 'SHA-256 checked', unsigned: 'unsigned, CRC64NVME' } as const;
const CONNECTIONS = [1, 8];

interface Case {
  readonly kind: keyof typeof KINDS;
  readonly connections: number;
}

const CASES: readonly Case[] = CONNECTIONS.flatMap((connections) =>
  Object.keys(KINDS).map((kind) => ({ kind: kind as Case['kind'], connections })),
);

interface Results {
  readonly transfers: Map<Case, Transfer[]>;
  readonly disk: number[];
  readonly md5: number[];
  readonly sha256: number[];
}

/** A new server at each round, so that no upload meets bytes that are stored already, and the disk stays as empty. */
export async function measureUpload({ quick, rounds }: Run): Promise<Figure[]> {
  const size = quick ? 256 * MIB : GIB;
  const work = await makeWorkspace();
  const results: Results = { transfers: new Map(CASES.map((one) => [one, []])), disk: [], md5: [], sha256: [] };
  try {
    const files = await layFiles(work, size);
    for (let round = 0; round < rounds; round++) await oneRound(files, size, results);
  } finally {
    await work.remove();
  }
  return CASES.map((one) => figureOf(one, size, results));
}

/** By number of connections: what each of them sends, as much in all. */
type Files = ReadonlyMap<number, readonly Sample[]>;

async function layFiles(work: Workspace, size: number): Promise<Files> {
  const files = new Map<number, Sample[]>();
  for (const connections of CONNECTIONS) {
    const samples: Sample[] = [];
    for (let n = 0; n < connections; n++) samples.push(await work.sample(`of-${connections}-${n}`, size / connections));
    files.set(connections, samples);
  }
  return files;
}

async function oneRound(files: Files, size: number, results: Results): Promise<void> {
  const bonded = await startBonded();
  try {
    await warmUp(bonded, files.get(1)?.[0]);
    for (const one of CASES) {
      const samples = files.get(one.connections) ?? [];
      const sent: Sent[] = [];
      for (const { path } of samples) sent.push(await prepare(bonded, path, one));
      const { result: seconds, cost } = await costOf(bonded.pid, () => allAtOnce(sent, size / one.connections, curlUp));
      results.transfers.get(one)?.push({ seconds, cost });
      results.disk.push(await diskWrite(files.get(1)?.[0]?.path ?? '', size));
      results.md5.push(await hashing('md5'));
      results.sha256.push(await hashing('sha256'));
    }
  } finally {
    await bonded.stop();
  }
}

async function warmUp(server: Server, sample: Sample | undefined): Promise<void> {
  const part = `${sample?.path}.part`;
  await run(['dd', `if=${sample?.path}`, `of=${part}`, `bs=${WARM_UP}`, 'count=1'], { env });
  const sent = Array.from({ length: 8 }, (_, n) => ({ file: part, url: `${server.url}/${BUCKET}/warm-${n}` }));
  await allAtOnce(sent, WARM_UP, curlUp);
}

/** Bytes that the store does not have yet, and the headers that go with them. */
async function prepare(server: Server, file: string, { kind, connections }: Case): Promise<Sent> {
  await freshen(file);
  const target = `/${BUCKET}/${kind}-${connections}-${randomBytes(8).toString('hex')}`;
  const url = `${server.url}${target}`;
  if (kind === 'unsigned') return { file, url, headers: signedHeaders({ method: 'PUT', target, payload: UNSIGNED }, server) };
  const sha256 = await sha256Of(file);
  const headers = { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64') };
  return { file, url, headers: signedHeaders({ method: 'PUT', target, headers, payload: sha256 }, server) };
}

/** Megabytes per second that the disk takes when asked to be sure of them. */
async function diskWrite(source: string, size: number): Promise<number> {
  const target = `${source}.disk`;
  const { code, stderr } = await attempt(['dd', `if=${source}`, `of=${target}`, 'bs=1M', 'conv=fsync'], { env });
  await rm(target, { force: true });
  const seconds = /, ([\d.]+) s, /.exec(stderr)?.[1];
  if (code !== 0 || seconds === undefined) throw new Error(`dd said: ${stderr}`);
  return size / MB / Number(seconds);
}

/** Megabytes per second that OpenSSL hashes on one core. */
async function hashing(algorithm: string): Promise<number> {
  const said = await run(['openssl', 'speed', '-mr', '-seconds', '1', '-bytes', '1048576', '-evp', algorithm], { env });
  return Number(/^\+F:.*:([\d.]+)$/m.exec(said)?.[1]) / MB;
}

/** The slower of disk and MD5 is the limit, in each round anew. */
function figureOf(one: Case, size: number, results: Results): Figure {
  const transfers = results.transfers.get(one) ?? [];
  const runs = transfers.map(({ seconds }) => size / MB / seconds);
  const at = (values: readonly number[]) => values.filter((_, index) => index % CASES.length === CASES.indexOf(one));
  const [disk, md5] = [at(results.disk), at(results.md5)];
  const limits = disk.map((value, round) => Math.min(value, md5[round] ?? NaN));
  const limit = median(disk) < median(md5) ? 'dd with fsync' : 'openssl md5';
  return {
    section: 'upload',
    name: `${one.connections} × ${size / one.connections / MIB} MiB, ${KINDS[one.kind]}`,
    value: median(runs),
    unit: 'MB/s',
    runs,
    peers: [peerOf(limit, limits), peerOf('dd with fsync', disk), peerOf('openssl md5', md5), peerOf('openssl sha256', at(results.sha256))],
    target: { of: 'ratio', is: 'at least', limit: 0.75 },
    details: costDetails(sumOfCosts(transfers.map(({ cost }) => cost)), GIB / (size * runs.length)),
  };
}

function costDetails({ server, client, threads }: Cost, scale: number): Detail[] {
  const unit = 'CPU s/GiB';
  const busy = Object.entries(threads).filter(([, seconds]) => seconds * scale >= 0.05);
  return [
    { name: 'server', value: server * scale, unit },
    { name: 'client', value: client * scale, unit },
    ...busy.toSorted(([, a], [, b]) => b - a).map(([name, seconds]) => ({ name: `of it ${name}`, value: seconds * scale, unit: 's' })),
  ];
}
