import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAgents } from '../../../src/storage/s3/agents.ts';
import { openAnswerBody, type AnswerBody } from '../../../src/storage/s3/answerBody.ts';
import { patterned } from '../conformance/bodies.ts';

const MIB = 1024 * 1024;

describe('s3 driver: the body of an answer', () => {
  const { httpAgent } = openAgents(4);
  let server: Server;
  let answer: (response: ServerResponse) => void;

  before(async () => {
    server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    httpAgent.destroy();
    server.closeAllConnections();
    server.close();
  });

  async function ask(): Promise<IncomingMessage> {
    const [message] = await once(get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: httpAgent }), 'response');
    return message as IncomingMessage;
  }

  async function all(body: AnswerBody): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  it('is what was sent, also over one connection again and again', async () => {
    const ports = new Set<number | undefined>();
    for (const size of [0, 1, 65_536, 3 * MIB + 7]) {
      answer = (response) => response.end(patterned(size, size + 1));
      const message = await ask();
      ports.add(message.socket.localPort);
      assert.ok((await all(openAnswerBody(message))).equals(patterned(size, size + 1)));
    }
    assert.equal(ports.size, 1);
  });

  it('frees a chunk as soon as the next is asked for', async () => {
    answer = (response) => response.end(patterned(MIB));
    const body = openAnswerBody(await ask());
    const first = await body.next();
    assert.ok(first !== undefined && first.byteLength > 0);
    await body.next();
    assert.equal(first.byteLength, 0);
    body.close();
  });

  it('reads little ahead of who takes his time', async () => {
    let sent = 0;
    answer = (response) => {
      const more = (): void => {
        while (sent < 64 * MIB && response.write(patterned(MIB))) sent += MIB;
      };
      response.on('drain', () => ((sent += MIB), more()));
      more();
    };
    const message = await ask();
    const body = openAnswerBody(message);
    await body.next();
    await sleep(300);
    assert.ok(message.socket.bytesRead < MIB, `${message.socket.bytesRead} bytes were read`);
    assert.ok(sent < 32 * MIB, `${sent} bytes were sent`);
    body.close();
  });

  it('gives all that came before it broke, and then says so', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(patterned(400), () => response.destroy());
    };
    const body = openAnswerBody(await ask());
    assert.equal((await body.next())?.byteLength, 400);
    await assert.rejects(body.next());
  });

  it('ends with the reason for which it is closed', async () => {
    answer = (response) => response.writeHead(200, { 'content-length': 1000 }).flushHeaders();
    const body = openAnswerBody(await ask());
    const next = body.next();
    body.close(new Error('stalled'));
    await assert.rejects(next, /stalled/);
  });
});
