import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { ArtefactError } from '../../src/errors.ts';
import { LINGER_BYTES } from '../../src/http/limits.ts';
import { dial, drain, pause, stage, strike, until, type Script } from './stage.ts';

const reading: Script = { handle: async (call) => ({ status: 200, body: `got ${await drain(call.payload.bytes)}` }) };
const refusing: Script = { gate: { authenticate: () => Promise.reject(new ArtefactError('AccessDenied', 'not you')) } };

describe('request bodies', () => {
  afterEach(strike);

  it('arrive whole, with and without a declared length', async () => {
    const act = await stage(reading);
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello');
    await line.match(/got 5$/);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n');
    await line.match(/got 7$/);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await line.match(/got 0$/);
  });

  it('flow in order through a slow consumer, and are not held in memory', async () => {
    let most = 0;
    let sum = 0;
    const act = await stage({
      handle: async (call) => {
        let count = 0;
        for await (const chunk of call.payload.bytes) {
          most = Math.max(most, chunk.length);
          for (const byte of chunk.subarray(0, 1)) sum += byte;
          if (count++ % 50 === 0) await pause(5);
        }
        return { status: 200, body: 'ok' };
      },
    });
    const body = Buffer.alloc(32 * 1024 * 1024, 1);
    const response = await fetch(`http://127.0.0.1:${act.port}/`, { method: 'PUT', body });
    assert.equal(response.status, 200);
    assert.ok(most <= 256 * 1024 && sum > 0);
  });

  it('are lent chunk by chunk: the memory of one is free when the next is asked for', async () => {
    const act = await stage({
      handle: async (call) => {
        const seen: ArrayBufferLike[] = [];
        for await (const chunk of call.payload.bytes) {
          assert.ok(chunk.length > 0 && seen.every((buffer) => buffer.byteLength === 0));
          seen.push(chunk.buffer);
        }
        return { status: 200, body: `chunks ${seen.length}` };
      },
    });
    const response = await fetch(`http://127.0.0.1:${act.port}/`, { method: 'PUT', body: Buffer.alloc(2 * 1024 * 1024, 1) });
    const said = await response.text();
    assert.ok(Number(/^chunks (\d+)$/.exec(said)?.[1]) > 1, said);
  });

  it('come in large pieces whatever they were cut into, in order and whole', async () => {
    const pieces: Buffer[] = [];
    const act = await stage({
      handle: async (call) => {
        for await (const piece of call.payload.bytes) pieces.push(Buffer.from(piece));
        return { status: 200, body: 'ok' };
      },
    });
    const content = Buffer.from(Array.from({ length: 50_000 }, (_, n) => n % 251));
    // Chunks of one byte, of some thousand, and of one byte again.
    const cuts = [
      ...Array.from({ length: 20_000 }, (_, n) => n),
      20_000,
      23_000,
      29_000,
      ...Array.from({ length: 21_000 }, (_, n) => 29_001 + n),
    ];
    const chunks = cuts.map((cut, index) => content.subarray(cut, cuts[index + 1] ?? content.length)).filter(({ length }) => length > 0);
    const coded = Buffer.concat(chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    line.write(Buffer.concat([coded, Buffer.from('0\r\n\r\n')]));
    await line.match(/ok$/);
    assert.equal(Buffer.compare(Buffer.concat(pieces), content), 0);
    assert.ok(pieces.length < 100, `${pieces.length} pieces of ${chunks.length} chunks`);
  });

  it('stop being read while the consumer does not pull', async () => {
    const act = await stage({
      handle: async (call) => {
        await call.payload.bytes[Symbol.asyncIterator]().next();
        await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve()));
        return { status: 200 };
      },
    });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n');
    let written = 0;
    while (line.socket.write(Buffer.alloc(1024 * 1024)) || (await flushed(line.socket))) {
      written += 1;
      if (written > 200) break;
    }
    assert.ok(written < 50, `${written} MiB were taken that nobody asked for`);
  });

  it('end with BodyIncomplete when the client leaves', async () => {
    let thrown: unknown;
    const act = await stage({
      handle: async (call) => {
        await drain(call.payload.bytes).catch((error: unknown) => (thrown = error));
        throw thrown;
      },
    });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf');
    await until(() => act.steps.includes('handle'));
    line.socket.destroy();
    await until(() => thrown !== undefined);
    assert.equal((thrown as ArtefactError).code, 'BodyIncomplete');
    const access = await act.logged('request');
    assert.equal(access['aborted'], true);
    assert.equal(access['bytesIn'], 4);
    assert.match(await act.metrics.text(), /bonded_http_uploads_in_flight 0/);
    assert.match(await act.metrics.text(), /bonded_http_requests_in_flight 0/);
  });

  it('end with InvalidRequest when their chunks are malformed, without harm to others', async () => {
    let thrown: unknown;
    const act = await stage({
      handle: async (call) => {
        await drain(call.payload.bytes).catch((error: unknown) => (thrown = error));
        return { status: 200, body: 'read' };
      },
    });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => act.steps.includes('handle'));
    line.write('zz\r\nnonsense\r\n');
    await line.closed();
    await until(() => thrown !== undefined);
    assert.equal((thrown as ArtefactError).code, 'InvalidRequest');
    assert.match((thrown as ArtefactError).message, /Invalid character in chunk size/);
    const other = await dial(act.port);
    other.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await other.match(/read$/);
  });

  it('end with BodyTooSlow after a silence', async () => {
    const act = await stage(reading, { limits: { bodyIdleMs: 100 } });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf');
    const text = await line.closed();
    assert.match(text, /^HTTP\/1\.1 408/);
    assert.match(text, /Connection: close/i);
    assert.match(text, /BodyTooSlow: No byte/);
  });

  it('end with BodyTooSlow when they trickle', async () => {
    const act = await stage(reading, { limits: { bodyIdleMs: 5000, bodyWindowMs: 200, bodyMinRate: 1000 } });
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n');
    const trickle = setInterval(() => line.write('x'), 20);
    const text = await line.closed();
    clearInterval(trickle);
    assert.match(text, /BodyTooSlow: The body arrived at less than 1000 bytes/);
  });

  it('are not held to a rate while storage is what is slow', async () => {
    const act = await stage(
      {
        handle: async (call) => {
          let size = 0;
          for await (const chunk of call.payload.bytes) {
            size += chunk.length;
            await pause(150);
          }
          return { status: 200, body: `got ${size}` };
        },
      },
      { limits: { bodyIdleMs: 100, bodyWindowMs: 100, bodyMinRate: 1_000_000 } },
    );
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nabcd');
    await until(() => act.steps.includes('handle'));
    line.write('efgh');
    await line.match(/got 8$/);
  });
});

describe('100-continue', () => {
  afterEach(strike);
  const HEAD = 'PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

  it('is answered once the body is wanted', async () => {
    const act = await stage(reading);
    const line = await dial(act.port);
    line.write(HEAD);
    await line.match(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    assert.deepEqual(act.steps, ['recognise', 'authenticate', 'demands', 'authorise', 'handle']);
    line.write('hello');
    await line.match(/got 5$/);
    line.write(HEAD);
    await line.match(/100 Continue[\s\S]*100 Continue/);
  });

  it('is not answered to who is refused: the answer comes first, and the connection closes', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    line.write(HEAD.replace('5', '10000000000'));
    const text = await line.match(/not you$/);
    assert.match(text, /^HTTP\/1\.1 403/);
    assert.match(text, /Connection: close/i);
    line.socket.end();
    await line.closed();
  });

  it('is not answered where a handler refuses before it reads', async () => {
    const act = await stage({ handle: () => Promise.reject(new ArtefactError('NameUnknown', 'no such')) });
    const line = await dial(act.port);
    line.write(HEAD);
    assert.ok(!(await line.match(/no such$/)).includes('100 Continue'));
  });

  it('spares a real client a large upload', async () => {
    const act = await stage(refusing);
    const sent = await new Promise<number>((resolve, reject) => {
      let continued = 0;
      const request = httpRequest({ port: act.port, method: 'PUT', headers: { Expect: '100-continue', 'Content-Length': 1e10 } });
      request.on('continue', () => (continued += 1));
      request.on('response', (response) => {
        assert.equal(response.statusCode, 403);
        response.resume();
        request.destroy();
        resolve(continued);
      });
      request.on('error', reject);
      request.flushHeaders();
    });
    assert.equal(sent, 0);
  });
});

describe('a refusal before the body was read', () => {
  afterEach(strike);

  it('keeps the connection where little is left to read', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n');
    await line.match(/not you$/);
    line.write('x'.repeat(2000));
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    const text = await line.match(/(not you[\s\S]*){2}/);
    assert.ok(!/connection: close/i.test(text));
  });

  it('closes the connection where the little that is left does not come', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n');
    assert.match(await line.closed(), /not you$/);
  });

  it('never takes the rest of a body for a request', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
    line.write(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${LINGER_BYTES * 4}\r\n\r\n`);
    await line.match(/not you$/);
    line.write(smuggled);
    await line.closed();
    assert.equal(act.steps.filter((step) => step === 'recognise').length, 1);
  });

  it('reaches a client that first writes its whole body', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `${(16 * 1024).toString(16)}\r\n${'x'.repeat(16 * 1024)}\r\n`;
    for (let n = 0; n < 12; n++) {
      line.write(chunk);
      await pause(5);
    }
    const text = await line.match(/not you$/);
    assert.match(text, /^HTTP\/1\.1 403[\s\S]*Connection: close/i);
    await line.closed();
  });

  it('waits for a stubborn sender half a second and no longer', async () => {
    const act = await stage(refusing);
    const line = await dial(act.port);
    line.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n');
    const began = performance.now();
    const trickle = setInterval(() => line.write('x'), 20);
    await line.closed();
    clearInterval(trickle);
    const took = performance.now() - began;
    assert.ok(took > 300 && took < 2000, `${took} ms`);
  });
});

function flushed(socket: Socket): Promise<boolean> {
  return Promise.race([new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true))), pause(300).then(() => false)]);
}
