/** Ranges over several connections, uploads of HTTP and downloads, each through power cuts of the server. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../src/files.ts';
import { startServer, type Server } from '../src/server.ts';

const BUCKET = 'ranges';
const digestOf = (body: Uint8Array): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

describe('resumable transfers', () => {
  let server: Server;
  let authorization: string;

  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: '2' } });
    const { accessKeyId, secretAccessKey } = server.credentials;
    authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`;
    assert.ok((await ask('PUT', `/${BUCKET}`)).ok);
  });
  after(() => server.stop());

  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: Buffer): Promise<Response> =>
    fetch(server.url + path, { method, headers: { authorization, ...headers }, ...(body === undefined ? {} : { body }) });

  async function powerCut(): Promise<void> {
    await server.kill();
    await server.start();
  }

  async function contentIs(key: string, body: Buffer): Promise<void> {
    const got = await ask('GET', `/${BUCKET}/${key}`);
    assert.equal(got.headers.get('repr-digest'), digestOf(body));
    assert.ok(body.equals(Buffer.from(await got.arrayBuffer())));
  }

  it('takes ranges in parallel, and after each power cut asks only for those that were not acknowledged', async () => {
    const body = randomBytes(48 * MIB + 3);
    const made = await ask('POST', `/uploads/${BUCKET}/parallel`, {
      'upload-mode': 'parallel',
      'upload-length': String(body.length),
      'repr-digest': digestOf(body),
    });
    const url = made.headers.get('location') ?? '';
    const size = 2 * MIB;
    const count = Math.ceil(body.length / size);
    const waiting = Array.from({ length: count }, (_, index) => ((index * 7) % count) * size);
    const acknowledged = new Set<number>();
    const connection = async (): Promise<void> => {
      for (let start = waiting.pop(); start !== undefined; start = waiting.pop()) {
        const part = body.subarray(start, start + size);
        const headers = { 'content-range': `bytes ${start}-${start + part.length - 1}/${body.length}`, 'content-digest': digestOf(part) };
        const answer = await ask('PUT', url, headers, part).catch(() => undefined);
        if (answer?.status === 204) acknowledged.add(start);
        else {
          waiting.push(start);
          await sleep(100);
        }
      }
    };
    const all = Promise.all(Array.from({ length: 4 }, connection));
    for (const share of [6, 14]) {
      while (acknowledged.size < share) await sleep(1);
      const before = [...acknowledged];
      await powerCut();
      const { stored } = (await (await ask('GET', url)).json()) as { stored: string[] };
      for (const start of before) {
        const kept = stored.some((span) => {
          const [first = 0, last = 0] = span.split('-').map(Number);
          return first <= start && last >= Math.min(start + size, body.length) - 1;
        });
        assert.ok(kept, `the range at ${start} was acknowledged, and is not among ${stored.join()}`);
      }
    }
    await all;
    const done = await ask('POST', `${url}&complete`);
    assert.equal(done.status, 201, await done.text());
    await contentIs('parallel', body);
  });

  it('goes on with an upload of HTTP from the offset that it tells', async () => {
    const body = randomBytes(40 * MIB + 1);
    const made = await ask('PUT', `/${BUCKET}/http`, {
      'upload-complete': '?0',
      'upload-length': String(body.length),
      'repr-digest': digestOf(body),
    });
    const url = made.headers.get('location') ?? '';
    const patch = request(server.url + url, {
      method: 'PATCH',
      headers: {
        authorization,
        'upload-offset': '0',
        'upload-complete': '?1',
        'content-type': 'application/partial-upload',
        'content-length': body.length,
        'upload-draft-interop-version': '9',
      },
    });
    patch.on('error', () => undefined);
    let promised = 0;
    patch.on('information', ({ headers }: { headers: Record<string, string> }) => (promised = Number(headers['upload-offset'])));
    for (let at = 0; at < 38 * MIB; at += MIB) if (!patch.write(body.subarray(at, at + MIB))) await once(patch, 'drain');
    while (promised === 0) await sleep(5);
    await powerCut();
    const head = await ask('HEAD', url);
    const offset = Number(head.headers.get('upload-offset'));
    assert.ok(offset >= promised && promised >= 16 * MIB, `${promised} were promised, ${offset} kept`);
    const headers = { 'upload-offset': String(offset), 'upload-complete': '?1', 'content-type': 'application/partial-upload' };
    assert.equal((await ask('PATCH', url, headers, body.subarray(offset))).status, 201);
    await contentIs('http', body);
  });

  it('resumes a download after a restart, byte by byte the same', async () => {
    const body = randomBytes(24 * MIB + 5);
    await ask('PUT', `/${BUCKET}/download`, {}, body);
    const parts: Buffer[] = [];
    const first = await ask('GET', `/${BUCKET}/download`);
    const etag = first.headers.get('etag') ?? '';
    assert.match(etag, /^"/);
    const reader = first.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    parts.push(Buffer.from(value ?? []));
    await powerCut();
    await reader?.cancel().catch(() => undefined);
    const from = Buffer.concat(parts).length;
    const rest = await ask('GET', `/${BUCKET}/download`, { range: `bytes=${from}-`, 'if-range': etag });
    assert.equal(rest.status, 206);
    assert.equal(rest.headers.get('content-range'), `bytes ${from}-${body.length - 1}/${body.length}`);
    parts.push(Buffer.from(await rest.arrayBuffer()));
    assert.ok(body.equals(Buffer.concat(parts)));
    const changed = await ask('GET', `/${BUCKET}/download`, { range: 'bytes=5-9', 'if-range': '"other"' });
    assert.equal(changed.status, 200);
    await changed.body?.cancel();
  });
});
