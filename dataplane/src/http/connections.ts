/** Knows every open connection and whether a request is under way on it, so that a stop can close the idle ones at once. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../telemetry/metrics.ts';

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

/** Watches a server's connections. */
export function trackConnections(server: Server, metrics: Pick<Metrics, 'connections'>): Connections {
  const busy = new Map<Socket, number>();
  let closing = false;
  let lastLeft: (() => void) | undefined;
  let brokenOff = false;

  server.on('connection', (socket: Socket) => {
    // One that was accepted in the last moment: nobody would look after it.
    if (closing) return socket.destroy();
    busy.set(socket, 0);
    metrics.connections(1);
    socket.once('close', () => {
      busy.delete(socket);
      metrics.connections(-1);
      if (busy.size === 0) lastLeft?.();
    });
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const socket = rawSocket(request.socket);
    if (!busy.has(socket)) return;
    change(socket, 1);
    response.once('close', () => change(socket, -1));
  };
  const change = (socket: Socket, by: number) => {
    const now = (busy.get(socket) ?? 0) + by;
    if (busy.has(socket)) busy.set(socket, now);
    if (closing && now === 0) socket.destroySoon();
  };
  server.on('request', onRequest).on('checkContinue', onRequest);

  return {
    closeIdle() {
      closing = true;
      for (const [socket, requests] of busy) if (requests === 0) socket.destroySoon();
    },
    breakOff() {
      brokenOff ||= [...busy.values()].some((requests) => requests > 0);
      for (const socket of busy.keys()) socket.destroy();
    },
    brokenOff: () => brokenOff,
    gone: () => (busy.size === 0 ? Promise.resolve() : new Promise((resolve) => (lastLeft = resolve))),
  };
}

/** Under TLS, requests know the encrypted stream, and the server's `connection` event the socket beneath it. */
function rawSocket(socket: Socket): Socket {
  return (socket as Socket & { readonly _parent?: Socket })._parent ?? socket;
}
