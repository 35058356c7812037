/**
 * Half-open connections: this program, in a network of its own (`unshare -rn`), starts a server, opens connections in every state, and
 * then lets the network swallow all packets while the clients die. It prints, as JSON, what the server counts before and after.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { metric } from '../metrics.ts';
import { LARGE } from './attacks.ts';
import { openMany } from './line.ts';
import { BUCKET, startOpenServer } from './openServer.ts';
import { HOST, put } from './shapes.ts';

const EACH = 25;
const network = (state: 'up' | 'down') => execFileSync('ip', ['link', 'set', 'lo', state]);

network('up');
const server = await startOpenServer({
  env: {
    BONDED_LOG_LEVEL: 'warn',
    BONDED_HEADERS_TIMEOUT: '3s',
    BONDED_IDLE_TIMEOUT: '3s',
    BONDED_SEND_TIMEOUT: '3s',
    BONDED_KEEP_ALIVE: '3s',
  },
});
try {
  await fetch(`${server.url}${LARGE}`, { method: 'PUT', body: Buffer.alloc(64 * 1024 * 1024) });
  const GET = `GET ${LARGE} HTTP/1.1\r\n${HOST}\r\n`;
  const states: readonly (readonly [begin: string, reads: boolean])[] = [
    ['', true],
    [`GET /${BUCKET}/`, true],
    [`GET /${BUCKET}/none HTTP/1.1\r\n${HOST}\r\n`, true],
    [put('Content-Length: 1000000\r\n', 'x'.repeat(100_000)), true],
    [GET, false],
  ];
  const sockets = (await Promise.all(states.map(([begin, reads]) => openMany(server, EACH, begin, reads)))).flat();
  await sleep(500);
  const before = await metric(server, 'bonded_http_connections');
  network('down');
  // Their goodbyes reach nobody.
  for (const socket of sockets) socket.destroy();
  await sleep(20_000);
  network('up');
  const after = await metric(server, 'bonded_http_connections');
  const uploads = await metric(server, 'bonded_http_uploads_in_flight');
  const { status } = await fetch(`${server.url}/${BUCKET}/none`);
  process.stdout.write(JSON.stringify({ opened: sockets.length, before, after, uploads, status }));
} finally {
  await server.stop();
}
