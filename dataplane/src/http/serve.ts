/**
 * The journey of every request: recognise → authenticate → authorise → (admit) → handle → render → account.
 * No operation can leave out a step, for none of them takes a step itself.
 */
import { indexSnapshot, type LoadedSnapshot } from '../config/snapshot.ts';
import type { Core } from '../core/core.ts';
import { asArtefactError, ArtefactError } from '../errors.ts';
import type { Recognised, Reply } from '../protocols/contract.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { requestSpan, span, type RequestSpan } from '../telemetry/traces.ts';
import { account, spanEnd, spanStart } from './account.ts';
import { HandlerCall } from './call.ts';
import { Exchange, type Messages } from './exchange.ts';
import type { Caller, Gate } from './gate.ts';
import type { ReceivedHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import type { Mount } from './mount.ts';
import { openReply } from './respond.ts';
import { send } from './send.ts';

/** What the edge serves from. */
export interface Service {
  readonly core: Core;
  readonly gate: Gate;
  /** The configuration in force now; throws `Unavailable` while there is none. */
  snapshot(): LoadedSnapshot;
  readonly limits: HttpLimits;
  readonly metrics: Metrics;
  readonly log: Log;
  /** True once the server has begun to stop: answers then close their connections. */
  draining(): boolean;
}

/** Serves one request to its end. Never rejects. */
export function serve(messages: Messages, received: ReceivedHead, mount: Mount, service: Service): Promise<void> {
  const onUpload = () => service.metrics.uploads(1);
  const configuration = readConfiguration(service);
  const exchange = new Exchange(messages, received, mount, { limits: service.limits, snapshot: configuration.snapshot, onUpload });
  service.metrics.requestBegan();
  return requestSpan(
    received.head.headers,
    () => spanStart(exchange),
    (request) => perform(exchange, service, { request, missing: configuration.missing }),
  );
}

interface Circumstances {
  readonly request: RequestSpan;
  readonly missing: ArtefactError | undefined;
}

async function perform(exchange: Exchange, service: Service, { request, missing }: Circumstances): Promise<void> {
  exchange.traceId = request.traceId;
  await respond(exchange, service, missing);
  if (exchange.operation) request.name(exchange.operation);
  request.end(exchange.response.statusCode, () => spanEnd(exchange));
  if (exchange.uploading) service.metrics.uploads(-1);
  account(exchange, service);
}

const NOTHING_MORE = {};

async function journey(exchange: Exchange, { gate, core }: Service, unconfigured: ArtefactError | undefined): Promise<Reply> {
  const { head, snapshot, mount } = exchange;
  if (exchange.fault) throw exchange.fault;
  const { operation, params } = span<Recognised<unknown>>('recognise', NOTHING_MORE, () => mount.protocol.recognise(head));
  exchange.operation = operation.name;
  if (unconfigured && operation.authenticates !== 'public') throw unconfigured;
  const authenticates = operation.authenticates === 'request';
  const caller = authenticates
    ? await span('authenticate', NOTHING_MORE, () => gate.authenticate(head, snapshot))
    : gate.unauthenticated(head);
  if (caller.principal.limits && mount.protocol.takesLimited !== true) throw limitedRefused(exchange, caller);
  const call = new HandlerCall(exchange, gate, caller, { name: operation.name, params });
  span('authorise', NOTHING_MORE, () => operation.demands(head, params).forEach((demand) => call.authorise(demand)));
  return span('handle', NOTHING_MORE, () => operation.handle(call, core));
}

/** Whoever it is, the access log says so. */
function limitedRefused(exchange: Exchange, { principal }: Caller): ArtefactError {
  exchange.principal = principal;
  return new ArtefactError('AccessDenied', 'Access Denied: a token of the registry is good for the registry alone.');
}

/** Before a configuration is in force nobody may do anything, but whoever probes is told so. */
const NOTHING = indexSnapshot({ revision: '', buckets: [], bindings: [], policies: [], accessKeys: [] });

function readConfiguration(service: Service): { readonly snapshot: LoadedSnapshot; readonly missing?: ArtefactError } {
  try {
    return { snapshot: service.snapshot() };
  } catch (thrown) {
    return { snapshot: NOTHING, missing: asArtefactError(thrown) };
  }
}

/** Sends what the journey answers, or the protocol's rendering of what it throws; when that fails too, a bare 500. */
async function respond(exchange: Exchange, service: Service, missing: ArtefactError | undefined): Promise<void> {
  try {
    const reply = await openReply(await journey(exchange, service, missing), exchange.head.method);
    await send(exchange, service, reply);
  } catch (thrown) {
    await respondToFailure(exchange, service, thrown);
  }
}

async function respondToFailure(exchange: Exchange, service: Service, failure: unknown): Promise<void> {
  fail(exchange, service.log, failure);
  for (const attempt of [renderFailure, lastResort]) {
    if (exchange.response.headersSent || exchange.response.destroyed) return;
    try {
      return await send(exchange, service, await openReply(await attempt(exchange), exchange.head.method));
    } catch (thrown) {
      fail(exchange, service.log, thrown);
    }
  }
}

/** Keeps what went wrong for the answer and the access log; the unknown is logged here, with its cause and stack, and nowhere else shown. */
function fail(exchange: Exchange, log: Log, thrown: unknown): void {
  const error = asArtefactError(thrown);
  exchange.error = error;
  if (exchange.aborted() && error.code !== 'Internal') return;
  const facts = { requestId: exchange.head.id, traceId: exchange.traceId, operation: exchange.operation, code: error.code };
  if (error.code === 'Internal') log.error({ ...facts, err: error.cause ?? error }, 'request failed for an unknown reason');
  else if (error.cause !== undefined) log.warn({ ...facts, err: error }, 'request failed');
}

async function renderFailure(exchange: Exchange): Promise<Reply> {
  const error = exchange.error ?? new ArtefactError('Internal', 'We encountered an internal error. Please try again.');
  return exchange.mount.protocol.renderError(error, {
    head: exchange.head,
    ...(exchange.operation ? { operation: exchange.operation } : {}),
  });
}

async function lastResort(): Promise<Reply> {
  return { status: 500, headers: { 'Content-Type': 'text/plain' }, body: 'Internal error\n' };
}
