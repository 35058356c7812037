import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ArtefactError } from '../../src/errors.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ONE } from '../http/certificates.ts';
import { dial } from '../http/stage.ts';
import { newDirectory, ownerOf, raise, raze, rootKey } from './rig.ts';

describe('the house', () => {
  afterEach(raze);

  it('keeps what it is given, over a restart', async () => {
    const first = await raise();
    assert.equal((await first.ask('/builds', { method: 'PUT' })).status, 200);
    assert.equal((await first.ask('/builds/app/1.0.bin', { method: 'PUT', body: 'the bytes' })).status, 200);
    assert.equal(await (await first.ask('/builds/app/1.0.bin')).text(), 'the bytes');
    assert.equal(await first.house.close(1000), true);
    const second = await raise({ directory: first.directory });
    assert.equal(await (await second.ask('/builds/app/1.0.bin')).text(), 'the bytes');
    assert.equal(first.house.root.created, true);
    assert.equal(second.house.root.created, false);
  });

  it('lets in nobody without credentials, and nobody with wrong ones', async () => {
    const { ask, house } = await raise();
    await ask('/builds', { method: 'PUT' });
    await ask('/builds/n', { method: 'PUT', body: 'x' });
    for (const headers of [{}, { authorization: 'Basic bm86bm8=' }, { authorization: 'Bearer no.no.no' }] as Record<string, string>[]) {
      const answer = await fetch(`${house.url}/builds/n`, { headers });
      assert.ok([400, 401, 403].includes(answer.status), `${answer.status}`);
    }
  });

  it('is live and ready, and says why when it is not', async () => {
    const store = openMemoryStore();
    const { house } = await raise({
      overrides: { store: { ...store, check: () => Promise.reject(new ArtefactError('Unavailable', 'The disk is full.')) } },
    });
    assert.equal((await fetch(`${house.url}/healthz`)).status, 200);
    const answer = await fetch(`${house.url}/readyz`);
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { status: 'not ready', checks: { storage: 'The disk is full.', configuration: 'ok' } });
  });

  it('serves, refusing, while its first manifests are broken, and is not ready', async () => {
    const directory = await newDirectory();
    await mkdir(join(directory, 'manifests'));
    await writeFile(join(directory, 'manifests', 'bad.yaml'), 'kind: Bucket\nspec: {\n');
    const { house, ask } = await raise({ directory });
    const ready = await fetch(`${house.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /None is in force/);
    assert.equal((await ask('/builds')).status, 503);
  });

  it('gives every protocol its place', async () => {
    const { ask } = await raise();
    const whoami = (await (await ask('/api/v1/whoami')).json()) as { kind: string };
    assert.equal(whoami.kind, 'accessKey');
    assert.match(await (await ask('/')).text(), /ListAllMyBucketsResult/);
    const sts = await ask('/', {
      method: 'POST',
      body: 'Action=Nonsense&Version=2011-06-15',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.match(await sts.text(), /sts\.amazonaws\.com/);
    assert.ok(sts.headers.get('x-amzn-requestid'));
    assert.ok((await ask('/nobody-has-this')).headers.get('x-amz-request-id'));
  });

  it('leaves hosts that name a bucket to S3, whatever the path', async () => {
    const { ask, house, directory } = await raise({ environment: { BONDED_DOMAIN: 's3.example' } });
    await ask('/builds', { method: 'PUT' });
    await ask('/builds/api/v1/whoami', { method: 'PUT', body: 'a key like any other' });
    const line = await dial(house.address.port);
    line.write(
      `GET /api/v1/whoami HTTP/1.1\r\nHost: builds.s3.example\r\nConnection: close\r\nAuthorization: ${await ownerOf(directory)}\r\n\r\n`,
    );
    assert.match(await line.closed(), /a key like any other$/);
  });

  it('puts a changed manifest into force without being told', async () => {
    const { ask, directory } = await raise();
    assert.equal((await ask('/from-git?location')).status, 404);
    await writeFile(
      join(directory, 'manifests', 'b.yaml'),
      'apiVersion: bonded.dev/v1alpha1\nkind: Bucket\nmetadata: { name: from-git, namespace: team }\nspec: {}\n',
    );
    let status = 404;
    for (let tries = 0; status === 404 && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      status = (await ask('/from-git?location')).status;
    }
    assert.equal(status, 200);
  });

  it('starts nothing, and leaves nothing open, when its port is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const directory = await newDirectory();
    await assert.rejects(raise({ directory, environment: { BONDED_LISTEN: `127.0.0.1:${port}` } }), /EADDRINUSE/);
    blocker.close();
    assert.equal((await (await raise({ directory })).ask('/')).status, 200);
  });

  it('writes no secret into its log', async () => {
    const { ask, house, directory, log } = await raise();
    const { secret } = await rootKey(directory);
    await ask('/builds', { method: 'PUT' });
    const signed = (await (
      await ask('/api/v1/presign', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ method: 'GET', bucket: 'builds', key: 'n' }),
      })
    ).json()) as { url: string };
    const signature = /X-Amz-Signature=([0-9a-f]+)/.exec(signed.url)![1]!;
    await fetch(signed.url);
    await fetch(`${house.url}/builds/n?X-Amz-Signature=${signature}&X-Amz-Security-Token=tokentokentoken`);
    const session = (await (await ask('/auth/sessions', { method: 'POST' })).json()) as Record<string, string>;
    const text = log();
    assert.match(text, /X-Amz-Signature=\[redacted\]/);
    const secrets = [
      secret,
      await ownerOf(directory),
      signature,
      'tokentokentoken',
      ...['secretAccessKey', 'sessionToken'].map((name) => session[name]),
    ];
    for (const value of secrets) assert.ok(value === undefined || !text.includes(value.replace('Basic ', '')), 'a secret is in the log');
    assert.match(text, /"principal":"key:BONDED/);
  });

  it('counts requests and storage', async () => {
    const { ask, house } = await raise();
    await ask('/builds', { method: 'PUT' });
    const text = await house.metrics.text();
    assert.match(text, /bonded_http_requests_total\{operation="s3\.CreateBucket",status="2xx"\} 1/);
    assert.match(text, /bonded_storage_duration_seconds_count\{call="records\.write"\} [1-9]/);
  });

  it('serves over TLS when it is given a certificate', async () => {
    const directory = await newDirectory();
    const files = { BONDED_TLS_CERT: join(directory, 'tls.crt'), BONDED_TLS_KEY: join(directory, 'tls.key') };
    await writeFile(files.BONDED_TLS_CERT, ONE.certificate);
    await writeFile(files.BONDED_TLS_KEY, ONE.key);
    const { house } = await raise({ directory, environment: files });
    assert.match(house.url, /^https:/);
    const status = await new Promise((resolve, reject) => {
      get(`${house.url}/readyz`, { ca: ONE.certificate }, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    assert.equal(status, 200);
  });

  it('can be closed twice', async () => {
    const { house } = await raise();
    assert.deepEqual(await Promise.all([house.close(1000), house.close(0)]), [true, true]);
  });
});
