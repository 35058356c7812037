/** One request and its answer under way: what the journey, the response and the access log share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS, type Principal } from '../authn/principal.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import { ArtefactError } from '../errors.ts';
import type { RequestHead } from '../protocols/contract.ts';
import { requestBody, type RequestBody } from './body.ts';
import type { Caller } from './gate.ts';
import type { ReceivedHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import type { Mount } from './mount.ts';

const NO_CONDITIONS: Caller['conditions'] = new Map();

/** RFC 9112 §6.3: no length and no transfer coding means no body, and none arrives. */
function hasBody({ headers }: RequestHead): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

const NO_BODY: RequestBody = {
  bytes: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) },
  declared: 0,
  received: () => 0,
  complete: () => true,
  discard: () => Promise.resolve(),
};

export interface Messages {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface ExchangeOptions {
  readonly limits: HttpLimits;
  readonly snapshot: LoadedSnapshot;
  /** A body began to be waited for; the exchange then is `uploading`. */
  readonly onUpload: () => void;
}

/**
 * A class, since an object literal with accessors costs V8 a hidden class each time, which outlives the request and keeps
 * it in memory with it.
 */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly mount: Mount;
  readonly head: RequestHead;
  /** What is wrong with the head; such a request gets this answer and nothing else. */
  readonly fault: ArtefactError | undefined;
  readonly body: RequestBody;
  /** The configuration in force for the whole of this request. */
  readonly snapshot: LoadedSnapshot;
  readonly began: number = performance.now();
  // What is learned on the way:
  traceId: string | undefined;
  operation: string | undefined;
  principal: Principal = ANONYMOUS;
  conditions: Caller['conditions'] = NO_CONDITIONS;
  error: ArtefactError | undefined;
  bytesOut = 0;
  uploading = false;
  #controller: AbortController | undefined;

  constructor(messages: Messages, received: ReceivedHead, mount: Mount, options: ExchangeOptions) {
    this.request = messages.request;
    this.response = messages.response;
    this.mount = mount;
    this.head = received.head;
    this.fault = received.fault;
    this.snapshot = options.snapshot;
    this.body = hasBody(received.head) ? this.#openBody(options) : NO_BODY;
    messages.response.on('close', () => this.#abort());
  }

  #openBody(options: ExchangeOptions): RequestBody {
    return requestBody(this.request, {
      limits: options.limits,
      onFirstPull: () => {
        this.#askForBody();
        if (this.body.declared === 0) return;
        this.uploading = true;
        options.onUpload();
      },
    });
  }

  /** Aborted when the client goes away, also because the server closed its connection. Few ask for it, so it is made then. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.response.destroyed) this.#abort();
    return this.#controller.signal;
  }

  /** True when the connection went before the answer was complete. */
  aborted(): boolean {
    return this.response.destroyed && !this.response.writableFinished;
  }

  /** Sends an interim answer; nothing to HTTP/1.0, which has none (RFC 9110 §15.2). */
  inform(status: number, headers: Readonly<Record<string, string>>): void {
    const { request, response } = this;
    if (request.httpVersion === '1.0' || response.headersSent || response.destroyed) return;
    response.writeInformation(status, headers);
  }

  /** RFC 9110 §10.1.1: only when it is pulled is it known that the body is wanted. */
  #askForBody(): void {
    const expects = this.head.headers['expect']?.toLowerCase() === '100-continue';
    if (expects && !this.response.headersSent) this.response.writeContinue();
  }

  #abort(): void {
    if (this.response.writableFinished) return;
    this.#controller?.abort(new ArtefactError('BodyIncomplete', 'The client left before the answer was complete.'));
  }
}
