/** Bit rot under a running server: found, reported, never given out, and put right by whoever uploads the same content again. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from 'tus-js-client';
import { MIB, sameBytes } from '../src/files.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';

const Bucket = 'rotting';
const WORKERS = 2;

/** How bytes go wrong on disk. Each object has a size of its own, by which its file is found. */
const ROTTEN = {
  flipped: { size: 3 * MIB + 1, rot: flipByte },
  truncated: { size: 2 * MIB + 2, rot: (path: string) => truncate(path, MIB) },
  deleted: { size: MIB + 3, rot: (path: string) => rm(path) },
} as const;

const SOUND = MIB + 77;

interface Json {
  readonly [name: string]: unknown;
}

/** It damages the files of the data directory. */
const describeOnDisk = (process.env.E2E_STORAGE ?? '') === '' ? describe : describe.skip;

describeOnDisk('the scrub', function () {
  this.timeout(120_000);
  let server: Server;
  let s3: S3Client;
  const bodies = new Map<string, Buffer>();
  const small = Buffer.from(`small ${randomBytes(200).toString('hex')}`);

  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: String(WORKERS), BONDED_SCRUB_RATE: '1GiB', BONDED_SCRUB_DIGESTS: '100000' } });
    s3 = s3Client(server, { requestChecksumCalculation: 'WHEN_REQUIRED', maxAttempts: 1 });
    await s3.send(new CreateBucketCommand({ Bucket }));
    bodies.set('small', small);
    for (const [key, { size }] of Object.entries(ROTTEN)) bodies.set(key, randomBytes(size));
    bodies.set('sound', randomBytes(SOUND));
    for (const [Key, Body] of bodies) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
      await s3.send(new CopyObjectCommand({ Bucket, Key: `copies/${Key}`, CopySource: `${Bucket}/${Key}` }));
    }
  });
  after(async () => {
    s3.destroy();
    await server.stop();
  });

  const authorization = (): string =>
    `Basic ${Buffer.from(`${server.credentials.accessKeyId}:${server.credentials.secretAccessKey}`).toString('base64')}`;

  async function api(method: string, path: string): Promise<Json> {
    const answer = await fetch(`${server.url}/api/v1/${path}`, { method, headers: { authorization: authorization() } });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return (await answer.json()) as Json;
  }

  const findings = async (): Promise<readonly Json[]> => (await api('GET', 'scrub/findings'))['findings'] as Json[];

  async function journal(change: string): Promise<readonly Json[]> {
    const { entries } = await api('GET', 'journal?after=0&limit=1000');
    return (entries as Json[]).filter((entry) => entry['change'] === change);
  }

  async function metric(line: string): Promise<number> {
    const text = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.slice(line.length + 1) ?? NaN,
    );
  }

  const digestOf = (key: string): string => `sha256:${createHash('sha256').update(bodies.get(key)!).digest('hex')}`;

  async function download(Key: string): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** A name and its copy have their bytes again, and nothing is reported of them. */
  async function isRight(key: string): Promise<void> {
    for (const name of [key, `copies/${key}`]) sameBytes(await download(name), bodies.get(key)!);
    assert.ok((await findings()).every(({ digest }) => digest !== digestOf(key)));
    const repairs = (await journal('repair')).filter(({ digest }) => digest === digestOf(key));
    assert.equal(repairs.length, 1);
  }

  it('finds bytes that were flipped, cut off, deleted or changed in the database, and reports them', async () => {
    for (const { size, rot } of Object.values(ROTTEN)) await rot(await fileOf(server, size));
    damageRow(server, small);
    await api('POST', 'scrub');
    await until(async () => (await findings()).length === 4, 60_000);
    const kinds = new Map((await findings()).map(({ digest, kind, quarantined }) => [digest, [kind, quarantined]]));
    assert.deepEqual(
      ['flipped', 'truncated', 'deleted', 'small'].map((key) => kinds.get(digestOf(key))),
      [
        ['differs', true],
        ['length', true],
        ['missing', true],
        ['differs', true],
      ],
    );
    assert.deepEqual(new Set((await journal('quarantine')).map(({ digest }) => digest)), new Set(kinds.keys()));
    const keep = await api('GET', `digests/${digestOf('flipped')}/keep`);
    assert.deepEqual(
      (keep['names'] as Json[]).map(({ key }) => key),
      ['copies/flipped', 'flipped'],
    );
    await until(async () => (await metric('bonded_scrub_quarantined_digests{location="default"}')) === 4, 30_000);
    assert.equal(await metric('bonded_scrub_digests_total{outcome="quarantined"}'), 4);
    assert.ok((await metric('bonded_scrub_read_bytes_total')) > 7 * MIB);
    await until(async () => (await metric('bonded_scrub_last_pass_timestamp_seconds{location="default"}')) > 0, 30_000);
    assert.match(await server.log(), new RegExp(`"level":"error".*${digestOf('flipped')}`));
  });

  it('gives them out nowhere, and all others as before', async () => {
    for (const key of [...Object.keys(ROTTEN), 'small']) {
      for (const Key of [key, `copies/${key}`]) {
        assert.deepEqual(await errorOf(s3.send(new GetObjectCommand({ Bucket, Key }))), { name: 'ObjectDamaged', status: 500 });
        assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).status, 500);
        const ranged = await errorOf(s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=0-9' })));
        assert.equal(ranged.name, 'ObjectDamaged');
      }
      const several = await fetch(`${server.url}/${Bucket}/${key}`, {
        headers: { authorization: authorization(), range: 'bytes=0-4,300-309' },
      });
      assert.deepEqual([several.status, /<Code>ObjectDamaged</.test(await several.text())], [500, true]);
      const CopySource = `${Bucket}/${key}`;
      assert.equal((await errorOf(s3.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource })))).name, 'ObjectDamaged');
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'p' }));
      const part = { Bucket, Key: 'p', UploadId, PartNumber: 1, CopySource };
      assert.equal((await errorOf(s3.send(new UploadPartCopyCommand(part)))).name, 'ObjectDamaged');
    }
    for (const name of ['sound', 'copies/sound']) sameBytes(await download(name), bodies.get('sound')!);
  });

  it('withholds them in every process, and after a power cut', async () => {
    const asked = new Set<string>();
    for (let tries = 0; tries < 200 && asked.size < WORKERS; tries += 1) {
      const { status, requestId } = await askAnew(server, `/${Bucket}/flipped`, authorization());
      assert.equal(status, 500);
      const line = (await server.log())
        .split('\n')
        .find((each) => each.includes(`"requestId":"${requestId}"`) && each.includes('"status"'));
      if (line !== undefined) asked.add(String((JSON.parse(line) as Json)['worker']));
    }
    assert.equal(asked.size, WORKERS, 'every process was asked');
    await server.kill();
    await server.start();
    assert.equal((await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'deleted' })))).name, 'ObjectDamaged');
  });

  it('takes the same content again by PUT', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'elsewhere', Body: bodies.get('flipped')! }));
    await isRight('flipped');
  });

  it('takes it by tus', async () => {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    new Upload(bodies.get('truncated')!, {
      endpoint: `${server.url}/uploads/${Bucket}/by-tus`,
      headers: { Authorization: authorization() },
      onSuccess: () => resolve(),
      onError: reject,
    }).start();
    await done;
    await isRight('truncated');
    sameBytes(await download('by-tus'), bodies.get('truncated')!);
  });

  it('takes it where its digest is stated, which spares a client the sending of right bytes only', async () => {
    const begin = async (key: string): Promise<Response> => {
      const body = bodies.get(key)!;
      const stated = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
      const headers = { authorization: authorization(), 'upload-length': String(body.length), 'repr-digest': stated };
      return fetch(`${server.url}/uploads/${Bucket}/stated-${key}`, { method: 'POST', headers });
    };
    assert.equal((await begin('sound')).headers.get('upload-complete'), '?1');
    const made = await begin('small');
    assert.deepEqual([made.status, made.headers.get('upload-complete')], [201, '?0']);
    const url = server.url + (made.headers.get('location') ?? '');
    const sent = await fetch(url, { method: 'PUT', headers: { authorization: authorization() }, body: bodies.get('small')! });
    assert.equal(sent.status, 201);
    await isRight('small');
  });

  it('takes it as a multipart upload', async () => {
    const body = bodies.get('deleted')!;
    const place = { Bucket, Key: 'by-parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
    const { ETag } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: body }));
    await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }));
    await isRight('deleted');
    assert.deepEqual(await findings(), []);
    await until(async () => (await metric('bonded_scrub_quarantined_digests{location="default"}')) === 0, 30_000);
  });

  it('examines one digest when it is told to', async () => {
    const examine = async () => ((await api('POST', `digests/${digestOf('sound')}/scrub`))['locations'] as Json[])[0];
    assert.deepEqual(await examine(), { location: 'default', outcome: 'sound' });
    const path = await fileOf(server, SOUND);
    await flipByte(path);
    assert.equal((await examine())?.['outcome'], 'quarantined');
    assert.equal((await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'sound' })))).name, 'ObjectDamaged');
    await flipByte(path);
    assert.equal((await examine())?.['outcome'], 'released');
    sameBytes(await download('sound'), bodies.get('sound')!);
  });
});

/** Waits for something, for so many ms at most. */
async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(200)) assert.ok(Date.now() < end, 'it never came to hold');
}

/** The one file of just that many bytes among the stored blobs. */
async function fileOf(server: Server, size: number): Promise<string> {
  const folder = join(server.dataFolder, 'objects', 'blobs');
  const paths = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
  const stats = await Promise.all(paths.map(async (path) => ({ path, is: await stat(path) })));
  const found = stats.filter(({ is }) => is.isFile() && is.size === size);
  assert.equal(found.length, 1, `files of ${size} bytes`);
  return found[0]!.path;
}

async function flipByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1000);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, 1000);
  await file.close();
}

/** Small blobs are rows. */
function damageRow(server: Server, bytes: Buffer): void {
  const database = new DatabaseSync(join(server.dataFolder, 'objects', 'records.sqlite'), { timeout: 10_000 });
  const wrong = Buffer.from(bytes).fill('!', 3, 4);
  const { changes } = database.prepare('UPDATE blobs SET bytes = ? WHERE bytes = ?').run(wrong, bytes);
  database.close();
  assert.equal(changes, 1);
}

/** Asks over a connection of its own, which whichever process is free takes. */
function askAnew(server: Server, path: string, authorization: string): Promise<{ readonly status: number; readonly requestId: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly requestId: string }>();
  const agent = new Agent({ keepAlive: false });
  const asked = request(server.url + path, { agent, headers: { authorization } }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, requestId: String(answer.headers['x-amz-request-id']) }));
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}
