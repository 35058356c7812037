/** Two servers with nothing in common but a bucket of an S3 server, each with its own way to it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type Server } from '../src/server.ts';
import type { Backend } from './backend.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { storageIn } from './storage.ts';

export const BUCKET = 'shared';

const MANIFEST = `apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: ${BUCKET}, namespace: default }
spec: { versioning: Enabled }
`;

export interface Pair {
  readonly servers: readonly [Server, Server];
  /** Basic credentials of the Owner, the same at both. */
  readonly authorization: string;
  /** How many requests of the servers to their storage suffered something. */
  readonly faults: () => number;
  stop(): Promise<void>;
}

/** Starts them. `rate`: so many of the servers' own requests to the storage suffer a fault. */
export async function startPair(backend: Backend, { rate = 0 }: { rate?: number } = {}): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'two-servers-'));
  const proxies = await Promise.all([1, 2].map((seed) => startProxy(backend.endpoint, { seed, rate })));
  const [one, other] = proxies as [Proxy, Proxy];
  const bucket = await backend.newBucket();
  const environment = async ({ endpoint }: Proxy, n: number) => ({
    ...(await storageIn(folder, { ...backend, endpoint }, { bucket }, `storage-${n}.yaml`)),
    BONDED_WORKERS: '1',
  });
  const manifests = { 'shared.yaml': MANIFEST };
  const first = await startServer({ env: await environment(one, 1), manifests });
  // The same keys, so that one client may go to either.
  const keys = await readFile(join(first.dataFolder, 'root-credentials'), 'utf8');
  const second = await startServer({ env: await environment(other, 2), manifests, dataFiles: { 'root-credentials': keys } });
  const { accessKeyId, secretAccessKey } = first.credentials;
  return {
    servers: [first, second],
    authorization: `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`,
    faults: () => proxies.reduce((sum, { counts }) => sum + Object.values(counts).reduce((all, count) => all + count, 0) - counts.none, 0),
    async stop() {
      await Promise.all([first.stop(), second.stop()]);
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await rm(folder, { recursive: true });
    },
  };
}
