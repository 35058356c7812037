import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalEntry } from '../../../src/core/core.ts';
import { startProxy, type Proxy } from '../../../../e2e/s3-backend/proxy.ts';
import { readSettings } from '../../../src/config/settings.ts';
import { startHouse, type House } from '../../../src/main/house.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { environmentIn, ownerOf, rootKey } from '../../main/rig.ts';
import { failsWith, patterned } from '../conformance/bodies.ts';
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

  it('does not start when it would collect what may still arrive', async () => {
    const { environment } = await environmentOf();
    await assert.rejects(open({ ...environment, BONDED_GRACE: '39m' }), failsWith('InvalidArgument'));
    await (await open({ ...environment, BONDED_GRACE: '40m' })).close(0);
  });

  it('sends nobody there of whom the journal cannot tell', async () => {
    const { folder, environment } = await environmentOf({ redirectDownloads: true });
    const house = await open(environment);
    const authorization = await ownerOf(folder);
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(house.url + path, { ...init, redirect: 'manual', headers: { authorization, ...init.headers } });
    await ask('/builds', { method: 'PUT' });
    await ask('/builds/large.bin', { method: 'PUT', body: patterned(300_000) });
    assert.equal((await ask('/builds/large.bin')).status, 307);
    const entries = ({ method, url = '' }: IncomingMessage): boolean => method === 'PUT' && url.includes('/records/journal/');
    proxy.plan(['error403'], entries);
    const answer = await ask('/builds/large.bin');
    proxy.forget();
    assert.deepEqual([answer.status, answer.headers.get('location')], [503, null]);
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

    const journal = async () => {
      const answer = await get('/api/v1/journal?limit=100&bucket=builds');
      const { entries } = (await answer.json()) as { entries: JournalEntry[] };
      return entries.filter(({ change }) => change === 'redirect');
    };
    const given = await journal();
    assert.deepEqual(
      given.map(({ name, size, actor }) => [name, size, actor.operation, actor.requestId, actor.principal]),
      [['large.bin', 300_000, 's3.GetObject', sent.headers.get('x-amz-request-id'), `key:${(await rootKey(folder)).id}`]],
    );
    tellsItsEnd(given[0]?.expires, new URL(location));

    assert.equal((await get('/builds/small.txt')).status, 200);
    const refused = await get('/builds/large.bin', {});
    assert.deepEqual([refused.status, refused.headers.get('location')], [403, null]);
    assert.equal((await journal()).length, 1);
    const { id, secret } = await rootKey(folder);
    const credentials = { accessKeyId: id, secretAccessKey: secret };
    const signing = new S3Client({ endpoint: house.url, region: 'us-east-1', forcePathStyle: true, credentials });
    const { Body } = await signing.send(new GetObjectCommand({ Bucket: 'builds', Key: 'large.bin' }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes));
    signing.destroy();
    await house.close(0);
  });
});

/** What the journal says is not before the address itself ends, and hardly later. */
function tellsItsEnd(told: string | undefined, { searchParams }: URL): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(searchParams.get('X-Amz-Date') ?? '') ?? [];
  const [, year, month, day, hour, minute, second] = parts.map(Number) as [number, number, number, number, number, number, number];
  const ends = Date.UTC(year, month - 1, day, hour, minute, second) + Number(searchParams.get('X-Amz-Expires')) * 1000;
  const later = Date.parse(told ?? '') - ends;
  assert.ok(later >= 0 && later < 10_000, `${later} ms after the address ends`);
}
