/** Single requests for small objects of the place: each is made once, in bounded time, and throws `S3Failure` only. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { S3Place } from './client.ts';
import { failureOf } from './failure.ts';
import { carried, signPayload, smallPayload, type Payload } from './payload.ts';

/** An ETag without its quotes. */
export type Etag = string;

export type Condition = { readonly ifAbsent: true } | { readonly ifMatch: Etag };

export interface FoundObject {
  readonly etag: Etag;
  readonly text: string;
}

export interface ObjectHead {
  readonly size: number;
  readonly nonce: string | undefined;
}

export interface ListQuery {
  /** Names, here and in the answer, are without the place's prefix. */
  readonly prefix: string;
  /** Strictly after it; it must begin with `prefix`. */
  readonly after?: string;
  readonly token?: string;
  readonly delimiter?: '/';
  readonly limit: number;
}

export interface ListedObject {
  readonly name: string;
  readonly etag: Etag;
  readonly size: number;
  /** Ms since the epoch, by the server's clock. */
  readonly modified: number;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  readonly folders: readonly string[];
  /** Undefined at the end. */
  readonly token: string | undefined;
}

export interface PutOptions {
  readonly condition?: Condition;
  /** Kept with the object, to tell an own write from another's. */
  readonly nonce?: string;
  readonly timeoutMs?: number;
}

/** Small objects by name. */
export interface Objects {
  get(name: string, knownEtag?: Etag): Promise<FoundObject>;
  put(name: string, content: Uint8Array | Payload, options?: PutOptions): Promise<Etag>;
  head(name: string): Promise<ObjectHead>;
  delete(name: string): Promise<void>;
  list(query: ListQuery): Promise<ListPage>;
}

/** A request for a small object that takes longer is given up, in ms. */
export const REQUEST_MS = 10_000;

export const NONCE = 'bonded-nonce';

/** Objects of the place through a client. `timeoutMs` bounds each request. */
export function openObjects(client: S3Client, { bucket, prefix }: S3Place, timeoutMs: number = REQUEST_MS): Objects {
  const target = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const bounded = (ms = timeoutMs) => ({ abortSignal: AbortSignal.timeout(ms) });
  return {
    get: (name, knownEtag) =>
      sorted(async () => {
        const bound = bounded();
        const found = await client.send(
          new GetObjectCommand({ ...target(name), ...(knownEtag && { IfNoneMatch: quoted(knownEtag) }) }),
          bound,
        );
        const text = (await found.Body?.transformToString()) ?? '';
        return { etag: plain(found.ETag), text };
      }),
    put: (name, content, options = {}) =>
      sorted(async () => {
        const payload = content instanceof Uint8Array ? smallPayload(content) : content;
        const command = new PutObjectCommand({
          ...target(name),
          ...carried(payload),
          ...conditionHeaders(options.condition),
          ...(options.nonce !== undefined && { Metadata: { [NONCE]: options.nonce } }),
        });
        signPayload(command, payload);
        return plain((await client.send(command, bounded(options.timeoutMs))).ETag);
      }),
    head: (name) =>
      sorted(async () => {
        const found = await client.send(new HeadObjectCommand(target(name)), bounded());
        return { size: found.ContentLength ?? 0, nonce: found.Metadata?.[NONCE] };
      }),
    delete: (name) => sorted(async () => void (await client.send(new DeleteObjectCommand(target(name)), bounded()))),
    list: (query) => sorted(async () => list(client, { bucket, prefix }, query, bounded())),
  };
}

async function list(
  client: S3Client,
  { bucket, prefix }: Pick<S3Place, 'bucket' | 'prefix'>,
  query: ListQuery,
  bound: { readonly abortSignal: AbortSignal },
): Promise<ListPage> {
  const page = await client.send(
    new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix + query.prefix,
      MaxKeys: query.limit,
      ...(query.delimiter !== undefined && { Delimiter: query.delimiter }),
      ...(query.token !== undefined
        ? { ContinuationToken: query.token }
        : query.after !== undefined && { StartAfter: prefix + query.after }),
    }),
    bound,
  );
  const own = (name = ''): string => name.slice(prefix.length);
  return {
    objects: (page.Contents ?? []).map(({ Key, ETag, Size, LastModified }) => ({
      name: own(Key),
      etag: plain(ETag),
      size: Size ?? 0,
      modified: LastModified?.getTime() ?? 0,
    })),
    folders: (page.CommonPrefixes ?? []).map(({ Prefix }) => own(Prefix)),
    token: page.IsTruncated === true ? page.NextContinuationToken : undefined,
  };
}

/** Runs one request and sorts what it throws. */
export async function sorted<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

export function conditionHeaders(condition: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return 'ifAbsent' in condition ? { IfNoneMatch: '*' } : { IfMatch: quoted(condition.ifMatch) };
}

export function plain(etag: string | undefined): Etag {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '');
}

export function quoted(etag: Etag): string {
  return `"${etag}"`;
}
