/**
 * The order of requests on one connection. Node hands over every request of a packet at once: requests that a client sends
 * ahead (pipelining, RFC 9112 §9.3.2) would all be served at once, and their answers kept until the first one has left.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Requests that may wait on one connection behind the one under way; clients that send ahead at all send some ten. */
export const REQUESTS_AHEAD = 32;

export interface Turns {
  /** Calls `begin` when the answers to all earlier requests of the connection have left. One request too many ends the connection. */
  take(request: IncomingMessage, response: ServerResponse, begin: () => void): void;
  /** Nothing more begins on this connection; false when that was so already. */
  end(socket: Duplex): boolean;
}

export function createTurns(): Turns {
  const waiting = new WeakMap<Duplex, (() => void)[]>();
  const ended = new WeakSet<Duplex>();
  // RFC 9112 §9.6: after an answer that closes the connection nothing more is processed, whatever has come meanwhile.
  const isOver = (socket: Duplex) => socket.destroyed || socket.writableEnded || ended.has(socket);
  const next = (socket: Duplex) => {
    const begin = waiting.get(socket)?.shift();
    if (begin && !isOver(socket)) return begin();
    waiting.delete(socket);
  };
  return {
    take({ socket }, response, begin) {
      if (isOver(socket)) return;
      const start = () => {
        response.once('close', () => next(socket));
        begin();
      };
      const queue = waiting.get(socket);
      if (queue && queue.length >= REQUESTS_AHEAD) {
        ended.add(socket);
        socket.destroy();
        return;
      }
      if (queue) return void queue.push(start);
      waiting.set(socket, []);
      start();
    },
    end(socket) {
      if (ended.has(socket)) return false;
      ended.add(socket);
      return true;
    },
  };
}
