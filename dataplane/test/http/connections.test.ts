import assert from 'node:assert/strict';
import type { Call, Reply } from '../../src/protocols/contract.ts';
import { dial, pause, stage, strike, until, type Line } from './stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const STUCK = 'GET /stuck HTTP/1.1\r\nHost: h\r\n\r\n';

function untilGone({ signal }: Pick<Call<undefined>, 'signal'>): Promise<Reply> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

/** A server whose answers to `/stuck` never come. */
const house = (maxConnections: number) =>
  stage(
    { handle: (call) => (call.head.target === '/stuck' ? untilGone(call) : Promise.resolve({ status: 200, body: 'hello' })) },
    { limits: { maxConnections } },
  );

describe('connections beyond the number', () => {
  afterEach(strike);

  it('take the place of the one that has been idle longest', async () => {
    const act = await house(3);
    const lines: Line[] = [];
    for (let n = 0; n < 3; n++) lines.push(await dial(act.port));
    // The first was idle longest, and is not any more.
    lines[0]!.write(GET);
    await lines[0]!.match(/hello$/);
    const fourth = await dial(act.port);
    fourth.write(GET);
    await fourth.match(/hello$/);
    assert.equal(await lines[1]!.closed(), '');
    assert.match(await act.metrics.text(), /bonded_http_connections 3/);
    for (const line of [lines[0]!, lines[2]!]) {
      line.write(GET);
      await line.match(/hello$/);
    }
  });

  it('are closed at once while all others have requests under way, which go on', async () => {
    const act = await house(2);
    const lines = [await dial(act.port), await dial(act.port)];
    for (const line of lines) line.write(STUCK);
    await until(() => act.steps.filter((step) => step === 'handle').length === 2);
    const third = await dial(act.port);
    assert.equal(await third.closed(), '');
    assert.match(await act.metrics.text(), /bonded_http_connections 2/);
    assert.ok(lines.every(({ socket }) => !socket.destroyed));
    lines[0]!.socket.destroy();
    await until(async () => /bonded_http_connections 1/.test(await act.metrics.text()));
    const next = await dial(act.port);
    next.write(GET);
    await next.match(/hello$/);
  });
});

describe('an idle connection', () => {
  afterEach(strike);

  it('is closed in the end, whatever its client sends that is no request', async function () {
    this.timeout(20_000);
    const act = await stage({}, { limits: { keepAliveMs: 200, headersMs: 200 } });
    const line = await dial(act.port);
    line.write(GET);
    await line.match(/hello$/);
    const drip = setInterval(() => line.write('\r\n'), 50);
    await until(() => line.socket.destroyed, 12_000).finally(() => clearInterval(drip));
  });
});

describe('requests sent ahead on one connection', () => {
  afterEach(strike);

  it('begin one after another, and are answered in order', async () => {
    let underWay = 0;
    let most = 0;
    const act = await stage({
      handle: async (call) => {
        most = Math.max(most, ++underWay);
        await pause(5);
        underWay -= 1;
        return { status: 200, body: `${call.head.target};` };
      },
    });
    const line = await dial(act.port);
    line.write(Array.from({ length: 20 }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: h\r\n\r\n`).join(''));
    const text = await line.match(/\/19;$/);
    assert.deepEqual(
      text.match(/\/\d+;/g),
      Array.from({ length: 20 }, (_, n) => `/${n};`),
    );
    assert.equal(most, 1);
  });

  it('do not begin behind an answer that closes the connection', async () => {
    const act = await stage({});
    for (const first of [
      'PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'GET /#x HTTP/1.1\r\nHost: h\r\n\r\n',
    ]) {
      const line = await dial(act.port);
      line.write(first + GET);
      const answer = await line.closed();
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, answer);
      assert.deepEqual(act.steps, []);
    }
  });

  it('do not begin when the client has left meanwhile', async () => {
    const act = await house(10);
    const line = await dial(act.port);
    line.write(STUCK + GET.repeat(5));
    await until(() => act.steps.includes('handle'));
    line.socket.destroy();
    await act.logged('request');
    await pause(50);
    assert.equal(act.steps.filter((step) => step === 'handle').length, 1);
    assert.match(await act.metrics.text(), /bonded_http_requests_in_flight 0/);
  });

  it('end the connection where they are too many, at the cost of one', async () => {
    const act = await house(10);
    const line = await dial(act.port);
    line.write(STUCK + GET.repeat(2000));
    await line.closed();
    assert.deepEqual(
      act.steps.filter((step) => step === 'handle'),
      ['handle'],
    );
    const other = await dial(act.port);
    other.write(GET);
    await other.match(/hello$/);
  });
});
