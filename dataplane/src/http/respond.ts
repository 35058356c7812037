/** Writes a Reply to the socket: the whole of it, or visibly not. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ArtefactError } from '../errors.ts';
import type { Reply } from '../protocols/contract.ts';
import type { Bytes } from '../storage/contract.ts';

type Headers = NonNullable<Reply['headers']>;

/** A reply whose first bytes are at hand, so that an unreadable blob still becomes an error and not a broken answer. */
export interface OpenReply {
  readonly status: number;
  readonly headers: Headers;
  /** The Content-Length to send instead of the one in `headers`; undefined: that one, if there is one. */
  readonly length?: number | 'none';
  /** Undefined when there is no body to send. */
  readonly body?: Uint8Array | OpenBody;
}

interface OpenBody {
  readonly source: AsyncIterator<Uint8Array>;
  readonly first: IteratorResult<Uint8Array>;
  /** Bytes that must be sent, no fewer and no more; undefined for chunked transfer coding. */
  readonly length: number | undefined;
}

export interface SendOptions {
  /** Headers of the edge itself, names and values in turn; a reply has none of these. */
  readonly headers: readonly string[];
  /** How long the client may take nothing, in ms. */
  readonly idleMs: number;
  /** Bytes per second that the client must take of a large chunk besides that; 0 for none. */
  readonly minRate: number;
  /** Told how many bytes of the body have been handed to the socket. */
  readonly onSent: (bytes: number) => void;
  /** Called before an answer that leaves the connection unusable is ended: its sender may still be writing. */
  readonly beforeEnd?: (() => Promise<void>) | undefined;
}

/** Pulls the first bytes of a reply. Throws what the source throws; drops the body for HEAD, 204 and 304. */
export async function openReply(reply: Reply, method: string): Promise<OpenReply> {
  const { status, headers = NO_HEADERS } = reply;
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  if (status === 204 || status === 304) {
    await release(body);
    return { status, headers, length: 'none' };
  }
  if (body === undefined || method === 'HEAD') {
    await release(body);
    return { status, headers, length: lengthFor(headers, body) };
  }
  if (body instanceof Uint8Array) return { status, headers, length: body.length, body };
  const source = body[Symbol.asyncIterator]();
  return { status, headers, body: { source, first: await source.next(), length: declaredLength(headers) } };
}

/** A source that will not be read may already hold a file. */
async function release(body: Uint8Array | Bytes | undefined): Promise<void> {
  if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.();
}

const NO_HEADERS: Headers = {};

/** Sends it. Throws when not all of it could be sent; the connection is then destroyed, so that the client sees the truncation. */
export function sendReply(response: ServerResponse, reply: OpenReply, options: SendOptions): Promise<void> {
  const { body } = reply;
  if (options.beforeEnd === undefined && (body === undefined || body instanceof Uint8Array))
    return sendWhole(response, reply, body, options);
  return sendPieces(response, reply, body instanceof Uint8Array ? onePiece(body) : body, options);
}

/** Head and body leave together, and nobody waits between them. */
function sendWhole(response: ServerResponse, reply: OpenReply, bytes: Uint8Array | undefined, options: SendOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isGone(response)) return reject(clientGone());
    response.writeHead(reply.status, flatHeaders(reply, options.headers));
    // It follows the end of a good answer as well.
    response.once('close', () => {
      if (!response.writableFinished) return reject(clientGone());
      if (bytes) options.onSent(bytes.length);
      resolve();
    });
    response.end(bytes);
    if (response.socket?.writableLength === 0) return;
    response.once('timeout', () => response.destroy());
    limitIdleness(response, options.idleMs);
  });
}

async function sendPieces(response: ServerResponse, reply: OpenReply, body: OpenBody | undefined, options: SendOptions): Promise<void> {
  const writer = createWriter(response, options);
  try {
    response.writeHead(reply.status, flatHeaders(reply, options.headers));
    if (body) await sendBody(writer, body);
    if (options.beforeEnd) {
      writer.flush();
      await options.beforeEnd();
    }
    await writer.end();
  } catch (thrown) {
    if (response.headersSent) response.destroy();
    throw thrown;
  } finally {
    writer.release();
    await body?.source.return?.();
  }
}

/** A chunk's buffer belongs to the source again at the next pull: it must be with the kernel by then. */
async function sendBody(writer: Writer, body: OpenBody): Promise<void> {
  let sent = 0;
  for (let step = body.first; !step.done; step = await body.source.next()) {
    sent += step.value.length;
    if (body.length !== undefined && sent > body.length) throw wrongLength(sent, body.length);
    if (step.value.length > 0) await writer.write(step.value, sent === body.length);
    if (sent === body.length) return;
  }
  if (body.length !== undefined && sent !== body.length) throw wrongLength(sent, body.length);
}

interface Writer {
  /** Resolves once the chunk has left the process. */
  write(chunk: Uint8Array, last: boolean): Promise<void>;
  /** Sends the head, if no chunk took it along. */
  flush(): void;
  end(): Promise<void>;
  release(): void;
}

/** Each step resolves when the socket has taken it, and rejects when the client is gone or takes nothing for too long. */
function createWriter(response: ServerResponse, options: SendOptions): Writer {
  let reject: ((reason: Error) => void) | undefined;
  const gone = () => reject?.(clientGone());
  const idle = () => {
    if (reject) response.destroy();
  };
  const step = (act: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, refuse) => {
      if (isGone(response)) return refuse(clientGone());
      reject = refuse;
      act((error) => {
        reject = undefined;
        if (error) refuse(clientGone());
        else resolve();
      });
    });
  response.on('close', gone).on('timeout', idle);
  limitIdleness(response, options.idleMs);

  return {
    async write(chunk, last) {
      const alone = last && options.beforeEnd === undefined;
      const patience = chunk.length < LARGE || options.minRate === 0 ? undefined : setTimeout(idle, patienceFor(chunk.length, options));
      try {
        await step((done) => (alone ? response.end(chunk, () => done()) : writeThrough(response, chunk, done)));
      } finally {
        clearTimeout(patience);
      }
      options.onSent(chunk.length);
    },
    flush: () => response.flushHeaders(),
    async end() {
      if (!response.writableEnded) await step((done) => response.end(() => done()));
    },
    release: () => response.off('close', gone).off('timeout', idle),
  };
}

/** Smaller chunks are the business of the idle time: who takes none for that long is gone, and who takes one each time is no slower than this. */
const LARGE = 64 * 1024;

/** The idle time begins anew with every byte: a reader of one byte a minute would hold a file and its buffers for ever. */
function patienceFor(length: number, { idleMs, minRate }: SendOptions): number {
  return idleMs + (length / minRate) * 1000;
}

/** An answer that waits for the one before it has no socket yet. */
function limitIdleness(response: ServerResponse, idleMs: number): void {
  if (response.socket) response.socket.setTimeout(idleMs);
  else response.once('socket', (socket: Socket) => socket.setTimeout(idleMs));
}

/** The head and the first chunk leave together. */
function writeThrough(response: ServerResponse, chunk: Uint8Array, done: (error?: Error | null) => void): void {
  response.cork();
  response.write(chunk, done);
  response.uncork();
}

function onePiece(bytes: Uint8Array): OpenBody {
  return {
    source: { next: () => Promise.resolve({ done: true, value: undefined }) },
    first: { done: false, value: bytes },
    length: bytes.length,
  };
}

/** What Content-Length a GET would have had, for HEAD (RFC 9110 §8.6); where it cannot be known, none. */
function lengthFor(headers: Headers, body: Uint8Array | Bytes | undefined): number | undefined {
  if (declaredLength(headers) !== undefined) return undefined;
  if (body === undefined) return 0;
  return body instanceof Uint8Array ? body.length : undefined;
}

function declaredLength(headers: Headers): number | undefined {
  const name = Object.keys(headers).find(isLength);
  return name === undefined ? undefined : Number(headers[name]);
}

const LENGTH = 'content-length';

function isLength(name: string): boolean {
  return name.length === LENGTH.length && name.toLowerCase() === LENGTH;
}

/** Names and values in turn, which Node takes as they are. */
function flatHeaders({ headers, length }: OpenReply, further: readonly string[]): string[] {
  const flat: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (length !== undefined && isLength(name)) continue;
    if (typeof value === 'string') flat.push(name, value);
    else for (const each of value) flat.push(name, each);
  }
  if (typeof length === 'number') flat.push('Content-Length', String(length));
  flat.push(...further);
  return flat;
}

function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.socket?.writable === false;
}

function clientGone(): Error {
  return new ArtefactError('BodyIncomplete', 'The client left before the answer was complete.');
}

function wrongLength(sent: number, declared: number): Error {
  return new Error(`A source of ${declared} declared bytes gave ${sent}`);
}
