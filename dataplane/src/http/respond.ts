/** Writes a Reply to the socket: the whole of it, or visibly not. */
import type { ServerResponse } from 'node:http';
import { ArtefactError } from '../errors.ts';
import type { Reply } from '../protocols/contract.ts';
import type { Bytes } from '../storage/contract.ts';

/** A reply whose first bytes are at hand, so that an unreadable blob still becomes an error and not a broken answer. */
export interface OpenReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Undefined when there is no body to send. */
  readonly body?: OpenBody;
}

interface OpenBody {
  readonly source: AsyncIterator<Uint8Array>;
  readonly first: IteratorResult<Uint8Array>;
  /** Bytes that must be sent, no fewer and no more; undefined for chunked transfer coding. */
  readonly length: number | undefined;
}

export interface SendOptions {
  /** Headers of the edge itself. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long the client may take nothing, in ms. */
  readonly idleMs: number;
  /** Told how many bytes of the body have been handed to the socket. */
  readonly onSent: (bytes: number) => void;
  /** Called before an answer that leaves the connection unusable is ended: its sender may still be writing. */
  readonly beforeEnd?: () => Promise<void>;
}

/** Pulls the first bytes of a reply. Throws what the source throws; drops the body for HEAD, 204 and 304. */
export async function openReply(reply: Reply, method: string): Promise<OpenReply> {
  const { status, headers = {} } = reply;
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  if (status === 204 || status === 304) {
    await release(body);
    return { status, headers: withoutLength(headers) };
  }
  if (body === undefined || method === 'HEAD') {
    await release(body);
    return { status, headers: lengthFor(headers, body) };
  }
  if (body instanceof Uint8Array) {
    const length = body.length;
    const whole = { source: one(body), first: { done: false as const, value: body }, length };
    return { status, headers: { ...withoutLength(headers), 'Content-Length': String(length) }, body: whole };
  }
  const source = body[Symbol.asyncIterator]();
  return { status, headers, body: { source, first: await source.next(), length: declaredLength(headers) } };
}

/** A source that will not be read may already hold a file. */
async function release(body: Uint8Array | Bytes | undefined): Promise<void> {
  if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.();
}

/** Sends it. Throws when not all of it could be sent; the connection is then destroyed, so that the client sees the truncation. */
export async function sendReply(response: ServerResponse, reply: OpenReply, options: SendOptions): Promise<void> {
  const writer = createWriter(response, options);
  try {
    response.writeHead(reply.status, { ...reply.headers, ...options.headers } as Record<string, string | string[]>);
    if (reply.body) await sendBody(writer, reply.body);
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
    await reply.body?.source.return?.();
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
      if (response.destroyed || response.socket?.writable === false) return refuse(clientGone());
      reject = refuse;
      act((error) => {
        reject = undefined;
        if (error) refuse(clientGone());
        else resolve();
      });
    });
  response.on('close', gone).on('timeout', idle);
  response.socket?.setTimeout(options.idleMs);

  return {
    async write(chunk, last) {
      const alone = last && options.beforeEnd === undefined;
      await step((done) => (alone ? response.end(chunk, () => done()) : writeThrough(response, chunk, done)));
      options.onSent(chunk.length);
    },
    flush: () => response.flushHeaders(),
    async end() {
      if (!response.writableEnded) await step((done) => response.end(() => done()));
    },
    release: () => response.off('close', gone).off('timeout', idle),
  };
}

/** The head and the first chunk leave together. */
function writeThrough(response: ServerResponse, chunk: Uint8Array, done: (error?: Error | null) => void): void {
  response.cork();
  response.write(chunk, done);
  response.uncork();
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What Content-Length a GET would have had, for HEAD (RFC 9110 §8.6); where it cannot be known, none. */
function lengthFor(headers: OpenReply['headers'], body: Uint8Array | Bytes | undefined): OpenReply['headers'] {
  if (declaredLength(headers) !== undefined) return headers;
  if (body === undefined) return { ...headers, 'Content-Length': '0' };
  return body instanceof Uint8Array ? { ...headers, 'Content-Length': String(body.length) } : headers;
}

function declaredLength(headers: OpenReply['headers']): number | undefined {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'content-length');
  return name === undefined ? undefined : Number(headers[name]);
}

function withoutLength(headers: OpenReply['headers']): OpenReply['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length'));
}

function clientGone(): Error {
  return new ArtefactError('BodyIncomplete', 'The client left before the answer was complete.');
}

function wrongLength(sent: number, declared: number): Error {
  return new Error(`A source of ${declared} declared bytes gave ${sent}`);
}
