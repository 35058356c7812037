/** A stage for the JSON API: requests in, answers out, over a core of plain arrays and rights given as a function. */
import type { BindingConfig, Snapshot } from '@bonded/crds';
import { presignAs } from '../../../src/authn/presign.ts';
import type { Principal } from '../../../src/authn/principal.ts';
import { createSessions, sessionEnd } from '../../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../../src/authn/signingKey.ts';
import type { Core } from '../../../src/core/core.ts';
import { ArtefactError, asArtefactError } from '../../../src/errors.ts';
import type { Call, Demand, Protocol, Reply, RequestHead } from '../../../src/protocols/contract.ts';

import type { Access } from '../../../src/protocols/admin/access.ts';
import { createAdminProtocol } from '../../../src/protocols/admin/protocol.ts';
import type { AdminDeps } from '../../../src/protocols/admin/table.ts';
import { assertDocumented } from './document.ts';
import { coreOf } from './fakeCore.ts';
import type { Shelves } from './fakeCore.ts';

export { bucketNamed } from '../../core/core.fixture.ts';
export { objectNamed } from './fakeCore.ts';

export const ALICE: Principal = {
  kind: 'accessKey',
  id: 'key:ALICE',
  accessKey: { accessKeyId: 'ALICE', namespace: 'team-a', secretName: 'alice' },
};

/** An identity out of an OIDC token. */
export const BOB: Principal = {
  kind: 'oidc',
  id: 'oidc:https://issuer.test|bob',
  oidc: { issuer: 'https://issuer.test', claims: { sub: 'bob', groups: ['team-a'] } },
};

/** Nothing is allowed to anybody. */
export const NO_ACCESS: Access = {
  bindingsOf: () => [],
  visibleBuckets: () => [],
  namespaceFor: () => {
    throw new ArtefactError('AccessDenied', 'No binding lets you create a bucket of this name.');
  },
};

export const NOW = Date.UTC(2026, 10, 24, 9);

export interface Request {
  readonly body?: unknown;
  readonly rawBody?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signedSha256?: string;
}

/** The members that tests look at, of whatever kind the answer is; the OpenAPI document has checked the kind. */
export interface Body {
  readonly code: string;
  readonly detail: string;
  readonly next: string;
  readonly buckets: readonly { readonly name: string }[];
  readonly objects: readonly { readonly bucket: string; readonly key: string; readonly metadata?: object; readonly contentType?: string }[];
  readonly entries: readonly { readonly name: string; readonly change: string }[];
  readonly url: string;
  readonly method: string;
  readonly expires: string;
  readonly expiration: string;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly sessionToken: string;
  readonly bearerToken: string;
  readonly claims: Readonly<Record<string, unknown>> & { readonly groups: readonly string[]; readonly long: string };
  readonly [name: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly json: Body;
  readonly body: Reply['body'];
  readonly operation?: string;
}

/** The head of a request. */
export function headOf(method: string, target: string, headers: Readonly<Record<string, string>> = {}): RequestHead {
  const [rawPath = '', ...rest] = target.split('?');
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    id: 'request-1',
    method,
    target,
    rawPath,
    query: [...new URLSearchParams(rest.join('?'))],
    headers: lower,
    rawHeaders: Object.entries(lower),
    remoteAddress: '127.0.0.1',
    secure: false,
    host: 'store.test:8080',
  };
}

/** Everything that a test may set before and look at afterwards. */
export interface Stage extends Shelves {
  readonly bindings: BindingConfig[];
  /** What the caller may do; by default everything. */
  may: (demand: Demand) => boolean;
  principal: Principal;
  send(method: string, target: string, request?: Request): Promise<Answer>;
  readonly protocol: Protocol;
  readonly core?: Core;
}

/** With `core`, a real one instead of the arrays. */
export function createStage(deps: Partial<AdminDeps> = {}, core?: Core): Stage {
  const stage: Stage = {
    buckets: [],
    bindings: [],
    objects: new Map(),
    journal: [],
    created: new Map(),
    keep: undefined,
    may: () => true,
    principal: ALICE,
    done: [],
    core,
    send: (method, target, request = {}) => send(stage, method, target, request),
    protocol: createAdminProtocol({
      openapi: async () => ({ openapi: '3.1.0', info: {}, paths: {} }),
      snapshot: () => snapshotOf(stage),
      access: {
        namespaceFor: () => 'team-a',
        bindingsOf: () => [],
        visibleBuckets: () =>
          stage.buckets.filter(({ name }) => stage.may({ action: 'list', s3Action: 's3:ListBucket', resource: { bucket: name } })),
      },
      authenticator: createTestAuthenticator(),
      clock: () => NOW,
      ...deps,
    }),
  };
  return stage;
}

/** Sessions and URLs are real; the one token it knows is Bob's. */
function createTestAuthenticator(): AdminDeps['authenticator'] {
  const sessions = createSessions({ keys: [ephemeralSigningKey()], clock: () => NOW, trusts: () => true });
  return {
    startSession: async (token, seconds) => {
      if (token !== 'bobs-token') throw new ArtefactError('TokenInvalid', 'The signature of the token is wrong.');
      return { principal: BOB, session: sessions.issue(BOB, sessionEnd(NOW, seconds)) };
    },
    presign: (principal, request, lookup) => presignAs(principal, request, { lookup, sessions }, NOW),
  };
}

/** The configuration that the stage stands for now. */
export function snapshotOf(stage: Stage): Snapshot {
  return {
    revision: 'r',
    buckets: [...stage.buckets],
    bindings: [...stage.bindings],
    policies: [],
    accessKeys: [{ namespace: 'team-a', secretName: 'alice', accessKeyId: 'ALICE', secretAccessKey: 'alices-secret' }],
  };
}

/** Every answer is held against the OpenAPI document. */
async function send(stage: Stage, method: string, target: string, request: Request): Promise<Answer> {
  const head = headOf(method, target, headersOf(stage, request));
  const answer = await perform(stage, head, request);
  assertDocumented(head, answer);
  return answer;
}

/** Whoever is somebody says so; sessions from a token in the body are for those who have sent nothing. */
function headersOf({ principal }: Stage, { body, headers }: Request): Record<string, string> {
  return {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(principal.kind !== 'anonymous' && { authorization: 'AWS4-HMAC-SHA256 Credential=…' }),
    ...headers,
  };
}

async function perform(stage: Stage, head: RequestHead, request: Request): Promise<Answer> {
  let name: string | undefined;
  try {
    const { operation, params } = stage.protocol.recognise(head);
    name = operation.name;
    const call = callOf(stage, head, { ...request, operation: name, params: params as unknown });
    if (operation.authenticates === 'request') operation.demands(head, params).forEach((demand) => call.authorise(demand));
    return answerOf(await operation.handle(call, stage.core ?? coreOf(stage)), name);
  } catch (thrown) {
    const error = asArtefactError(thrown);
    if (error.code === 'Internal') throw thrown;
    return answerOf(stage.protocol.renderError(error, { head }), name);
  }
}

function answerOf({ status, headers = {}, body }: Reply, operation: string | undefined): Answer {
  // 204 and HEAD have none: tests that look into it fail
  const json = (typeof body === 'string' && body !== '' ? JSON.parse(body) : undefined) as Body;
  return { status, headers, json, body, operation };
}

/** A call as the journey would make it. */
function callOf(stage: Stage, head: RequestHead, given: Request & { readonly operation: string; readonly params: unknown }): Call<unknown> {
  const raw = given.rawBody ?? (given.body === undefined ? '' : JSON.stringify(given.body));
  const bytes = typeof raw === 'string' ? Buffer.from(raw) : raw;
  return {
    head,
    params: given.params,
    operation: given.operation,
    principal: stage.principal,
    payload: { bytes: inChunks(bytes), signedSha256: given.signedSha256, trailers: new Map() },
    snapshot: snapshotOf(stage),
    signal: new AbortController().signal,
    actor: { principal: stage.principal.id, operation: given.operation, requestId: head.id, remoteAddress: head.remoteAddress },
    authorise: (demand) => {
      if (!stage.may(demand)) throw new ArtefactError('AccessDenied', 'Access denied.');
    },
    may: (demand) => stage.may(demand),
    admit: () => Promise.reject(new Error('nothing leaves through the JSON API')),
    become: (principal) => {
      stage.principal = principal;
    },
  };
}

/** Lends every chunk in one buffer that is used again, as sockets do. */
async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(7);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const part = bytes.subarray(at, at + buffer.length);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
  buffer.fill(0);
}
