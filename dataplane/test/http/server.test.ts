import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ArtefactError } from '../../src/errors.ts';
import { createHealth } from '../../src/http/health.ts';
import type { Protocol } from '../../src/protocols/contract.ts';
import { ask, dial, drain, pause, stage, strike, until } from './stage.ts';

const named = (name: string): Protocol => ({
  name,
  recognise: () => ({
    operation: {
      name: `${name}.Act`,
      authenticates: 'public',
      demands: () => [],
      handle: async (call) => ({ status: 200, body: `${name} ${call.head.target}` }),
    },
    params: undefined,
  }),
  renderError: (error) => ({ status: 400, body: error.code }),
});

describe('mounts', () => {
  afterEach(strike);

  it('are found by whole path segments, and see the whole target', async () => {
    const act = await stage(
      { handle: async (call) => ({ status: 200, body: `s3 ${call.head.target}` }) },
      { mounts: [{ path: '/api/v1', protocol: named('admin') }] },
    );
    const paths: Record<string, string> = {
      '/api/v1/buckets?x=1': 'admin',
      '/api/v1': 'admin',
      '/api/v1?y': 'admin',
      '/api/v12': 's3',
      '/API/v1/x': 's3',
      '//api/v1/x': 's3',
      '/%61pi/v1/x': 's3',
      '/': 's3',
      '/bucket/api/v1': 's3',
    };
    for (const [path, name] of Object.entries(paths)) assert.equal((await ask(act.port, path)).body, `${name} ${path}`);
  });

  it('may refuse a request by its head, and leave it to the next', async () => {
    const act = await stage(
      { handle: async () => ({ status: 200, body: 's3' }) },
      {
        mounts: [
          { path: '/api', accepts: (head) => !head.host.startsWith('bucket.'), protocol: named('admin') },
          {
            accepts: (head) =>
              head.method === 'POST' && head.rawPath === '/' && /^application\/x-www-form/.test(head.headers['content-type'] ?? ''),
            protocol: named('sts'),
          },
        ],
      },
    );
    assert.equal(
      (await ask(act.port, '/', { method: 'POST', body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).body,
      'sts /',
    );
    assert.equal((await ask(act.port, '/', { method: 'POST', body: 'a=b', headers: { 'content-type': 'text/plain' } })).body, 's3');
    const line = await dial(act.port);
    line.write('GET /api/x HTTP/1.1\r\nHost: bucket.example\r\nConnection: close\r\n\r\n');
    assert.match(await line.closed(), /s3$/);
  });

  it('leave what Express cannot parse to the last', async () => {
    const act = await stage(
      { handle: async (call) => ({ status: 200, body: `s3 ${call.head.target}` }) },
      { mounts: [{ path: '/api', protocol: named('admin') }] },
    );
    for (const target of ['*', 'http://h:80/x', 'http://h:99999999/']) {
      const line = await dial(act.port);
      line.write(`OPTIONS ${target} HTTP/1.1\r\nHost: ${/\/\/([^/]+)/.exec(target)?.[1] ?? 'h'}\r\nConnection: close\r\n\r\n`);
      assert.match(await line.closed(), /^HTTP\/1\.1 (200|400)[\s\S]*(s3|InvalidRequest)/, target);
    }
  });
});

describe('limits', () => {
  afterEach(strike);

  it('closes who does not finish a head in time', async () => {
    const act = await stage({}, { limits: { headersMs: 200 } });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n');
    assert.match(await line.closed(), /^HTTP\/1\.1 408/);
    const silent = await dial(act.port);
    await silent.closed();
  });

  it('closes idle connections after the keep-alive time', async () => {
    const act = await stage({}, { limits: { keepAliveMs: 100 } });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await line.match(/hello$/);
    await line.closed();
  });

  it('never times out a request that makes progress', async () => {
    const act = await stage(
      { handle: async (call) => ({ status: 200, body: `got ${await drain(call.payload.bytes)}` }) },
      { limits: { headersMs: 100, keepAliveMs: 100, bodyIdleMs: 400 } },
    );
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n');
    for (let n = 0; n < 20; n++) {
      await pause(60);
      line.write('x');
    }
    await line.match(/got 20$/);
  });

  it('goes on serving after bad input of every kind', async () => {
    const act = await stage({});
    const inputs = [
      '',
      '\r\n\r\n\r\n',
      '\0\0\0\0',
      'GET',
      'GET / HTTP/9.9\r\n\r\n',
      'PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
      'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n',
    ];
    for (const input of inputs) {
      const line = await dial(act.port);
      line.write(input);
      await pause(5);
      line.socket.destroy();
    }
    assert.equal((await ask(act.port, '/')).body, 'hello');
  });
});

describe('shutdown', () => {
  afterEach(strike);

  it('closes idle connections at once, and finishes a slow transfer', async () => {
    const release = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first ');
      await release.promise;
      yield Buffer.from('last');
    }
    const act = await stage({
      handle: async (call) =>
        call.head.target === '/slow' ? { status: 200, headers: { 'Content-Length': '10' }, body: slow() } : { status: 200, body: 'x' },
    });
    const [idle, fresh, busy] = [await dial(act.port), await dial(act.port), await dial(act.port)];
    idle.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await idle.match(/x$/);
    busy.write('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n');
    await busy.match(/first $/);
    const stopped = act.server.close(5000);
    await idle.closed();
    await fresh.closed();
    await assert.rejects(dial(act.port));
    release.resolve();
    assert.match(await busy.closed(), /first last$/);
    assert.equal(await stopped, true);
  });

  it('sends the last bytes of an answer that its reader has not taken yet', async () => {
    const size = 64 * 1024 * 1024;
    const act = await stage({ handle: async () => ({ status: 200, body: Buffer.alloc(size) }) });
    const reader = connect(act.port, '127.0.0.1');
    reader.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(reader, 'readable');
    const stopped = act.server.close(5000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    let received = 0;
    for await (const chunk of reader) received += (chunk as Buffer).length;
    assert.ok(received > size, `${received} bytes of more than ${size}`);
    assert.equal(await stopped, true);
  });

  it('finishes an upload, and tells its client that the connection closes', async () => {
    const act = await stage({ handle: async (call) => ({ status: 200, body: `got ${await drain(call.payload.bytes)}` }) });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello');
    await until(() => act.steps.includes('handle'));
    const stopped = act.server.close(5000);
    line.write('world');
    const text = await line.closed();
    assert.match(text, /Connection: close[\s\S]*got 10$/i);
    assert.equal(await stopped, true);
  });

  it('breaks off what does not finish in time, and says so', async () => {
    let aborted = false;
    const act = await stage({
      handle: (call) =>
        new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => {
            aborted = true;
            reject(call.signal.reason as Error);
          });
        }),
    });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await until(() => act.steps.includes('handle'));
    assert.equal(await act.server.close(100), false);
    await line.closed();
    await until(() => aborted);
  });

  it('is hurried by a second call', async () => {
    const act = await stage({ handle: () => new Promise(() => {}) });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await until(() => act.steps.includes('handle'));
    const began = performance.now();
    const first = act.server.close(60_000);
    assert.equal(await act.server.close(0), false);
    await first;
    assert.ok(performance.now() - began < 2000);
  });
});

describe('health', () => {
  afterEach(strike);

  async function withChecks(run: () => Promise<string | undefined>) {
    let asked = 0;
    const health = createHealth([
      {
        name: 'storage',
        run: () => {
          asked += 1;
          return run();
        },
      },
    ]);
    const act = await stage({}, { mounts: ['/healthz', '/readyz'].map((path) => ({ path, protocol: health.protocol })) });
    return { act, health, asked: () => asked };
  }

  it('is ready when every check holds, and asks once a second', async () => {
    const { act, asked } = await withChecks(async () => undefined);
    for (let n = 0; n < 5; n++) assert.equal((await ask(act.port, '/readyz')).status, 200);
    assert.equal(asked(), 1);
    assert.deepEqual(JSON.parse((await ask(act.port, '/readyz')).body), { status: 'ready', checks: { storage: 'ok' } });
    assert.equal((await act.logged('request'))['level'], 'debug');
  });

  it('gives the reason when one does not, lives on, and shows no foreign message', async () => {
    const full = await withChecks(() => Promise.reject(new ArtefactError('Unavailable', 'The disk is full.')));
    const answer = await ask(full.act.port, '/readyz');
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.body), { status: 'not ready', checks: { storage: 'The disk is full.' } });
    assert.equal((await ask(full.act.port, '/healthz')).status, 200);
    const foreign = await withChecks(() => Promise.reject(new Error('password=hunter2')));
    assert.ok(!(await ask(foreign.act.port, '/readyz')).body.includes('hunter2'));
  });

  it('is not ready once it stops', async () => {
    const { act, health } = await withChecks(async () => undefined);
    health.stopping('the server is stopping');
    const answer = await ask(act.port, '/readyz');
    assert.equal(answer.status, 503);
    assert.match(answer.body, /is stopping/);
  });

  it('refuses other methods and paths', async () => {
    const { act } = await withChecks(async () => undefined);
    const answer = await ask(act.port, '/readyz', { method: 'POST', body: 'x' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    assert.equal((await ask(act.port, '/healthz/deeper')).status, 404);
    assert.equal((await ask(act.port, '/healthz', { method: 'HEAD' })).body, '');
  });
});
