/** The body of a request as `Bytes`: nothing is read before it is asked for, senders must make progress, and nobody waits for ever. */
import type { IncomingMessage } from 'node:http';
import { ArtefactError } from '../errors.ts';
import type { Bytes } from '../storage/contract.ts';
import { freeChunk, openLentQueue, type LentQueue } from '../storage/lent.ts';
import { createCrumbs, TINY, type Crumbs } from './crumbs.ts';
import { createPace, type Pace, type PaceLimits } from './pace.ts';

/** Bytes read ahead of the consumer, so that network, hashing and disk overlap. */
const READ_AHEAD = 512 * 1024;

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

export interface RequestBody {
  readonly bytes: Bytes;
  /** Content-Length; undefined when the length shows only at the end, 0 without a body. */
  readonly declared: number | undefined;
  /** Bytes that have arrived. */
  received(): number;
  /** True once all of it has arrived, whether or not anyone read it. */
  complete(): boolean;
  /** Reads on and drops what comes, until the end, the client's leaving, or `ms`; after `maxBytes` it only waits. */
  discard(maxBytes: number, ms: number): Promise<void>;
}

export interface BodyOptions {
  readonly limits: PaceLimits;
  /** Called before the first byte is waited for: the moment for `100 Continue`. */
  readonly onFirstPull: () => void;
}

/** Wraps the body of `request`. Pulling it throws `BodyIncomplete` when the client breaks off, `BodyTooSlow` when it dawdles. */
export function requestBody(request: IncomingMessage, options: BodyOptions): RequestBody {
  const intake = new Intake(request, options);
  const declared = declaredLength(request);
  return {
    bytes: { [Symbol.asyncIterator]: () => intake },
    declared,
    received: () => intake.received,
    complete: () => request.complete || declared === 0,
    discard: (maxBytes, ms) => intake.discard(maxBytes, ms),
  };
}

/** Intakes by request, for the parser's verdict on what they are reading. */
const intakes = new WeakMap<IncomingMessage, Intake>();

/** Verdicts on bodies of requests that have not begun. */
const verdicts = new WeakMap<IncomingMessage, ArtefactError>();

/** The rest of this body cannot be read: pulling it throws `fault`. */
export function breakBody(request: IncomingMessage, fault: ArtefactError): void {
  const intake = intakes.get(request);
  if (intake) intake.break(fault);
  else verdicts.set(request, fault);
}

function declaredLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}

/**
 * One consumer pulls; the socket is read a little ahead of it. Chunks are the buffers that the parser filled, lent until the next is
 * asked for and then freed at once; only tiny ones are copied.
 */
class Intake implements AsyncIterator<Uint8Array> {
  received = 0;
  readonly #request: IncomingMessage;
  readonly #onFirstPull: () => void;
  readonly #pace: Pace;
  readonly #queue: LentQueue;
  #waking: NodeJS.Immediate | undefined;
  #crumbs: Crumbs | undefined;
  #state: 'untouched' | 'reading' | 'dropping' = 'untouched';
  #failure: ArtefactError | undefined;
  #broken = false;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage, options: BodyOptions) {
    this.#request = request;
    this.#queue = openLentQueue(request, READ_AHEAD);
    this.#onFirstPull = options.onFirstPull;
    this.#pace = createPace(options.limits, (error) => this.#fail(error));
    const over = () => this.#over();
    request.on('end', over).on('error', over).on('close', over);
    intakes.set(request, this);
    const verdict = verdicts.get(request);
    if (verdict) this.break(verdict);
    if (request.destroyed) this.#over();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#queue.free();
    if (this.#state === 'untouched') this.#begin();
    for (;;) {
      if (this.#queue.length === 0) this.#enqueue(this.#crumbs?.sweep());
      if (this.#queue.length > 0) return { done: false, value: this.#queue.take()! };
      if (this.#failure) throw this.#failure;
      if (this.#state === 'dropping' || this.#request.readableEnded) return DONE;
      this.#pace.waitBegins();
      await this.#news();
      this.#pace.waitEnds();
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#drop();
    this.#request.pause();
    return Promise.resolve(DONE);
  }

  async discard(maxBytes: number, ms: number): Promise<void> {
    if (this.#ended()) return;
    if (this.#state === 'untouched') this.#request.on('data', (chunk: Uint8Array) => this.#arrive(chunk));
    this.#drop();
    const enough = this.received + maxBytes;
    const deadline = performance.now() + ms;
    const timer = setTimeout(() => this.#signal(), ms + 1);
    this.#request.resume();
    while (performance.now() < deadline && !this.#ended()) {
      await this.#news();
      if (this.received >= enough) this.#request.pause();
    }
    clearTimeout(timer);
  }

  break(fault: ArtefactError): void {
    this.#pace.stop();
    this.#broken = true;
    this.#fail(fault);
  }

  #ended(): boolean {
    return this.#broken || this.#request.complete || this.#request.destroyed;
  }

  #begin(): void {
    this.#state = 'reading';
    this.#onFirstPull();
    this.#request.on('data', (chunk: Uint8Array) => this.#arrive(chunk));
  }

  #arrive(chunk: Uint8Array): void {
    this.received += chunk.length;
    this.#pace.arrived(chunk.length);
    if (chunk.length < TINY) return this.#arriveTiny(chunk);
    this.#enqueue(this.#crumbs?.sweep());
    this.#enqueue(chunk);
    this.#signal();
  }

  /** Others may be in the same packet; the end of the body, where that is in it too, does not wait. */
  #arriveTiny(chunk: Uint8Array): void {
    this.#crumbs ??= createCrumbs();
    if (this.#crumbs.add(chunk)) this.#enqueue(this.#crumbs.sweep());
    this.#waking ??= setImmediate(() => {
      this.#waking = undefined;
      this.#signal();
    });
  }

  #enqueue(chunk: Uint8Array | undefined): void {
    if (chunk === undefined) return;
    if (this.#state !== 'reading') return freeChunk(chunk);
    this.#queue.push(chunk);
  }

  #drop(): void {
    this.#state = 'dropping';
    this.#queue.drop();
    this.#pace.stop();
  }

  /** The body has ended, well or badly. */
  #over(): void {
    this.#pace.stop();
    if (this.#request.complete) return this.#signal();
    this.#fail(new ArtefactError('BodyIncomplete', 'The connection ended before the whole body had arrived. Send the request again.'));
  }

  #fail(error: ArtefactError): void {
    this.#failure ??= error;
    this.#signal();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
