/** Connections to the S3 server, each of which reads into one piece of memory of its own. */
import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';

const IDLE_SOCKET_MS = 20_000;

/** As much as a read gives at most, in bytes. */
const READ_BYTES = 64 * 1024;

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** Agents that keep connections and have at most so many to one server. */
export function openAgents(maxSockets: number): Agents {
  const options: AgentOptions = { keepAlive: true, maxSockets, keepAliveMsecs: 1000, timeout: IDLE_SOCKET_MS };
  return { httpAgent: readingInPlace(new HttpAgent(options)), httpsAgent: readingInPlace(new HttpsAgent(options)) };
}

/**
 * Without this every read takes 64 KiB of fresh memory, which the HTTP parser copies from, and leaves to the garbage collector. The
 * parser is done with what it is given when it returns, so the next read may have the same memory.
 */
function readingInPlace<A extends HttpAgent | HttpsAgent>(agent: A): A {
  const connect = agent.createConnection.bind(agent) as (options: object, told: unknown) => Socket;
  agent.createConnection = (options: object, told?: unknown) => {
    const callback: OnReadOpts['callback'] = (length, memory) => {
      socket.emit('data', Buffer.from(memory.buffer, memory.byteOffset, length));
      return true;
    };
    const socket = connect({ ...options, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback } }, told);
    return socket;
  };
  return agent;
}
