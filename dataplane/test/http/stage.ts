/** A real server on a free port, with a protocol and a gate that tests script, and clients that speak raw HTTP. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { ANONYMOUS } from '../../src/authn/principal.ts';
import { indexSnapshot } from '../../src/config/snapshot.ts';
import { readSettings } from '../../src/config/settings.ts';
import type { Core } from '../../src/core/core.ts';
import { stampAdmitted } from '../../src/core/door.ts';
import type { ArtefactError } from '../../src/errors.ts';
import type { Gate } from '../../src/http/gate.ts';
import { BODY_WINDOW_MS, type HttpLimits } from '../../src/http/limits.ts';
import type { Mount } from '../../src/http/mount.ts';
import { createClientReader } from '../../src/http/proxies.ts';
import type { Service } from '../../src/http/serve.ts';
import { startServer, type HttpServer, type ServerSettings } from '../../src/http/server.ts';
import type { Call, Demand, Operation, Protocol, Reply, RequestHead } from '../../src/protocols/contract.ts';
import type { Bytes } from '../../src/storage/contract.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';

const SNAPSHOT = indexSnapshot({ revision: 'r', buckets: [], bindings: [], policies: [], accessKeys: [] });
const LIMITS: HttpLimits = { ...readSettings({}).limits, bodyWindowMs: BODY_WINDOW_MS };

/** What a test scripts of the one operation that its protocol has. */
export interface Script {
  recognise?: (head: RequestHead) => void;
  authenticates?: Operation<undefined>['authenticates'];
  demands?: readonly Demand[];
  handle?: (call: Call<undefined>) => Promise<Reply>;
  renderError?: (error: ArtefactError) => Reply;
  decorate?: Protocol['decorate'];
  gate?: Partial<Gate>;
  snapshot?: Service['snapshot'];
}

export interface Stage {
  readonly port: number;
  readonly metrics: Metrics;
  /** Names of the steps that were taken, in order. */
  readonly steps: string[];
  /** Parsed lines of the log. */
  readonly lines: Record<string, unknown>[];
  /** The log as written. */
  text(): string;
  readonly server: HttpServer;
  /** Resolves when a line with this message was written. */
  logged(message: string): Promise<Record<string, unknown>>;
}

export const DEMAND: Demand = { action: 'read', s3Action: 's3:GetObject', resource: { bucket: 'b', name: 'n' } };

const open: HttpServer[] = [];

/** Closes every server that a test opened; call it in `afterEach`. */
export async function strike(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
}

export interface StageOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly trusted?: readonly string[];
  readonly mounts?: readonly Mount[];
  readonly tls?: ServerSettings['tls'];
}

export async function stage(script: Script, options: StageOptions = {}): Promise<Stage> {
  const steps: string[] = [];
  const chunks: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const metrics = createMetrics({ process: false });
  const server = await startServer(
    {
      host: '127.0.0.1',
      port: 0,
      mounts: [...(options.mounts ?? []), { protocol: scriptedProtocol(script, steps), requestIdHeader: 'x-amz-request-id' }],
      readClient: createClientReader(options.trusted ?? []),
      ...(options.tls ? { tls: options.tls } : {}),
    },
    {
      core: {} as Core,
      gate: scriptedGate(script, steps),
      snapshot: script.snapshot ?? (() => SNAPSHOT),
      limits: { ...LIMITS, ...options.limits },
      metrics,
      log: createLog({ level: 'debug', destination }),
    },
  );
  open.push(server);
  const logged = async (message: string) => {
    for (let tries = 0; tries < 300; tries++) {
      const found = lines.find((line) => line['msg'] === message);
      if (found) return found;
      await pause(10);
    }
    throw new Error(`no line "${message}" in ${chunks.join('')}`);
  };
  return { port: server.address.port, metrics, steps, lines, text: () => chunks.join(''), server, logged };
}

function scriptedProtocol(script: Script, steps: string[]): Protocol {
  const operation: Operation<undefined> = {
    name: 'stub.Act',
    authenticates: script.authenticates ?? 'request',
    demands() {
      steps.push('demands');
      return script.demands ?? [DEMAND];
    },
    async handle(call) {
      steps.push('handle');
      return script.handle ? script.handle(call) : { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'hello' };
    },
  };
  return {
    name: 'stub',
    recognise(head) {
      steps.push('recognise');
      script.recognise?.(head);
      return { operation, params: undefined };
    },
    renderError: (error) => {
      if (script.renderError) return script.renderError(error);
      return { status: STATUS[error.code] ?? 500, headers: { 'Content-Type': 'text/plain' }, body: `${error.code}: ${error.message}` };
    },
    ...(script.decorate ? { decorate: script.decorate } : {}),
  };
}

const STATUS: Partial<Record<ArtefactError['code'], number>> = {
  AccessDenied: 403,
  SignatureMismatch: 403,
  RouteUnknown: 404,
  MalformedUri: 400,
  InvalidRequest: 400,
  NotImplemented: 501,
  BodyIncomplete: 400,
  BodyTooSlow: 408,
  HeadersTooLarge: 431,
  MethodNotAllowed: 405,
  DigestUnknown: 404,
  Held: 403,
};

function scriptedGate(script: Script, steps: string[]): Gate {
  const caller = {
    principal: ANONYMOUS,
    conditions: new Map(),
    open: (bytes: Bytes) => ({ bytes, trailers: new Map<string, string>() }),
  };
  const gate: Gate = {
    authenticate: async () => caller,
    unauthenticated: () => caller,
    authorise: () => {},
    may: () => true,
    admit: async (subject) => stampAdmitted(subject.digest),
    ...script.gate,
  };
  return {
    authenticate(head, snapshot) {
      steps.push('authenticate');
      return gate.authenticate(head, snapshot);
    },
    unauthenticated(head) {
      steps.push('unauthenticated');
      return gate.unauthenticated(head);
    },
    authorise(asking, demand) {
      steps.push('authorise');
      gate.authorise(asking, demand);
    },
    may: (asking, demand) => gate.may(asking, demand),
    admit(subject, asking) {
      steps.push('admit');
      return gate.admit(subject, asking);
    },
  };
}

/** Reads a body to its end. */
export async function drain(bytes: Bytes): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves once `holds`; fails after three seconds, or `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, ms = 3000): Promise<void> {
  for (const deadline = performance.now() + ms; performance.now() < deadline; await pause(10)) {
    if (await holds()) return;
  }
  throw new Error('it never came true');
}

/** A raw connection: what is written goes out as it is, what comes is kept. */
export interface Line {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** Everything received so far. */
  text(): string;
  received(): number;
  /** Resolves when what was received matches. */
  match(pattern: RegExp): Promise<string>;
  /** Resolves when the server has closed; answers all that was received. */
  closed(): Promise<string>;
}

export async function dial(port: number): Promise<Line> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  let over = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => (over = true));
  socket.on('end', () => socket.end());
  const text = () => Buffer.concat(chunks).toString('latin1');
  return {
    socket,
    write: (data) => void socket.write(data),
    text,
    received: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    async match(pattern) {
      await until(() => pattern.test(text()) || over);
      if (!pattern.test(text())) throw new Error(`closed with ${JSON.stringify(text())}`);
      return text();
    },
    async closed() {
      await until(() => over);
      return text();
    },
  };
}

/** Sends one raw request on a fresh connection, and answers all that comes back until the server closes. */
export async function exchangeRaw(port: number, request: string): Promise<string> {
  const line = await dial(port);
  line.write(request);
  return line.closed();
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export async function ask(port: number, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}
