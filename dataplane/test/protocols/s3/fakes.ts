/** What the S3 tests stand on: request heads, a snapshot, a configuration that remembers, and the journey in small. */
import { SYSTEM_NAMESPACE } from '@bonded/crds';
import type { BucketConfig, Snapshot } from '@bonded/crds';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import type { Principal } from '../../../src/authn/principal.ts';
import type { Actor, Configuration, Core, Objects } from '../../../src/core/core.ts';
import { ArtefactError, asArtefactError } from '../../../src/errors.ts';
import type { Call, Demand, Payload, Reply, RequestHead } from '../../../src/protocols/contract.ts';
import { addressOf } from '../../../src/protocols/s3/address.ts';
import { bucketRows } from '../../../src/protocols/s3/bucket/table.ts';
import type { BucketOptions } from '../../../src/protocols/s3/bucket/table.ts';
import { renderS3Error } from '../../../src/protocols/s3/errors.ts';
import { listingRows } from '../../../src/protocols/s3/listing/table.ts';
import type { Row } from '../../../src/protocols/s3/operation.ts';
import { recognise } from '../../../src/protocols/s3/recognise.ts';
import { bucketNamed } from '../../core/core.fixture.ts';

export const REGION = 'eu-central-1';

export const ROOT: Principal = {
  kind: 'accessKey',
  id: 'key:ROOT',
  accessKey: { accessKeyId: 'ROOT', namespace: SYSTEM_NAMESPACE, secretName: 'root' },
};

export const TEAM_A: Principal = { kind: 'accessKey', id: 'key:A', accessKey: { accessKeyId: 'A', namespace: 'team-a', secretName: 'a' } };

/** Authorisation in small: buckets are made where the credential comes from, and `visibleBuckets` shows every one in the snapshot. */
export const OPTIONS: BucketOptions = {
  region: REGION,
  namespaceFor: ({ principal }) => principal.accessKey?.namespace ?? 'default',
  visibleBuckets: ({ snapshot: { buckets } }) => buckets,
};

/** The rows under test. */
export const ROWS: readonly Row[] = [...bucketRows(OPTIONS), ...listingRows(REGION)];

export interface HeadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
}

export function head(method: string, target: string, { headers = {}, host = 'localhost:8080' }: HeadOptions = {}): RequestHead {
  const mark = target.indexOf('?');
  const [rawPath, search] = mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
  return {
    id: 'REQUEST-1',
    method,
    target,
    rawPath,
    query: [...new URLSearchParams(search)],
    headers,
    rawHeaders: Object.entries(headers),
    remoteAddress: '192.0.2.1',
    secure: false,
    host,
  };
}

export function bucket(name: string, changes: Partial<BucketConfig> = {}): BucketConfig {
  return bucketNamed(name, { origin: { managedBy: 'api', owner: 'bonded' }, ...changes });
}

export function snapshot(...buckets: readonly BucketConfig[]): Snapshot {
  return { revision: 'r1', buckets, bindings: [], policies: [], accessKeys: [] };
}

export function payload(body: string | Uint8Array = '', changes: Partial<Payload> = {}): Payload {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { bytes: inChunks(bytes), length: bytes.length, trailers: new Map(), ...changes };
}

/** Lends one buffer again and again, as sources do. */
async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const lent = Buffer.alloc(7);
  for (let at = 0; at < bytes.length; at += lent.length) {
    const piece = bytes.subarray(at, at + lent.length);
    lent.set(piece);
    yield lent.subarray(0, piece.length);
  }
}

/** A configuration that only remembers what it was told. */
export function recordingConfiguration(): { readonly configuration: Configuration; readonly told: unknown[][] } {
  const told: unknown[][] = [];
  const remember =
    (what: string) =>
    async (...args: readonly unknown[]): Promise<void> => {
      told.push([what, ...args.map((arg) => (isBucket(arg) ? arg.name : arg)).filter((arg) => !isActor(arg))]);
    };
  const configuration: Configuration = {
    createBucket: remember('createBucket'),
    deleteBucket: remember('deleteBucket'),
    updateBucket: remember('updateBucket'),
    putPolicy: remember('putPolicy'),
    deletePolicy: remember('deletePolicy'),
    bucketCreated: async () => Date.UTC(2026, 0, 2, 3, 4, 5),
  };
  return { configuration, told };
}

function isBucket(value: unknown): value is BucketConfig {
  return typeof value === 'object' && value !== null && 'deletionPolicy' in value;
}

function isActor(value: unknown): value is Actor {
  return typeof value === 'object' && value !== null && 'requestId' in value;
}

export interface World {
  readonly snapshot?: Snapshot;
  readonly principal?: Principal;
  /** What the caller may; default: everything. */
  readonly may?: (demand: Demand) => boolean;
  readonly core?: { readonly objects?: Partial<Objects>; readonly configuration?: Configuration };
  readonly domains?: readonly string[];
}

export interface Request extends HeadOptions {
  readonly body?: string | Uint8Array;
  readonly payload?: Partial<Payload>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The domain code when it failed. */
  readonly failed?: string;
}

/** Recognise, authorise, handle, render: what `http/` does, without a socket. */
export async function perform(world: World, method: string, target: string, request: Request = {}): Promise<Answer> {
  const requestHead = head(method, target, request);
  try {
    return answerOf(await handle(world, requestHead, payload(request.body, request.payload)));
  } catch (thrown) {
    const error = asArtefactError(thrown);
    if (error.code === 'Internal') throw thrown;
    const { bucket: name, key } = addressOrNothing(requestHead, world);
    const reply = renderS3Error(error, { requestId: requestHead.id, method, bucket: name, key });
    return { ...answerOf(reply), failed: error.code };
  }
}

async function handle(world: World, requestHead: RequestHead, body: Payload): Promise<Reply> {
  const { operation, params } = recognise(requestHead, { rows: ROWS, domains: world.domains ?? [] });
  const may = world.may ?? (() => true);
  const authorise = (demand: Demand): void => {
    if (!may(demand)) throw new ArtefactError('AccessDenied', 'Access Denied');
  };
  if (operation.authenticates === 'request') operation.demands(requestHead, params).forEach(authorise);
  const call: Call<unknown> = {
    head: requestHead,
    params,
    operation: operation.name,
    principal: world.principal ?? (world.may ? ANONYMOUS : ROOT),
    payload: body,
    snapshot: world.snapshot ?? snapshot(),
    signal: new AbortController().signal,
    actor: { principal: 'test', operation: operation.name, requestId: requestHead.id, remoteAddress: requestHead.remoteAddress },
    authorise,
    may,
    admit: () => Promise.reject(new Error('not asked here')),
    become: () => undefined,
  };
  return operation.handle(call, { ...world.core } as unknown as Core);
}

function answerOf({ status, headers = {}, body }: Reply): Answer {
  if (body !== undefined && typeof body !== 'string') throw new Error('only text is answered here');
  return { status, headers: headers as Readonly<Record<string, string>>, body: body ?? '' };
}

function addressOrNothing(requestHead: RequestHead, world: World) {
  try {
    return addressOf(requestHead, world.domains ?? []);
  } catch {
    return {};
  }
}

/** The text of the first element of that name in a document. */
export function textOf(body: string, element: string): string | undefined {
  return new RegExp(`<${element}(?: [^>]*)?>([^<]*)</${element}>`).exec(body)?.[1];
}
