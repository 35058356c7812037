import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { sipFrom } from '../../src/http/sips.ts';

const HEAD = 'Host: store.example\r\n';
const chunk = (bytes: Buffer) => Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const chunked = (chunks: readonly Buffer[], path = '/') =>
  Buffer.concat([
    Buffer.from(`PUT ${path} HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n`),
    ...chunks.map(chunk),
    Buffer.from('0\r\n\r\n'),
  ]);
const plain = (body: Buffer, path = '/') =>
  Buffer.concat([Buffer.from(`PUT ${path} HTTP/1.1\r\n${HEAD}Content-Length: ${body.length}\r\n\r\n`), body]);

describe('sips of what a socket received', () => {
  const open: { server?: Server } = {};
  afterEach(() => {
    open.server?.closeAllConnections();
    open.server?.close();
  });

  async function serve(listener: RequestListener): Promise<Server> {
    const server = createServer(listener);
    open.server = server;
    sipFrom(server, 'connection');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  async function line(server: Server): Promise<Socket> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** Reads a body with pauses, so that the socket is held and let go by others too. */
  async function readSlowly(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const piece of request) {
      chunks.push(Buffer.from(piece as Buffer));
      if (chunks.length % 50 === 1) await sleep(1);
      else if (chunks.length % 3 === 0) await turn();
    }
    return Buffer.concat(chunks);
  }

  it('make the same bodies of the same bytes, of requests sent ahead', async () => {
    const got: Buffer[] = [];
    const server = await serve((request, response) => {
      void readSlowly(request).then((body) => {
        if (request.method === 'PUT') got[Number(request.url?.slice(1))] = body;
        response.end('done');
      });
    });
    const bytes = fc.integer({ min: 1, max: 70_000 }).map((length) => Buffer.alloc(length, 'bytes of a chunk\r\n'));
    const tiny = fc.integer({ min: 1, max: 3 }).map((length) => Buffer.alloc(length, '\n'));
    const bodies = fc.array(fc.tuple(fc.boolean(), fc.array(bytes, { maxLength: 4 }), fc.array(tiny, { maxLength: 3000, size: 'max' })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(bodies, async (all) => {
        got.length = 0;
        const socket = await line(server);
        socket.resume();
        const requests = all.map(([inChunks, large, small], n) =>
          inChunks ? chunked([...small, ...large, ...small], `/${n}`) : plain(Buffer.concat([...large, ...small]), `/${n}`),
        );
        socket.write(Buffer.concat([...requests, Buffer.from(`GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`)]));
        await once(socket, 'close');
        assert.equal(got.length, all.length);
        for (const [n, [inChunks, large, small]] of all.entries())
          assert.ok(got[n]?.equals(Buffer.concat(inChunks ? [...small, ...large, ...small] : [...large, ...small])), String(n));
      }),
      { numRuns: 30 },
    );
  });

  /** How often `what` happened in the turn of the event loop in which it did most often. */
  function perTurn(): { happened(): void; most(): number } {
    const state = { now: 0, most: 0, asked: false };
    return {
      happened() {
        state.most = Math.max(state.most, ++state.now);
        if (state.asked) return;
        state.asked = true;
        setImmediate(() => Object.assign(state, { now: 0, asked: false }));
      },
      most: () => state.most,
    };
  }

  it('leave turns between chunks of a byte', async () => {
    const count = perTurn();
    const server = await serve((request, response) => {
      request.on('data', () => count.happened());
      request.on('end', () => response.end('done'));
    });
    const socket = await line(server);
    socket.write(chunked(Array.from({ length: 40_000 }, () => Buffer.from('x'))));
    await once(socket, 'data');
    socket.destroy();
    // 64 KiB of them are ten thousand.
    assert.ok(count.most() > 0 && count.most() < 4000, String(count.most()));
  });

  it('leave turns between requests that are sent ahead, and stop where a connection is ended', async () => {
    const count = perTurn();
    let requests = 0;
    const server = await serve((request, response) => {
      requests += 1;
      count.happened();
      if (requests === 1000) request.socket.destroy();
      response.end();
    });
    const socket = await line(server);
    socket.resume();
    socket.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`.repeat(1600));
    await once(socket, 'close');
    // 64 KiB of them are all 1,600; a sip of 2 KiB some fifty.
    assert.ok(count.most() < 600, String(count.most()));
    assert.ok(requests >= 1000 && requests < 1100, String(requests));
  });

  it('wait for answers that are not taken', async () => {
    let requests = 0;
    const server = await serve((_, response) => {
      requests += 1;
      response.end(Buffer.alloc(64 * 1024));
    });
    const socket = await line(server);
    socket.pause();
    // Of these, there are few in a sip, so that several are taken in one turn.
    socket.write(
      `GET / HTTP/1.1\r\n${HEAD}X-A: ${'a'.repeat(1500)}\r\n\r\n`.repeat(200) + `GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`,
    );
    await sleep(200);
    assert.ok(requests < 200, String(requests));
    socket.resume();
    await once(socket, 'close');
    assert.equal(requests, 201);
  });

  it('are not taken of a body that nobody reads', async () => {
    const held: IncomingMessage[] = [];
    const server = await serve((request) => {
      held.push(request);
      request.on('readable', () => undefined);
    });
    for (const request of [plain(Buffer.alloc(16 * 1024 * 1024)), chunked([Buffer.alloc(16 * 1024 * 1024)])]) {
      const socket = await line(server);
      socket.write(request);
      await sleep(300);
      const { bytesRead } = held.pop()!.socket;
      assert.ok(bytesRead < 1024 * 1024, String(bytesRead));
      socket.destroy();
    }
  });
});
