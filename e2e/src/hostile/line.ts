/** Raw connections: what is written goes out as it is, byte for byte, and what comes back is kept. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../server.ts';

export interface Line {
  readonly socket: Socket;
  write(data: string | Uint8Array): void;
  /** Everything received so far, a character for each byte. */
  text(): string;
  /** Resolves when what was received matches; rejects when the server closes first, or after `ms`. */
  match(pattern: RegExp, ms?: number): Promise<string>;
  /** Resolves when the server has closed, with all that was received; rejects after `ms`. */
  closed(ms?: number): Promise<string>;
  isClosed(): boolean;
}

const PATIENCE_MS = 30_000;

/** Connects, over TLS where the server speaks it. */
export async function openLine(server: Pick<Server, 'url'>): Promise<Line> {
  const { protocol, hostname, port } = new URL(server.url);
  const address = { host: hostname, port: Number(port) };
  const secure = protocol === 'https:';
  const socket = secure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  await once(socket, secure ? 'secureConnect' : 'connect');
  return lineOver(socket);
}

function lineOver(socket: Socket): Line {
  const chunks: Buffer[] = [];
  const state = { closed: false };
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => (state.closed = true));
  socket.on('end', () => socket.end());
  const text = () => Buffer.concat(chunks).toString('latin1');
  const until = async (holds: () => boolean, ms: number) => {
    for (const end = Date.now() + ms; !holds(); await sleep(10))
      if (Date.now() > end) throw new Error(`Still open after ${ms} ms, with ${JSON.stringify(text().slice(0, 500))}`);
  };
  return {
    socket,
    write: (data) => void socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data),
    text,
    async match(pattern, ms = PATIENCE_MS) {
      await until(() => state.closed || pattern.test(text()), ms);
      if (!pattern.test(text())) throw new Error(`Closed with ${JSON.stringify(text().slice(0, 500))}`);
      return text();
    },
    async closed(ms = PATIENCE_MS) {
      await until(() => state.closed, ms);
      return text();
    },
    isClosed: () => state.closed,
  };
}

/** Sends one raw text on a new connection; answers all that comes back until the server closes. */
export async function exchange(server: Pick<Server, 'url'>, data: string | Uint8Array): Promise<string> {
  const line = await openLine(server);
  line.write(data);
  try {
    return await line.closed();
  } finally {
    line.socket.destroy();
  }
}

/** Opens many at once, each with `begin` written to it, and nobody reading where `reads` is false. */
export async function openMany(server: Pick<Server, 'url'>, count: number, begin: string, reads = true): Promise<readonly Socket[]> {
  const { protocol, hostname, port } = new URL(server.url);
  const address = { host: hostname, port: Number(port) };
  const secure = protocol === 'https:';
  const sockets = Array.from({ length: count }, () => (secure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address)));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => undefined);
      await once(socket, secure ? 'secureConnect' : 'connect');
      if (reads) socket.resume();
      else socket.pause();
      if (begin !== '') socket.write(begin);
    }),
  );
  return sockets;
}
