/** Knows every open connection and whether a request is under way on it: to make room for new ones, and to close idle ones at a stop. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../telemetry/metrics.ts';
import type { HttpLimits } from './limits.ts';

export interface Connections {
  /** Closes those without a request under way, now and whenever one becomes idle from now on. */
  closeIdle(): void;
  /** Closes every one, finished or not. */
  breakOff(): void;
  /** True when that hit a request under way. */
  brokenOff(): boolean;
  /** Resolves once, after `closeIdle`, no connection is left. */
  gone(): Promise<void>;
}

type ConnectionLimits = Pick<HttpLimits, 'maxConnections' | 'keepAliveMs' | 'headersMs'>;

/** How often idle connections are looked at, in ms. */
const SWEEP_MS = 5000;

/**
 * Watches a server's connections. Beyond `maxConnections` the one that has been idle longest makes room for a new one; while all
 * have requests under way, new ones are closed at once. None is idle for ever, whatever its client sends that is no request.
 */
export function trackConnections(server: Server, limits: ConnectionLimits, metrics: Pick<Metrics, 'connections'>): Connections {
  /** Since when, in the order in which they became idle. */
  const idle = new Map<Socket, number>();
  const busy = new Map<Socket, number>();
  let closing = false;
  let lastLeft: (() => void) | undefined;
  let brokenOff = false;

  const rest = (socket: Socket) => {
    busy.delete(socket);
    idle.set(socket, performance.now());
    if (closing) socket.destroySoon();
  };
  const forget = (socket: Socket) => {
    idle.delete(socket);
    busy.delete(socket);
    metrics.connections(-1);
    if (idle.size + busy.size === 0) lastLeft?.();
  };
  server.on('connection', (socket: Socket) => {
    // One that was accepted in the last moment: nobody would look after it.
    if (closing) return socket.destroy();
    if (idle.size + busy.size >= limits.maxConnections && !makeRoom(idle)) return socket.destroy();
    metrics.connections(1);
    socket.once('close', () => forget(socket));
    rest(socket);
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const socket = rawSocket(request.socket);
    if (!idle.delete(socket) && !busy.has(socket)) return;
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (busy.get(socket) ?? 0) - 1;
      if (left > 0) busy.set(socket, left);
      else if (busy.has(socket)) rest(socket);
    });
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, onRequest);
  const sweep = setInterval(() => closeForgotten(idle, mostIdle(limits)), SWEEP_MS).unref();
  server.once('close', () => clearInterval(sweep));

  return {
    closeIdle() {
      closing = true;
      for (const socket of idle.keys()) socket.destroySoon();
    },
    breakOff() {
      brokenOff ||= busy.size > 0;
      for (const socket of [...idle.keys(), ...busy.keys()]) socket.destroy();
    },
    brokenOff: () => brokenOff,
    gone: () => (idle.size + busy.size === 0 ? Promise.resolve() : new Promise((resolve) => (lastLeft = resolve))),
  };
}

/** Closes the connection that has been idle longest; false when none is. */
function makeRoom(idle: Map<Socket, number>): boolean {
  const [oldest] = idle.keys();
  if (!oldest) return false;
  idle.delete(oldest);
  oldest.destroy();
  return true;
}

/** Node's own timers begin anew with every byte, also with the empty lines that RFC 9112 §2.2 lets stand before a request. */
function closeForgotten(idle: ReadonlyMap<Socket, number>, most: number): void {
  const since = performance.now() - most;
  for (const [socket, at] of idle) {
    if (at > since) return;
    socket.destroy();
  }
}

/** A handshake, the time between two requests and the head of the next, and the granularity of Node's own checks. */
function mostIdle({ keepAliveMs, headersMs }: ConnectionLimits): number {
  return keepAliveMs + 2 * headersMs + SWEEP_MS;
}

/** Under TLS, requests know the encrypted stream, and the server's `connection` event the socket beneath it. */
function rawSocket(socket: Socket): Socket {
  return (socket as Socket & { readonly _parent?: Socket })._parent ?? socket;
}
