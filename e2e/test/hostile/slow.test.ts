/** Clients that are slow, or say nothing, or are gone without a word: each costs a little for a while, and then nothing. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../../src/certificate.ts';
import { makeWorkspace, type Workspace } from '../../src/files.ts';
import { LARGE } from '../../src/hostile/attacks.ts';
import { exchange, openLine, openMany, type Line } from '../../src/hostile/line.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import { HOST, put } from '../../src/hostile/shapes.ts';
import { metric } from '../../src/metrics.ts';
import { memoryOf } from '../../src/processes.ts';
import { CHECKOUT, type Server } from '../../src/server.ts';
import { attempt, run } from '../../src/shell.ts';

const GIB = 1024 ** 3;
const GET = `GET /${BUCKET}/none HTTP/1.1\r\n${HOST}\r\n`;
const GET_LARGE = `GET ${LARGE} HTTP/1.1\r\n${HOST}\r\n`;
const LIMITS = { BONDED_HEADERS_TIMEOUT: '2s', BONDED_IDLE_TIMEOUT: '2s', BONDED_SEND_TIMEOUT: '2s', BONDED_KEEP_ALIVE: '2s' };
/** Node looks at times of headers every so often; a busy machine takes its time too. */
const SOON_MS = 30_000;

/** Writes the pieces, each after the pause, until the server closes. */
async function drip(line: Line, pieces: Iterable<string>, everyMs: number): Promise<void> {
  for (const piece of pieces) {
    if (line.isClosed()) return;
    line.write(piece);
    await sleep(everyMs);
  }
}

function* forEver(piece: string): Generator<string> {
  for (;;) yield piece;
}

const lines = (server: Server, count: number) => Promise.all(Array.from({ length: count }, () => openLine(server)));

async function untilMetric(server: Server, name: string, holds: (value: number) => boolean): Promise<void> {
  for (const end = Date.now() + SOON_MS; ; await sleep(100)) {
    const value = await metric(server, name);
    if (holds(value)) return;
    assert.ok(Date.now() < end, `${name} is still ${value}`);
  }
}

for (const scheme of ['http', 'https'] as const) {
  describe(`slow clients over ${scheme}`, () => {
    let server: Server;
    let work: Workspace;

    before(async () => {
      work = await makeWorkspace();
      const tls = scheme === 'https' ? await makeCertificate(work.folder, 'slow') : undefined;
      server = await startOpenServer({ env: LIMITS, ...(tls && { tls }) });
    });
    after(async () => {
      await server.stop();
      await work.remove();
    });

    it('that say nothing are told so, or are closed where there is nothing to tell it through', async () => {
      const plain = { url: server.url.replace('https:', 'http:') };
      const silent = await Promise.all(Array.from({ length: 200 }, () => openLine(plain)));
      const said = await Promise.all(silent.map((line) => line.closed(SOON_MS)));
      const expected = scheme === 'http' ? /^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout<\/Code>/ : /^$/;
      for (const text of said) assert.match(text, expected);
    });

    const heads: Readonly<Record<string, readonly [begin: string, piece: string]>> = {
      'the request line': [`GET /${BUCKET}/`, 'a'],
      'the headers': [`GET /${BUCKET}/none HTTP/1.1\r\n${HOST}`, 'a: b\r\n'],
      'a header': [`GET /${BUCKET}/none HTTP/1.1\r\n${HOST}A: `, 'b'],
      'the head of a second request': [`${GET}GET /${BUCKET}/none HTTP/1.1\r\n${HOST}`, 'a: b\r\n'],
    };
    for (const [what, [begin, piece]] of Object.entries(heads)) {
      it(`that dawdle in ${what} are refused`, async () => {
        const dawdling = await lines(server, 100);
        const dripping = dawdling.map((line) => {
          line.write(begin);
          return drip(line, forEver(piece), 100);
        });
        for (const line of dawdling) assert.match(await line.closed(SOON_MS), /<Code>RequestTimeout<\/Code>[\s\S]*$/);
        await Promise.all(dripping);
      });
    }

    it('that are just within the time of a head are served', async () => {
      const some = await lines(server, 20);
      await Promise.all(some.map((line) => drip(line, GET.match(/[\s\S]{1,8}/g) ?? [], 120)));
      for (const line of some) assert.match(await line.match(/<\/Error>/), /^HTTP\/1\.1 404 [\s\S]*NoSuchKey/);
      for (const line of some) line.socket.destroy();
    });

    it('that stop within a body are refused, and leave nothing', async () => {
      const stopped = await lines(server, 100);
      for (const line of stopped) line.write(put('Content-Length: 1000\r\n', 'half'));
      for (const line of stopped) assert.match(await line.closed(SOON_MS), /^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout<\/Code>/);
      assert.match(await exchange(server, `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`), /NoSuchKey/);
      await untilMetric(server, 'bonded_http_uploads_in_flight', (value) => value === 0);
    });
  });
}

describe('slow clients', () => {
  let server: Server;

  before(async () => {
    server = await startOpenServer({ env: { ...LIMITS, BONDED_SEND_TIMEOUT: '5s', BONDED_IDLE_TIMEOUT: '40s' } });
    await putLarge(server);
  });
  after(() => server.stop());

  it('send a body above the least rate, and none below it', async () => {
    const [above, below] = await Promise.all([lines(server, 20), lines(server, 20)]);
    const sending = (some: readonly Line[], rate: number) =>
      some.map((line) => {
        line.write(put('Content-Length: 1000000\r\n', ''));
        return drip(line, forEver('x'.repeat(rate / 2)), 500);
      });
    const all = [...sending(above, 2048), ...sending(below, 512)];
    for (const line of below)
      assert.match(
        await line.closed(60_000),
        /<Code>RequestTimeout<\/Code>[\s\S]*less than 1024 bytes per second|less than 1024 bytes per second/,
      );
    assert.ok(above.every((line) => !line.isClosed() && line.text() === ''));
    for (const line of above) line.socket.destroy();
    await Promise.all(all);
  });

  it('that never read cost a bounded buffer each, and are closed', async () => {
    const rest = memoryOf(server.pid);
    const sent = await metric(server, 'bonded_http_sent_bytes_total');
    const readers = await openMany(server, 64, GET_LARGE, false);
    await sleep(3000);
    const memory = memoryOf(server.pid) - rest;
    // Two buffers of a MiB each at the most, and what is around them.
    assert.ok(memory < 64 * 4, `${memory} MiB for 64 readers`);
    await untilMetric(server, 'bonded_http_connections', (value) => value <= 2);
    const read = (await metric(server, 'bonded_http_sent_bytes_total')) - sent;
    // What the kernel takes on their behalf, of a GiB that each asked for.
    assert.ok(read < 64 * 16 * 1024 * 1024, `${read} bytes were read for readers that took none`);
    for (const socket of readers) socket.destroy();
  });

  it('that read a byte a second are closed too', async () => {
    const readers = await openMany(server, 64, GET_LARGE, false);
    const timer = setInterval(() => readers.forEach((socket) => void socket.read(1)), 1000);
    await untilMetric(server, 'bonded_http_connections', (value) => value >= 64);
    await untilMetric(server, 'bonded_http_connections', (value) => value <= 2).finally(() => clearInterval(timer));
    for (const socket of readers) socket.destroy();
  });

  it('that stop sending cost a bounded buffer each', async () => {
    const rest = memoryOf(server.pid);
    const senders = await openMany(server, 64, put(`Content-Length: ${GIB}\r\n`, 'x'.repeat(4 * 1024 * 1024)));
    await sleep(3000);
    const memory = memoryOf(server.pid) - rest;
    assert.ok(memory < 64 * 4, `${memory} MiB for 64 senders`);
    for (const socket of senders) socket.destroy();
    await untilMetric(server, 'bonded_http_uploads_in_flight', (value) => value === 0);
  });
});

describe('clients that are gone without a word', () => {
  const env = { PATH: process.env.PATH ?? '' };

  it('cost nothing any more when their time is up', async function () {
    // A network of its own needs a kernel that lets one have it.
    const possible = await attempt(['unshare', '-rn', 'ip', 'link', 'set', 'lo', 'up'], { env }).catch(() => undefined);
    if (possible?.code !== 0) return this.skip();
    const script = `${CHECKOUT}/e2e/src/hostile/blackHole.ts`;
    const said = JSON.parse(await run(['unshare', '-rn', process.execPath, script], { env, cwd: CHECKOUT })) as Record<string, number>;
    assert.ok((said['before'] ?? 0) >= (said['opened'] ?? NaN), JSON.stringify(said));
    assert.ok((said['after'] ?? NaN) <= 2, JSON.stringify(said));
    assert.deepEqual([said['uploads'], said['status']], [0, 404]);
  });
});

/** A GiB of nothing. */
async function putLarge(server: Server): Promise<void> {
  const block = Buffer.alloc(4 * 1024 * 1024);
  const blocks = (function* () {
    for (let left = GIB; left > 0; left -= block.length) yield block;
  })();
  const stored = await fetch(`${server.url}${LARGE}`, {
    method: 'PUT',
    body: ReadableStream.from(blocks),
    duplex: 'half',
    headers: { 'content-length': String(GIB) },
  });
  assert.equal(stored.status, 200, await stored.text());
}
