/** A store with 1,000,000 objects under 100,000 prefixes, filled once through the core and kept for later runs. */
import type { BucketConfig } from '@bonded/crds';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createCore } from '../../dataplane/src/core/createCore.ts';
import type { Actor, Core, Expected } from '../../dataplane/src/core/core.ts';
import type { ObjectAttributes } from '../../dataplane/src/core/object.ts';
import { layoutOf } from '../../dataplane/src/storage/local/layout.ts';
import { CHECKOUT } from '../../e2e/src/server.ts';
import { openBulkStore } from './bulkStore.ts';
import { BUCKET } from '../house.ts';

export const PREFIXES = 100_000;
export const PER_PREFIX = 10;
export const OBJECTS = PREFIXES * PER_PREFIX;

/** What the folders begin with. */
const PREFIX = 'million-';

/** Coprime to the count: steps of it meet every object once, in an order that has nothing to do with that of names. */
const STEP = 618_033;

/** What decides how records look: when one of these changes, what was kept is of no more use. */
const SHAPED_BY = [
  'bench/store/million.ts',
  ...['put', 'versions', 'object', 'keys', 'digests', 'journal'].map((name) => `dataplane/src/core/${name}.ts`),
  ...['database', 'layout'].map((name) => `dataplane/src/storage/local/${name}.ts`),
];

const ACTOR: Actor = {
  principal: 'anonymous',
  operation: 's3.PutObject',
  requestId: '00000000000000000000000000',
  remoteAddress: '127.0.0.1',
};
const ATTRIBUTES: ObjectAttributes = {
  headers: { contentType: 'application/octet-stream' },
  metadata: {},
  tags: {},
  storageClass: 'STANDARD',
};
const EXPECTED: Expected = { checksum: { algorithm: 'CRC64NVME' } };
const BUCKET_CONFIG: BucketConfig = {
  name: BUCKET,
  namespace: 'bonded-system',
  origin: { managedBy: 'manifests', owner: 'bench.yaml' },
  location: 'default',
  versioning: 'Disabled',
  immutability: [],
  deletionPolicy: 'Retain',
  cors: [],
  tags: {},
};

/** The prefix number `n`, in name order. */
export function prefixName(n: number): string {
  return `component-${String(n).padStart(6, '0')}/`;
}

/** The object number `n`, in name order. */
export function objectName(n: number): string {
  return `${prefixName(Math.floor(n / PER_PREFIX))}build-${String(n % PER_PREFIX).padStart(2, '0')}.tar.gz`;
}

/** The data directory of the store; fills it first (some minutes) where an earlier run has not. */
export async function millionStore(cache: string, say: (text: string) => void): Promise<string> {
  const folder = join(cache, `${PREFIX}${await shape()}`);
  if (existsSync(folder)) return folder;
  const began = performance.now();
  say(`filling a store with ${OBJECTS.toLocaleString('en')} objects, once`);
  await forgetOthers(cache);
  const growing = `${folder}.growing`;
  const objects = join(growing, 'objects');
  await mkdir(layoutOf(objects).blobs, { recursive: true, mode: 0o700 });
  await fill(objects);
  await rename(growing, folder);
  say(`filled in ${Math.round((performance.now() - began) / 1000)} s`);
  return folder;
}

/** Each takes gigabytes. */
async function forgetOthers(cache: string): Promise<void> {
  const others = (await readdir(cache)).filter((name) => name.startsWith(PREFIX));
  for (const name of others) await rm(join(cache, name), { recursive: true, force: true });
}

async function shape(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of SHAPED_BY) hash.update(await readFile(resolve(CHECKOUT, file)));
  return hash.digest('hex').slice(0, 12);
}

/** In the order of a store that has grown for long: neighbours by name came at different times, so they lie apart on disk. */
async function fill(directory: string): Promise<void> {
  const store = openBulkStore(directory);
  const core = createCore({ stores: new Map([['default', store]]), writer: NO_WRITER, claimedBuckets: () => new Set([BUCKET]) });
  for (let n = 0; n < OBJECTS; n++) await putOne(core, (n * STEP) % OBJECTS);
  await store.close();
}

async function putOne(core: Core, n: number): Promise<void> {
  const arrived = await core.objects.receive(BUCKET_CONFIG, contentOf(n), EXPECTED);
  await core.objects.put(BUCKET_CONFIG, objectName(n), arrived, ATTRIBUTES, {}, ACTOR);
}

async function* contentOf(n: number): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(`object ${n}\n`);
}

const notConfigured = () => Promise.reject(new Error('Filling a store configures nothing.'));
const NO_WRITER = {
  createBucket: notConfigured,
  deleteBucket: notConfigured,
  updateBucket: notConfigured,
  putPolicy: notConfigured,
  deletePolicy: notConfigured,
};
