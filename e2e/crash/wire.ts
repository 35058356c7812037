/** One request over HTTP and what became of it: an answer, or not knowing. */
import { Agent, request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '../src/server.ts';
import { sha256Of } from './content.ts';
import { coded, queryText, signed } from './signature.ts';

export interface Ask {
  readonly method: string;
  /** Bucket and key, or whatever the path is, not coded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Sends the body in two pieces with a pause between them, in ms. */
  readonly pause?: number;
  /** Leaves the body out of the signature. */
  readonly unsigned?: boolean;
  /** Hears interim answers (1xx). */
  readonly onInterim?: (headers: IncomingHttpHeaders) => void;
}

export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** False when the connection broke off within the body. */
  readonly whole: boolean;
}

/** `lost`: sent, or perhaps sent, and not answered. `unsent`: nobody listened. */
export type Reply = Answer | { readonly kind: 'lost' } | { readonly kind: 'unsent' };

/** Hears of every request on its way out and every answer that begins: where kills are aimed from. */
export interface Watch {
  sent(ask: Ask): void;
  answered(ask: Ask): void;
}

export interface Wire {
  ask(ask: Ask): Promise<Reply>;
  /** Lets go of all connections: their server is gone. */
  drop(): void;
}

export interface WireOptions {
  readonly host: string;
  readonly credentials: Credentials;
  /** Ms since the epoch, by the server's clock. */
  readonly now: () => number;
  readonly watch: Watch;
}

/** No request takes this long, in ms, unless the server has forgotten it. */
const PATIENCE = 60_000;

/** Requests over connections that stay open. */
export function openWire(options: WireOptions): Wire {
  let agent = new Agent({ keepAlive: true });
  let pending = new Set<(reply: Reply) => void>();
  return {
    ask: (ask) => send(options, { agent, pending }, ask),
    drop() {
      agent.destroy();
      // Whoever waits still waits for a server that is dead.
      for (const resolve of pending) resolve({ kind: 'lost' });
      agent = new Agent({ keepAlive: true });
      pending = new Set();
    },
  };
}

interface Connections {
  readonly agent: Agent;
  /** What requests under way wait for. */
  readonly pending: Set<(reply: Reply) => void>;
}

async function send(options: WireOptions, { agent, pending }: Connections, ask: Ask): Promise<Reply> {
  const path = ask.path.split('/').map(coded).join('/');
  const query = queryText(ask.query ?? {});
  const [hostname, port] = options.host.split(':');
  const target = query === '' ? path : `${path}?${query}`;
  const sent = httpRequest({ agent, method: ask.method, hostname, port, path: target, headers: headersOf(options, ask, path) });
  sent.on('information', ({ headers }) => ask.onInterim?.(headers));
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  pending.add(resolve);
  sent.on('response', (response) => {
    options.watch.answered(ask);
    void readAnswer(response).then(resolve);
  });
  sent.on('error', (error: NodeJS.ErrnoException) => resolve({ kind: error.code === 'ECONNREFUSED' ? 'unsent' : 'lost' }));
  const timer = setTimeout(() => reject(new Error(`${ask.method} ${target} was not answered within ${PATIENCE} ms.`)), PATIENCE);
  try {
    await write(sent, ask, options.watch);
    return await promise;
  } finally {
    clearTimeout(timer);
    pending.delete(resolve);
  }
}

function headersOf({ host, credentials, now }: WireOptions, ask: Ask, path: string): Record<string, string> {
  const { method, query = {}, body = Buffer.alloc(0) } = ask;
  const length: Record<string, string> = method === 'GET' || method === 'HEAD' ? {} : { 'content-length': String(body.length) };
  const payload = ask.unsigned === true ? 'UNSIGNED-PAYLOAD' : sha256Of(body);
  return signed({ method, path, query, host, headers: { ...ask.headers, ...length }, payload, now: now() }, credentials);
}

async function write(sent: ClientRequest, ask: Ask, watch: Watch): Promise<void> {
  const { body, pause } = ask;
  if (body === undefined || pause === undefined || body.length < 2) {
    sent.end(body);
    watch.sent(ask);
    return;
  }
  sent.write(body.subarray(0, body.length >> 1));
  watch.sent(ask);
  await sleep(pause);
  sent.end(body.subarray(body.length >> 1));
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { kind: 'answer', status, headers, body: Buffer.concat(chunks), whole: true };
  } catch {
    return { kind: 'answer', status, headers, body: Buffer.concat(chunks), whole: false };
  }
}
