/** The object, upload and form rows over a real core in memory: requests go in as heads and bodies, answers come out as clients see them. */
import type { BucketConfig, Snapshot } from '@bonded/crds';
import type { Principal } from '../../../../src/authn/principal.ts';
import type { PostAuthenticated } from '../../../../src/authn/postPolicy.ts';
import type { Action } from '../../../../src/authz/action.ts';
import type { Core } from '../../../../src/core/core.ts';
import { stampAdmitted } from '../../../../src/core/door.ts';
import { ArtefactError, asArtefactError } from '../../../../src/errors.ts';
import type { Call, Demand, Payload, Reply, RequestHead } from '../../../../src/protocols/contract.ts';
import { renderS3Error } from '../../../../src/protocols/s3/errors.ts';
import { formRows } from '../../../../src/protocols/s3/form/table.ts';
import { multipartRows } from '../../../../src/protocols/s3/multipart/table.ts';
import { recognise } from '../../../../src/protocols/s3/recognise.ts';
import { objectRows } from '../../../../src/protocols/s3/objects/table.ts';
import type { Row } from '../../../../src/protocols/s3/operation.ts';
import type { Bytes, Store } from '../../../../src/storage/contract.ts';
import { bucketNamed, testCore } from '../../../core/core.fixture.ts';

export const BUCKETS: readonly BucketConfig[] = [
  bucketNamed('plain'),
  bucketNamed('other'),
  bucketNamed('kept', { versioning: 'Enabled' }),
  bucketNamed('paused', { versioning: 'Suspended' }),
  bucketNamed('fixed', { immutability: ['releases/**'] }),
];

const ROLES: Readonly<Record<string, readonly Action[]>> = {
  owner: ['read', 'list', 'create', 'overwrite', 'delete', 'attach', 'administer'],
  maintainer: ['read', 'list', 'create', 'overwrite', 'delete'],
  publisher: ['read', 'list', 'create'],
  reader: ['read', 'list'],
  // may read what it can name, and see nothing else
  fetcher: ['read'],
  dropper: ['create'],
  anonymous: ['read'],
};

/** Who asks: a role, and S3 actions that are denied whatever the role. */
export interface Asker {
  readonly as?: string;
  readonly denied?: readonly string[];
}

export interface Ask extends Asker {
  readonly method?: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signedSha256?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Without content-length, unless the headers have it. */
  readonly lengthless?: true;
  /** The declared length, when it is not that of the body. */
  readonly length?: number;
  /** The buckets of the snapshot, when not `BUCKETS`. */
  readonly buckets?: readonly BucketConfig[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The text of the first element of that name. */
  readonly element: (name: string) => string | undefined;
  readonly elements: (name: string) => readonly string[];
}

export interface Stage {
  readonly core: Core;
  readonly store: Store;
  readonly ask: (ask: Ask) => Promise<Answer>;
  readonly put: (target: string, body: string | Uint8Array, headers?: Readonly<Record<string, string>>, asker?: Asker) => Promise<Answer>;
  readonly get: (target: string, headers?: Readonly<Record<string, string>>, asker?: Asker) => Promise<Answer>;
  /** Digests that the door refuses. */
  readonly held: Set<string>;
  /** Every demand that was authorised, as `action s3Action bucket/name`. */
  readonly demands: string[];
  /** The same with their facts. */
  readonly asked: Demand[];
  /** Moves the core's clock, in ms. */
  readonly pass: (ms: number) => void;
  /** Record keys in the store. */
  readonly keys: (prefix?: string) => Promise<string[]>;
  verifyForm: (form: { readonly bucket: string; readonly fields: ReadonlyMap<string, string> }) => PostAuthenticated;
}

export function openStage(): Stage {
  const { core, ...house } = testCore();
  const held = new Set<string>();
  const demands: string[] = [];
  const asked: Demand[] = [];
  const stage: Stage = {
    core,
    store: house.store,
    held,
    demands,
    asked,
    pass: (ms) => house.pass(ms),
    keys: (prefix) => house.keys(prefix),
    verifyForm: () => ({ principal: principalOf('anonymous'), conditions: new Map() }),
    ask: (ask) => perform(stage, rows, ask),
    put: (target, body, headers = {}, asker = {}) => stage.ask({ method: 'PUT', target, body, headers, ...asker }),
    get: (target, headers = {}, asker = {}) => stage.ask({ method: 'GET', target, headers, ...asker }),
  };
  const rows = [...objectRows, ...multipartRows, ...formRows((form) => stage.verifyForm(form))];
  return stage;
}

async function perform(stage: Stage, rows: readonly Row[], ask: Ask): Promise<Answer> {
  const head = headOf(ask);
  try {
    const { operation, params } = recognise(head, { rows, domains: [] });
    const call = callOf(stage, ask, head, { name: operation.name, params });
    for (const demand of operation.demands(head, params)) call.authorise(demand);
    return await answerOf(await operation.handle(call, stage.core), head.method);
  } catch (thrown) {
    if (!(thrown instanceof ArtefactError)) throw thrown;
    const [, bucket = '', ...rest] = head.rawPath.split('/');
    const subject = { requestId: head.id, method: head.method, bucket, key: rest.join('/') };
    return answerOf(renderS3Error(asArtefactError(thrown), subject), head.method);
  }
}

export function headOf(ask: Ask): RequestHead {
  const [rawPath = '/', rawQuery = ''] = ask.target.split('?');
  const query = rawQuery === '' ? [] : rawQuery.split('&').map(decodePair);
  const length: Record<string, string> =
    ask.lengthless || ask.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(ask.body)) };
  const headers = { ...length, ...ask.headers };
  return {
    id: 'req-1',
    method: ask.method ?? 'GET',
    target: ask.target,
    rawPath,
    query,
    headers,
    rawHeaders: Object.entries(headers),
    remoteAddress: '127.0.0.1',
    secure: false,
    host: 'store.test',
  };
}

function decodePair(pair: string): readonly [string, string] {
  const [name = '', value = ''] = pair.split('=').map((piece) => decodeURIComponent(piece.replaceAll('+', ' ')));
  return [name, value];
}

function principalOf(role: string): Principal {
  return role === 'anonymous' ? { kind: 'anonymous', id: 'anonymous' } : { kind: 'accessKey', id: `key:${role}` };
}

function callOf(stage: Stage, ask: Ask, head: RequestHead, recognised: { readonly name: string; readonly params: unknown }): Call<never> {
  const snapshot: Snapshot = { revision: 'r', buckets: ask.buckets ?? BUCKETS, bindings: [], policies: [], accessKeys: [] };
  let principal = principalOf(ask.as ?? 'owner');
  const role = (): string => principal.id.replace('key:', '');
  const may = (demand: Demand): boolean => (ROLES[role()] ?? []).includes(demand.action) && !ask.denied?.includes(demand.s3Action);
  return {
    head,
    params: recognised.params as never,
    operation: recognised.name,
    get principal() {
      return principal;
    },
    payload: payloadOf(ask),
    snapshot,
    signal: new AbortController().signal,
    get actor() {
      return { principal: principal.id, operation: recognised.name, requestId: head.id, remoteAddress: head.remoteAddress };
    },
    authorise: (demand) => {
      stage.asked.push(demand);
      stage.demands.push(`${demand.action} ${demand.s3Action} ${demand.resource.bucket}/${demand.resource.name ?? ''}`);
      if (!may(demand)) throw new ArtefactError('AccessDenied', 'Access Denied');
    },
    may,
    admit: async ({ digest }) => {
      if (stage.held.has(digest)) throw new ArtefactError('Held', 'Papers are missing.');
      return stampAdmitted(digest);
    },
    become: (next) => {
      principal = next;
    },
  };
}

function payloadOf(ask: Ask): Payload {
  const body = Buffer.from(ask.body ?? '');
  return {
    bytes: lent(body),
    length: ask.lengthless ? undefined : (ask.length ?? body.length),
    signedSha256: ask.signedSha256,
    trailers: new Map(Object.entries(ask.trailers ?? {})),
  };
}

/** Chunks that are overwritten as soon as the next is asked for, as those of a socket may be. */
export async function* lent(body: Uint8Array, size = 8 * 1024): Bytes & AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    buffer.fill(0xee);
  }
}

async function answerOf(reply: Reply, method: string): Promise<Answer> {
  const bytes = method === 'HEAD' ? Buffer.alloc(0) : await bodyOf(reply.body);
  const text = bytes.toString();
  const elements = (name: string): string[] => [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => match[1]!);
  const headers = Object.fromEntries(Object.entries(reply.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return { status: reply.status, headers, bytes, text, elements, element: (name) => elements(name)[0]?.replaceAll('&quot;', '"') };
}

async function bodyOf(body: Reply['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
