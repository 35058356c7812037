/** `/healthz` (this process lives) and `/readyz` (it can serve), as a protocol like any other: public, without secrets, in JSON. */
import { ArtefactError } from '../errors.ts';
import type { Operation, Protocol, Recognised, Reply, RequestHead } from '../protocols/contract.ts';

/** One thing that must hold before requests are sent here. Throws, or answers why it does not hold. */
export interface Check {
  readonly name: string;
  run(): Promise<string | undefined>;
}

export interface Health {
  readonly protocol: Protocol;
  /** From now on `/readyz` says so, for the reason given. */
  stopping(reason: string): void;
}

/** A failed probe costs storage as much as a good one, so many probes share one look. */
const CACHE_MS = 1000;
const CHECK_MS = 5000;

interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** Makes the protocol. `checks` are asked together, at most once a second, and have five seconds each. */
export function createHealth(checks: readonly Check[]): Health {
  let stopping: string | undefined;
  let cached: { readonly at: number; readonly readiness: Promise<Readiness> } | undefined;

  const readiness = (): Promise<Readiness> => {
    if (stopping !== undefined) return Promise.resolve({ ready: false, checks: { server: stopping } });
    if (!cached || performance.now() - cached.at > CACHE_MS) cached = { at: performance.now(), readiness: ask(checks) };
    return cached.readiness;
  };
  const live = operation('health.Live', async () => json(200, { status: 'ok' }));
  const ready = operation('health.Ready', async () => {
    const found = await readiness();
    return json(found.ready ? 200 : 503, { status: found.ready ? 'ready' : 'not ready', checks: found.checks });
  });
  return {
    protocol: { name: 'health', recognise: (head) => recognise(head, { '/healthz': live, '/readyz': ready }), renderError },
    stopping: (reason) => {
      stopping = reason;
    },
  };
}

async function ask(checks: readonly Check[]): Promise<Readiness> {
  const answers = await Promise.all(checks.map(async (check) => [check.name, await askOne(check)] as const));
  return {
    ready: answers.every(([, reason]) => reason === undefined),
    checks: Object.fromEntries(answers.map(([name, reason]) => [name, reason ?? 'ok'])),
  };
}

/** The message of an ArtefactError is fit for anyone; that of anything else is not. */
async function askOne(check: Check): Promise<string | undefined> {
  const timeout = Promise.withResolvers<string>();
  const timer = setTimeout(() => timeout.resolve(`no answer within ${CHECK_MS / 1000} seconds`), CHECK_MS);
  try {
    return await Promise.race([check.run(), timeout.promise]);
  } catch (thrown) {
    return thrown instanceof ArtefactError ? thrown.message : 'failed; see the log';
  } finally {
    clearTimeout(timer);
  }
}

type HealthOperation = Operation<undefined>;

function recognise(head: RequestHead, operations: Readonly<Record<string, HealthOperation>>): Recognised<undefined> {
  const found = operations[head.rawPath];
  if (!found) throw new ArtefactError('RouteUnknown', 'There is nothing at this path.');
  if (head.method !== 'GET' && head.method !== 'HEAD')
    throw new ArtefactError('MethodNotAllowed', 'Use GET or HEAD here.', { details: { allow: 'GET, HEAD' } });
  return { operation: found, params: undefined };
}

function operation(name: string, answer: () => Promise<Reply>): HealthOperation {
  return { name, authenticates: 'public', demands: () => [], handle: answer };
}

function renderError(error: ArtefactError): Reply {
  const status = STATUS[error.code] ?? 500;
  const reply = json(status, { status: 'error', message: error.message });
  return status === 405 ? { ...reply, headers: { ...reply.headers, Allow: 'GET, HEAD' } } : reply;
}

/** The edge's own refusals and those of `recognise`; no other can come of these two operations. */
const STATUS: Readonly<Partial<Record<ArtefactError['code'], number>>> = {
  RouteUnknown: 404,
  MethodNotAllowed: 405,
  MalformedUri: 400,
  InvalidRequest: 400,
  NotImplemented: 501,
};

function json(status: number, value: object): Reply {
  return { status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }, body: `${JSON.stringify(value)}\n` };
}
