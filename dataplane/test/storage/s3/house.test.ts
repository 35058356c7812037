import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { readSettings } from '../../../src/config/settings.ts';
import { startHouse, type House } from '../../../src/main/house.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { environmentIn, ownerOf, rootKey } from '../../main/rig.ts';
import { patterned } from '../conformance/bodies.ts';
import { startBonded, type BondedBackend } from './bonded.ts';

describe('a house whose storage is an S3 bucket', function () {
  this.timeout(60_000);
  let backend: BondedBackend;
  let proxy: Proxy;
  let directory: string;
  const before_ = { ...process.env };

  before(async () => {
    backend = await startBonded();
    proxy = await startProxy(backend.endpoint);
    directory = await mkdtemp(join(tmpdir(), 's3-house-'));
  });
  after(async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await proxy.close();
    await backend.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });

  /** The environment of a house in a new bucket. */
  async function environmentOf(
    more: { redirectDownloads?: boolean } = {},
  ): Promise<{ folder: string; environment: Record<string, string> }> {
    const { bucket, credentials } = await backend.newPlace();
    process.env.AWS_ACCESS_KEY_ID = credentials?.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = credentials?.secretAccessKey;
    const folder = await mkdtemp(join(directory, 'house-'));
    const file = join(folder, 'storage.yaml');
    await writeFile(
      file,
      JSON.stringify({ s3: { bucket, prefix: 'house/', endpoint: proxy.endpoint, region: 'us-east-1', forcePathStyle: true, ...more } }),
    );
    return { folder, environment: { ...environmentIn(folder), BONDED_STORAGE: file } };
  }

  const open = (environment: Record<string, string>): Promise<House> =>
    startHouse(readSettings(environment), { log: createLog({ level: 'silent' }), watch: false });

  it('keeps everything there, is not ready while it is out of reach, and needs no local state', async () => {
    const { folder, environment } = await environmentOf();
    let house = await open(environment);
    const authorization = await ownerOf(folder);
    const ask = (path: string, init: RequestInit = {}) => fetch(house.url + path, { ...init, headers: { authorization, ...init.headers } });
    assert.equal((await ask('/builds', { method: 'PUT' })).status, 200);
    assert.equal((await ask('/builds/a/b.txt', { method: 'PUT', body: 'kept there' })).status, 200);

    proxy.rate = 1;
    proxy.only = 'error500';
    const unready = await fetch(`${house.url}/readyz`);
    assert.equal(unready.status, 503);
    assert.match(await unready.text(), /Storage location 'default' cannot be used: it answers 500/);
    proxy.rate = 0;
    for (let tries = 0; tries < 60 && (await fetch(`${house.url}/readyz`)).status !== 200; tries += 1)
      await new Promise((done) => setTimeout(done, 100));
    assert.equal((await fetch(`${house.url}/readyz`)).status, 200);

    await house.close(0);
    await access(join(folder, 'data', 'cache-default.db'));
    await assert.rejects(access(join(folder, 'data', 'objects')));
    for (const end of ['', '-wal', '-shm']) await rm(join(folder, 'data', `cache-default.db${end}`), { force: true });
    house = await open(environment);
    assert.equal(await (await ask('/builds/a/b.txt')).text(), 'kept there');
    await house.close(0);
  });

  it('sends who may have an object to the bucket for its bytes, where the location says so', async () => {
    const { folder, environment } = await environmentOf({ redirectDownloads: true });
    const house = await open(environment);
    const authorization = await ownerOf(folder);
    const bytes = patterned(300_000);
    const put = (path: string, init: RequestInit = {}) =>
      fetch(house.url + path, { method: 'PUT', ...init, headers: { authorization, ...init.headers } });
    await put('/builds');
    await put('/builds/large.bin', {
      body: bytes,
      headers: { 'content-type': 'application/x-large', 'content-disposition': 'attachment; filename="ä.bin"' },
    });
    await put('/builds/small.txt', { body: 'small' });
    const get = (path: string, headers: Record<string, string> = { authorization }) =>
      fetch(house.url + path, { headers, redirect: 'manual' });

    const sent = await get('/builds/large.bin');
    assert.deepEqual([sent.status, sent.headers.get('cache-control')], [307, 'no-store']);
    const location = sent.headers.get('location') ?? '';
    assert.equal(new URL(location).origin, proxy.endpoint);
    const fetched = await fetch(location, { headers: { range: 'bytes=1000-' } });
    assert.equal(fetched.status, 206);
    assert.equal(fetched.headers.get('content-type'), 'application/x-large');
    assert.ok(Buffer.from(await fetched.arrayBuffer()).equals(bytes.subarray(1000)));

    assert.equal((await get('/builds/small.txt')).status, 200);
    const refused = await get('/builds/large.bin', {});
    assert.deepEqual([refused.status, refused.headers.get('location')], [403, null]);
    const { id, secret } = await rootKey(folder);
    const credentials = { accessKeyId: id, secretAccessKey: secret };
    const signing = new S3Client({ endpoint: house.url, region: 'us-east-1', forcePathStyle: true, credentials });
    const { Body } = await signing.send(new GetObjectCommand({ Bucket: 'builds', Key: 'large.bin' }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes));
    signing.destroy();
    await house.close(0);
  });
});
