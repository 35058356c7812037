import assert from 'node:assert/strict';
import type { Protocol } from '../../src/protocols/contract.ts';
import { dial, drain, exchangeRaw, pause, stage, strike, until } from './stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

/** A protocol that shows in its errors what it was told of the request. */
const telling: Protocol = {
  name: 'telling',
  recognise: () => {
    throw new Error('nothing is recognised here');
  },
  renderError: (error, { head }) => ({ status: 400, body: `${error.code} of ${head.method} ${head.rawPath} at ${head.host}` }),
};

describe('what the parser refuses', () => {
  afterEach(strike);

  it('is answered, counted and logged like any other request', async () => {
    const act = await stage({});
    const answer = await exchangeRaw(act.port, 'GET /b/k HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*InvalidRequest: The request is not well-formed HTTP\/1\.1: Invalid header token\.$/);
    const id = /\r\nx-amz-request-id: (\S+)\r\n/.exec(answer)?.[1];
    const line = await act.logged('request');
    assert.equal(line['requestId'], id);
    assert.deepEqual([line['status'], line['error'], line['target']], [400, 'InvalidRequest', '/b/k']);
    assert.match(await act.metrics.text(), /bonded_http_errors_total\{operation="unknown",code="InvalidRequest"\} 1/);
    assert.match(await act.metrics.text(), /bonded_http_requests_in_flight 0/);
    assert.deepEqual(act.steps, []);
  });

  it('is answered by the protocol of its path, where that can be read', async () => {
    const act = await stage({}, { mounts: [{ path: '/api', accepts: (head) => head.host !== 'other', protocol: telling }] });
    const bad = (line: string, host = 'h') => exchangeRaw(act.port, `${line}\r\nHost: ${host}\r\nNo colon\r\n\r\n`);
    assert.match(await bad('PUT /api/x?y=z HTTP/1.1'), /InvalidRequest of PUT \/api\/x at h$/);
    assert.match(await bad('GET /api HTTP/1.1'), /InvalidRequest of GET \/api at h$/);
    for (const line of ['GET /apis/x HTTP/1.1', 'GET /b/api HTTP/1.1', `GET /api/${'a'.repeat(1100)} HTTP/1.1`, 'GET * HTTP/1.1'])
      assert.match(await bad(line), /InvalidRequest: The request/, line);
    assert.match(await bad('GET /api/x HTTP/1.1', 'other'), /InvalidRequest: The request/);
    assert.match(await exchangeRaw(act.port, '\x16\x03\x01\x02\0'), /InvalidRequest: The request/);
  });

  it('has no body in the answer to a HEAD', async () => {
    const act = await stage({});
    const answer = await exchangeRaw(act.port, 'HEAD / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*\r\n\r\n$/);
  });

  it('within a body is the failure of its request', async () => {
    const act = await stage({ handle: async (call) => ({ status: 200, body: `${await drain(call.payload.bytes)}` }) });
    const line = await dial(act.port);
    line.write('PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n');
    const answer = await line.closed();
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*connection: close[\s\S]*Invalid character in chunk size/i);
    assert.equal(act.lines.filter(({ msg }) => msg === 'request').length, 1);
  });

  it('behind a request does not spoil its answer, and ends the connection', async () => {
    for (const behind of ['nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n']) {
      const act = await stage({
        handle: async () => {
          await pause(20);
          return { status: 200, body: 'hello' };
        },
      });
      assert.match(await exchangeRaw(act.port, GET + behind), /^HTTP\/1\.1 200 [\s\S]*hello$/);
      assert.equal(act.steps.filter((step) => step === 'handle').length, 1);
    }
  });

  it('is not interpreted when it comes after the last request', async () => {
    const act = await stage({});
    const answer = await exchangeRaw(act.port, `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n${GET}`);
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*hello$/);
    assert.equal(act.steps.filter((step) => step === 'handle').length, 1);
  });

  it('by its time stays refused when the rest of it comes late', async () => {
    const act = await stage({}, { limits: { headersMs: 200 } });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n');
    await line.match(/408 [\s\S]*BodyTooSlow/);
    line.write('\r\n');
    await line.closed();
    assert.deepEqual(act.steps, []);
  });

  it('because the client stopped sending is answered too', async () => {
    const act = await stage({ handle: async (call) => ({ status: 200, body: `${await drain(call.payload.bytes)}` }) });
    for (const [text, said] of [
      ['GET / HTTP/1.1\r\nHost: h\r\n', /BodyIncomplete: The connection ended within the request/],
      ['PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf', /BodyIncomplete: The connection ended within the request/],
    ] as const) {
      const line = await dial(act.port);
      line.write(text);
      line.socket.end();
      assert.match(await line.closed(), said);
    }
  });
});

describe('what is HTTP and not understood', () => {
  afterEach(strike);

  it('is refused: expectations and tunnels', async () => {
    const act = await stage({});
    assert.match(
      await exchangeRaw(act.port, 'PUT / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n'),
      /400 [\s\S]*only 100-continue/,
    );
    assert.match(await exchangeRaw(act.port, 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n'), /405 [\s\S]*MethodNotAllowed/);
    assert.deepEqual(act.steps, []);
    await until(() => act.lines.filter(({ msg }) => msg === 'request').length === 2);
  });
});
