/**
 * A proxy that is as bad as a network can be, the same for the same seed: it drops answers after the server has acted, resets
 * connections before and within answers, delays, and answers 500, 503 and 429 instead of the server, or after it. On demand it
 * holds requests that their sender has given up, to deliver them much later.
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What may befall a request. */
export const FAULTS = [
  'delay',
  'resetBefore',
  'dropAnswer',
  'cutAnswer',
  'error500',
  'error503',
  'error429',
  'error500After',
  'error503After',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What befalls a request only when it is planned: `hold` resets its connection and keeps it until `deliver`. */
const PLANNED = ['error403', 'hold'] as const;
type Planned = Fault | (typeof PLANNED)[number];

export interface Proxy {
  readonly endpoint: string;
  /** How often each befell. */
  readonly counts: Readonly<Record<Planned | 'none', number>>;
  /** Share of requests with a fault, from now on. */
  rate: number;
  /** How much longer every request takes, in ms; 0 at first. */
  latencyMs: number;
  /** Instead of any of them. */
  only?: Fault;
  /** The next requests that fit suffer just these, in order; others go as `rate` says. */
  plan(faults: readonly Planned[], fits?: (request: IncomingMessage) => boolean): void;
  /** Drops what is planned still. */
  forget(): void;
  /** Sends on what was held, in order; answers what the server said to each. */
  deliver(): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly seed?: number;
  readonly rate?: number;
  /** Told of every request, whatever befalls it. */
  readonly onRequest?: (request: IncomingMessage) => void;
  /** Told when the request's answer has been passed on, or its connection is gone. */
  readonly onAnswered?: (request: IncomingMessage) => void;
}

const LONGEST_DELAY_MS = 60;

const BODIES: Readonly<Record<number, string>> = { 403: 'AccessDenied', 500: 'InternalError', 503: 'SlowDown', 429: 'TooManyRequests' };

/** Starts a proxy before `target`, such as `http://127.0.0.1:9000`. The client signs for the target's host, which is passed on. */
export async function startProxy(target: string, { seed = 1, rate = 0, onRequest, onAnswered }: ProxyOptions = {}): Promise<Proxy> {
  const chance = randomOf(seed);
  const counts = Object.fromEntries([...FAULTS, ...PLANNED, 'none' as const].map((fault) => [fault, 0])) as Record<
    Planned | 'none',
    number
  >;
  const plans: { fault: Planned; fits: (request: IncomingMessage) => boolean }[] = [];
  const held: Held[] = [];

  function choose(incoming: IncomingMessage): Planned | 'none' {
    const planned = plans.findIndex(({ fits }) => fits(incoming));
    if (planned >= 0) return plans.splice(planned, 1)[0]?.fault ?? 'none';
    if (chance() >= proxy.rate) return 'none';
    return proxy.only ?? FAULTS[Math.floor(chance() * FAULTS.length)] ?? 'none';
  }

  const server = createServer((incoming, outgoing) => {
    onRequest?.(incoming);
    outgoing.once('close', () => onAnswered?.(incoming));
    const fault = choose(incoming);
    counts[fault] += 1;
    void suffer(fault, { incoming, outgoing, target, chance, held, latencyMs: proxy.latencyMs }).catch(() => incoming.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: Proxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    rate,
    latencyMs: 0,
    plan(faults, fits = () => true) {
      plans.push(...faults.map((fault) => ({ fault, fits })));
    },
    forget: () => void plans.splice(0),
    async deliver() {
      const statuses: number[] = [];
      for (const request of held.splice(0)) statuses.push(await deliver(request, target));
      return statuses;
    },
    close: () => closed(server),
  };
  return proxy;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly target: string;
  readonly chance: () => number;
  readonly held: Held[];
  readonly latencyMs: number;
}

/** A request that was taken whole and passed on to nobody yet. */
interface Held extends Pick<IncomingMessage, 'method' | 'url' | 'headers'> {
  readonly body: Buffer;
}

async function suffer(fault: Planned | 'none', exchange: Exchange): Promise<void> {
  if (fault === 'hold') return hold(exchange);
  if (fault === 'resetBefore') return void exchange.incoming.socket.resetAndDestroy();
  if (/^error\d+$/.test(fault)) return refuse(exchange, statusOf(fault));
  if (fault === 'delay') await sleep(exchange.chance() * LONGEST_DELAY_MS);
  if (exchange.latencyMs > 0) await sleep(exchange.latencyMs);
  const answered = await passOn(exchange);
  if (fault === 'none' || fault === 'delay') return passBack(answered, exchange);
  if (fault === 'cutAnswer') return cut(answered, exchange);
  answered.resume();
  await once(answered, 'end');
  if (fault === 'dropAnswer') exchange.incoming.socket.resetAndDestroy();
  else answer(exchange.outgoing, statusOf(fault));
}

function statusOf(fault: string): number {
  return Number(/\d+/.exec(fault)?.[0]);
}

/** Takes all that was sent, tells nobody, and keeps it. */
async function hold({ incoming, held }: Exchange): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method, url, headers } = incoming;
  held.push({ method, url, headers, body: Buffer.concat(chunks) });
  incoming.socket.resetAndDestroy();
}

/** Answers the status. */
async function deliver({ method, url, headers, body }: Held, target: string): Promise<number> {
  const onward = request(target + (url ?? ''), { method, headers, agent: false });
  onward.end(body);
  const [answered] = (await once(onward, 'response')) as [IncomingMessage];
  answered.resume();
  await once(answered, 'end');
  return answered.statusCode ?? 0;
}

/** Takes all that was sent, and passes on nothing. */
async function refuse({ incoming, outgoing }: Exchange, status: number): Promise<void> {
  incoming.resume();
  await once(incoming, 'end');
  answer(outgoing, status);
}

function passBack(answered: IncomingMessage, { outgoing }: Exchange): void {
  outgoing.writeHead(answered.statusCode ?? 500, answered.headers);
  answered.on('error', () => outgoing.destroy()).pipe(outgoing);
}

/** The server has got everything and begun to answer when this resolves. */
async function passOn({ incoming, target }: Exchange): Promise<IncomingMessage> {
  const onward = request(target + (incoming.url ?? ''), { method: incoming.method, headers: incoming.headers, agent: false });
  incoming.pipe(onward);
  incoming.on('close', () => {
    if (!incoming.complete) onward.destroy();
  });
  const [answered] = (await once(onward, 'response')) as [IncomingMessage];
  return answered;
}

/** Part of the answer, and then none. Answers without a body are dropped. */
async function cut(answered: IncomingMessage, { incoming, outgoing, chance }: Exchange): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answered) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  if (whole.byteLength > 1 && incoming.method !== 'HEAD') {
    outgoing.writeHead(answered.statusCode ?? 500, { ...answered.headers, 'content-length': whole.byteLength });
    outgoing.write(whole.subarray(0, Math.max(1, Math.floor(whole.byteLength * chance()))));
    await sleep(2);
  }
  incoming.socket.resetAndDestroy();
}

function answer(outgoing: ServerResponse, status: number): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml' });
  outgoing.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${BODIES[status]}</Code><Message>A fault on the way.</Message></Error>`);
}

/** Numbers in [0, 1), the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
