/** Listens: what Express takes in gets its mount, and `serve` does the rest. Nothing here reads a body. */
import express from 'express';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { Server as NetServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { refuseMalformed, refuseTunnel, type Edge } from './clientError.ts';
import { trackConnections, type Connections } from './connections.ts';
import { readHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import { mountFor, type Mount } from './mount.ts';
import type { ClientReader } from './proxies.ts';
import { createRound } from './round.ts';
import { serve, type Service } from './serve.ts';
import type { ReloadingTls } from './tls.ts';
import { sipFrom } from './sips.ts';
import { createTurns } from './turns.ts';

export interface ServerSettings {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Tried in order; the last takes every path. */
  readonly mounts: readonly Mount[];
  readonly readClient: ClientReader;
  /** Serves HTTPS when given. */
  readonly tls?: ReloadingTls;
}

export interface HttpServer {
  readonly address: AddressInfo;
  /**
   * Stops: refuses connections, closes idle ones at once, lets requests under way finish for at most `drainMs`, then breaks
   * them off. Answers whether all could finish. A second call with a shorter time hurries the first.
   */
  close(drainMs: number): Promise<boolean>;
}

/** Starts serving; resolves once it listens. Rejects when the address cannot be had. */
export async function startServer(settings: ServerSettings, service: Omit<Service, 'draining'>): Promise<HttpServer> {
  let draining = false;
  const edge: Edge = { ...settings, turns: createTurns(), service: { ...service, draining: () => draining } };
  const server = createNodeServer(settings.tls, service.limits);
  const connections = trackConnections(server, service.limits, service.metrics);
  listenTo(server, edge);
  sipFrom(server, settings.tls ? 'secureConnection' : 'connection');
  settings.tls?.attach(server as unknown as HttpsServer);
  await listen(server, settings);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    address: server.address() as AddressInfo,
    close(drainMs) {
      draining = true;
      settings.tls?.close();
      if (server.listening) stopListening(server);
      return stop(closed, connections, drainMs);
    },
  };
}

function listenTo(server: Server, edge: Edge): void {
  const listener = createListener(edge);
  const inRound = createRound();
  const begin: RequestListener = (request, response) =>
    inRound(() => {
      // Its client left meanwhile: nobody is there to be answered.
      if (!response.destroyed) listener(request, response);
    });
  const inTurn: RequestListener = (request, response) => edge.turns.take(request, response, () => begin(request, response));
  server.on('request', inTurn);
  // With a listener of its own, `100 Continue` is left to the body's first reader; other expectations are framing.ts' to refuse.
  server.on('checkContinue', inTurn).on('checkExpectation', inTurn);
  server.on('clientError', (error, socket) => refuseMalformed(error, socket, edge));
  server.on('connect', (request, socket) => refuseTunnel(request, socket, edge));
}

function createListener({ mounts, readClient, service }: Edge): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.use((request, response) => {
    const received = readHead(request, readClient);
    void serve({ request, response }, received, mountFor(mounts, received.head), service);
  });
  const last = mounts.at(-1)!;
  // A target that Express cannot parse gets the last one's words for it.
  const unmatched = (request: IncomingMessage, response: ServerResponse) =>
    void serve({ request, response }, readHead(request, readClient), last, service);
  return (request, response) => {
    (app as unknown as ExpressListener)(request, response, () => unmatched(request, response));
  };
}

/** Express' application is also a handler with a continuation for what nothing matched. */
type ExpressListener = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

function createNodeServer(tls: ReloadingTls | undefined, limits: HttpLimits): Server {
  const options: ServerOptions & Pick<TlsOptions, 'handshakeTimeout'> = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    // Before TLS is agreed on there is no request whose headers could be late.
    handshakeTimeout: limits.headersMs,
    // A large upload takes as long as it takes: bodies are judged by their progress instead (pace.ts).
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, limits.headersMs),
    keepAliveTimeout: limits.keepAliveMs,
    // Checked in framing.ts, where it can be answered in the protocol's own form.
    requireHostHeader: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const server = tls ? createHttpsServer({ ...options, ...tls.options() }) : createHttpServer(options);
  // Node would drop headers beyond a number without a word; their bytes are bounded already.
  server.maxHeadersCount = 0;
  return server;
}

function listen(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Closes the listening socket only. An HTTP server's own `close` also destroys every connection whose answer was ended, whether
 * or not its last bytes have left the process, which cuts downloads short.
 */
function stopListening(server: Server): void {
  NetServer.prototype.close.call(server);
}

/** How long a server without connections may take to say that it is closed, in ms: among several processes, one may never. */
const CLOSE_MS = 1000;

async function stop(closed: Promise<void>, connections: Connections, drainMs: number): Promise<boolean> {
  connections.closeIdle();
  const timer = setTimeout(() => connections.breakOff(), drainMs);
  await Promise.race([closed, connections.gone().then(() => sleep(CLOSE_MS))]);
  clearTimeout(timer);
  return !connections.brokenOff();
}
