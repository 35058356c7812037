/** Real S3 servers on free ports with folders of their own, for the s3 storage driver to keep its objects in. */
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../src/ports.ts';

export const BACKENDS = ['versitygw', 'minio'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Backend {
  readonly name: BackendName;
  readonly pid: number;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly client: S3Client;
  newBucket(): Promise<string>;
  /** Addresses at which anybody may PUT and GET an object for an hour. */
  addresses(bucket: string, name: string): Promise<{ readonly put: string; readonly get: string }>;
  /** Names of all objects, and of uploads that are open. */
  contents(bucket: string, prefix?: string): Promise<readonly string[]>;
  empty(bucket: string): Promise<void>;
  stop(): Promise<void>;
}

const CHECKOUT = resolve(import.meta.dirname, '../..');

const ACCESS = 'backend-access';
const SECRET = 'backend-secret-key';
const READY_WITHIN_MS = 30_000;

const COMMANDS: Readonly<Record<BackendName, (folder: string, address: string) => readonly string[]>> = {
  versitygw: (folder, address) => ['--quiet', '--keep-alive', '--port', address, 'posix', folder],
  minio: (folder, address) => ['server', '--quiet', '--address', address, '--console-address', '127.0.0.1:0', folder],
};

/** Servers, and their folders. */
const running = new Map<ChildProcess, string>();
process.on('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

let buckets = 0;

/** Starts one of the servers that `e2e/s3-backend/install.sh` built. */
export async function startBackend(name: BackendName): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  await mkdir(join(folder, 'data'));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    ROOT_ACCESS_KEY: ACCESS,
    ROOT_SECRET_KEY: SECRET,
    MINIO_ROOT_USER: ACCESS,
    MINIO_ROOT_PASSWORD: SECRET,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  };
  const program = join(CHECKOUT, '.tools/s3-backend', name);
  const child = spawn(program, COMMANDS[name](join(folder, 'data'), address), { env, stdio: 'ignore' });
  running.set(child, folder);
  // Tests that are done do not wait for it.
  child.unref();
  const endpoint = `http://${address}`;
  const credentials = { accessKeyId: ACCESS, secretAccessKey: SECRET };
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await untilReady(child, endpoint);
  return {
    name,
    pid: child.pid ?? 0,
    endpoint,
    credentials,
    client,
    async newBucket() {
      buckets += 1;
      const Bucket = `bonded-${process.pid}-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    async addresses(Bucket, Key) {
      const target = { Bucket, Key };
      const options = { expiresIn: 3600 };
      const put = await getSignedUrl(client, new PutObjectCommand(target), options);
      return { put, get: await getSignedUrl(client, new GetObjectCommand(target), options) };
    },
    contents: (bucket, prefix = '') => contents(client, bucket, prefix),
    empty: (bucket) => empty(client, bucket),
    async stop() {
      client.destroy();
      // Now its end is waited for.
      child.ref();
      const ended = child.exitCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await ended;
      running.delete(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, endpoint: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  let problem: unknown;
  child.once('error', (thrown) => (problem = thrown));
  while (Date.now() < until) {
    if (problem !== undefined || child.exitCode !== null)
      throw new Error('The S3 server did not start; make e2e-s3 builds it.', { cause: problem });
    const answer = await fetch(`${endpoint}/`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined && answer.status < 500) return;
    await sleep(50);
  }
  throw new Error(`The S3 server did not answer within ${READY_WITHIN_MS} ms.`);
}

async function contents(client: S3Client, Bucket: string, Prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (let ContinuationToken: string | undefined; ;) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken !== undefined && { ContinuationToken }) }),
    );
    names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    ContinuationToken = page.NextContinuationToken;
    if (page.IsTruncated !== true) break;
  }
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return [...names, ...Uploads.map(({ Key = '' }) => `upload of ${Key}`)];
}

async function empty(client: S3Client, bucket: string): Promise<void> {
  const names = (await contents(client, bucket, '')).filter((name) => !name.startsWith('upload of '));
  for (let at = 0; at < names.length; at += 1000) {
    const Objects = names.slice(at, at + 1000).map((Key) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
  }
}
