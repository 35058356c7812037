import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { ArtefactError } from '../../src/errors.ts';
import type { Reply } from '../../src/protocols/contract.ts';
import type { Bytes } from '../../src/storage/contract.ts';
import { ask, dial, pause, stage, strike, until } from './stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

/** A source that lends one buffer again and again, as a file reader does, and counts how it is treated. */
function lender(options: { readonly chunk: number; readonly chunks: number; readonly fail?: number }) {
  const seen = { pulls: 0, closed: 0, overwritten: 0 };
  const buffer = Buffer.alloc(options.chunk);
  const bytes: Bytes = {
    [Symbol.asyncIterator]() {
      return {
        async next() {
          if (seen.pulls === options.fail) throw new ArtefactError('Unavailable', 'The disk is gone.');
          if (seen.pulls === options.chunks) return { done: true, value: undefined };
          // What was lent before is worthless now: were it still on its way, the client would read the wrong bytes.
          buffer.fill(seen.pulls % 251);
          seen.pulls += 1;
          return { done: false, value: buffer };
        },
        async return() {
          seen.closed += 1;
          return { done: true, value: undefined };
        },
      };
    },
  };
  return { bytes, seen };
}

const replyOf = (bytes: Bytes, length: number, status = 200): Reply => ({
  status,
  headers: { 'Content-Length': String(length) },
  body: bytes,
});

describe('answers', () => {
  afterEach(strike);

  it('sends lent chunks unchanged, whatever the source does to its buffer afterwards', async () => {
    const source = lender({ chunk: 256 * 1024, chunks: 200 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 200 * 256 * 1024) });
    const response = await fetch(`http://127.0.0.1:${act.port}/`);
    const body = Buffer.from(await response.arrayBuffer());
    assert.equal(body.length, 200 * 256 * 1024);
    for (let at = 0; at < body.length; at += 64 * 1024) assert.equal(body[at], Math.floor(at / (256 * 1024)) % 251);
    assert.equal(source.seen.closed, 1);
  });

  it('turns a source that cannot be read into a proper error', async () => {
    const source = lender({ chunk: 10, chunks: 5, fail: 0 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 50), renderError: (error) => ({ status: 503, body: error.code }) });
    const answer = await ask(act.port, '/');
    assert.equal(answer.status, 503);
    assert.equal(answer.body, 'Unavailable');
  });

  it('breaks the connection when a source fails on the way', async () => {
    const source = lender({ chunk: 100_000, chunks: 5, fail: 3 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 500_000) });
    const line = await dial(act.port);
    line.write(GET);
    const text = await line.closed();
    assert.match(text, /Content-Length: 500000/);
    assert.ok(line.received() < 500_000);
    assert.equal(source.seen.closed, 1);
    const access = await act.logged('request');
    assert.equal(access['error'], 'Unavailable');
    assert.equal(access['bytesOut'], 300_000);
  });

  for (const [what, length] of [
    ['too short', 60],
    ['too long', 40],
  ] as const) {
    it(`breaks the connection when a source is ${what}`, async () => {
      const source = lender({ chunk: 25, chunks: 2 });
      const act = await stage({ handle: async () => replyOf(source.bytes, length) });
      const line = await dial(act.port);
      line.write(GET);
      const text = await line.closed();
      const sent = text.length - text.indexOf('\r\n\r\n') - 4;
      assert.ok(sent < length, `${sent} of ${length}`);
      await act.logged('request failed for an unknown reason');
    });
  }

  it('keeps the connection after a whole answer', async () => {
    const act = await stage({ handle: async () => replyOf(lender({ chunk: 10, chunks: 3 }).bytes, 30) });
    const line = await dial(act.port);
    line.write(GET);
    await line.match(/\r\n\r\n[\s\S]{30}$/);
    line.write(GET);
    await line.match(/(HTTP\/1\.1 200[\s\S]*){2}/);
  });

  it('streams what has no declared length in chunks, and never ends them when the source fails', async () => {
    const good = await stage({ handle: async () => ({ status: 200, body: lender({ chunk: 10, chunks: 3 }).bytes }) });
    assert.equal((await ask(good.port, '/')).body.length, 30);
    const bad = await stage({ handle: async () => ({ status: 200, body: lender({ chunk: 10, chunks: 3, fail: 2 }).bytes }) });
    await assert.rejects(ask(bad.port, '/'));
  });

  it('drops bodies for HEAD, and keeps what their length would be', async () => {
    const source = lender({ chunk: 10, chunks: 3 });
    const replies: Reply[] = [
      { status: 404, body: 'not here' },
      replyOf(source.bytes, 30),
      { status: 200, headers: { 'Content-Length': '77' } },
      { status: 200 },
    ];
    const act = await stage({ handle: async () => replies.shift()! });
    const line = await dial(act.port);
    for (const length of [8, 30, 77, 0]) {
      line.write('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
      await line.match(new RegExp(`Content-Length: ${length}\\r\\n[\\s\\S]*\\r\\n\\r\\n$`));
    }
    assert.ok(!line.text().includes('not here'));
    assert.deepEqual(source.seen, { pulls: 0, closed: 1, overwritten: 0 });
  });

  for (const status of [204, 304]) {
    it(`sends no body with ${status}`, async () => {
      const act = await stage({ handle: async () => ({ status, headers: { ETag: '"e"', 'Content-Length': '5' }, body: 'hello' }) });
      const line = await dial(act.port);
      line.write(GET + GET);
      const text = await line.match(/(HTTP\/1\.1 \d+[\s\S]*){2}/);
      assert.ok(!text.includes('hello'));
      assert.ok(!/content-length/i.test(text));
    });
  }

  it('closes the source when the client leaves on the way', async () => {
    const source = lender({ chunk: 1024 * 1024, chunks: 1000 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 1000 * 1024 * 1024) });
    const line = await dial(act.port);
    line.write(GET);
    await line.match(/HTTP\/1\.1 200/);
    line.socket.destroy();
    await until(() => source.seen.closed === 1);
    assert.ok(source.seen.pulls < 1000);
    const access = await act.logged('request');
    assert.equal(access['aborted'], true);
    assert.ok(!act.lines.some((each) => each['level'] === 'error'), act.text());
  });

  it('gives up on a reader that takes nothing, and closes the source', async () => {
    const source = lender({ chunk: 1024 * 1024, chunks: 1000 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 1000 * 1024 * 1024) }, { limits: { sendIdleMs: 200 } });
    const line = await dial(act.port);
    line.socket.pause();
    line.write(GET);
    await until(() => source.seen.closed === 1);
    assert.equal((await act.logged('request'))['aborted'], true);
  });

  it('gives up on a reader below the least rate although it takes some all the time, and on no other', async function () {
    this.timeout(30_000);
    const size = 16 * 1024 * 1024;
    // 64 KiB fifty times a second: the whole in five seconds.
    const drip = async (bodyMinRate: number) => {
      const source = lender({ chunk: size, chunks: 1 });
      const act = await stage({ handle: async () => replyOf(source.bytes, size) }, { limits: { sendIdleMs: 1500, bodyMinRate } });
      const socket = connect(act.port, '127.0.0.1').pause();
      const reading = setInterval(() => socket.read() as unknown, 20);
      socket.write(GET);
      await until(() => source.seen.closed === 1, 12_000).finally(() => clearInterval(reading));
      return act.logged('request');
    };
    const [slow, steady] = await Promise.all([drip(size), drip(size / 16)]);
    assert.equal(slow['aborted'], true);
    assert.ok(Number(slow['ms']) > 2400, `it had a second, and the idle time, and not ${String(slow['ms'])} ms`);
    assert.equal(steady['aborted'], undefined);
  });

  for (const before of [0, 1]) {
    it(`gives up on a reader that takes nothing of a whole answer, with ${before} before it on the line`, async () => {
      const bodies = [Buffer.alloc(10), Buffer.alloc(64 * 1024 * 1024)].slice(1 - before);
      const act = await stage({ handle: async () => ({ status: 200, body: bodies.shift()! }) }, { limits: { sendIdleMs: 200 } });
      const line = await dial(act.port);
      line.socket.pause();
      line.write(GET.repeat(1 + before));
      await until(() => act.lines.filter(({ msg }) => msg === 'request').length === 1 + before);
      assert.deepEqual(
        act.lines.filter(({ msg }) => msg === 'request').map(({ aborted, bytesOut }) => [aborted, bytesOut]),
        [[undefined, 10] as const, [true, 0] as const].slice(1 - before),
      );
    });
  }

  it('waits for a slow source longer than for a slow reader', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      await pause(500);
      yield Buffer.from('b');
    }
    const act = await stage({ handle: async () => replyOf(slow(), 2) }, { limits: { sendIdleMs: 100 } });
    assert.equal((await ask(act.port, '/')).body, 'ab');
  });

  it('holds no more than what the reader takes', async () => {
    const source = lender({ chunk: 1024 * 1024, chunks: 1000 });
    const act = await stage({ handle: async () => replyOf(source.bytes, 1000 * 1024 * 1024) });
    const line = await dial(act.port);
    line.socket.pause();
    line.write(GET);
    await pause(300);
    const before = source.seen.pulls;
    await pause(200);
    assert.equal(source.seen.pulls, before);
    assert.ok(before < 40, `${before} MiB were pulled for a reader that takes nothing`);
  });
});
