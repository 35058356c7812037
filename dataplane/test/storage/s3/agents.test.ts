import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, get as getSecurely } from 'node:https';
import type { AddressInfo } from 'node:net';
import { openAgents } from '../../../src/storage/s3/agents.ts';
import { ONE } from '../../http/certificates.ts';
import { patterned } from '../conformance/bodies.ts';

const SIZE = 5 * 1024 * 1024 + 3;

describe('s3 driver: connections', () => {
  const { httpAgent, httpsAgent } = openAgents(2);
  const answer = ({ url }: IncomingMessage, response: ServerResponse): void => {
    if (url === '/') return void response.end(patterned(SIZE));
    response.writeHead(200, { 'content-length': SIZE });
    response.write(patterned(SIZE - 1), () => response.destroy());
  };
  const servers = {
    http: createServer(answer),
    https: createSecureServer({ cert: ONE.certificate, key: ONE.key }, answer),
  };
  const asking = {
    http: (path: string) => get({ host: 'localhost', port: portOf('http'), path, agent: httpAgent }),
    https: (path: string) => getSecurely({ host: 'localhost', port: portOf('https'), path, agent: httpsAgent, ca: ONE.certificate }),
  };
  const portOf = (scheme: keyof typeof servers): number => (servers[scheme].address() as AddressInfo).port;

  before(async () => {
    for (const server of Object.values(servers)) await once(server.listen(0, 'localhost'), 'listening');
  });
  after(() => {
    for (const agent of [httpAgent, httpsAgent]) agent.destroy();
    for (const server of Object.values(servers)) {
      server.closeAllConnections();
      server.close();
    }
  });

  for (const scheme of ['http', 'https'] as const) {
    it(`read into one piece of memory, and give what was sent, over ${scheme}`, async () => {
      const ports: unknown[] = [];
      for (let round = 0; round < 3; round += 1) {
        const memories = new Set<ArrayBufferLike>();
        const request = asking[scheme]('/');
        request.once('socket', (socket) => socket.on('data', (chunk: Buffer) => memories.add(chunk.buffer)));
        const [message] = (await once(request, 'response')) as [IncomingMessage];
        ports.push(message.socket.localPort);
        const chunks: Buffer[] = [];
        for await (const chunk of message) chunks.push(chunk as Buffer);
        assert.ok(Buffer.concat(chunks).equals(patterned(SIZE)));
        assert.equal(memories.size, 1);
      }
      assert.equal(new Set(ports).size, 1);
    });

    it(`break when the other side does, over ${scheme}`, async () => {
      const request = asking[scheme]('/broken');
      const [message] = (await once(request, 'response')) as [IncomingMessage];
      await assert.rejects(message.toArray());
    });
  }
});
