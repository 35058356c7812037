/** One request and its answer under way: what the journey, the response and the access log share. */
import type { Snapshot } from '@bonded/crds';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../authn/principal.ts';
import { ANONYMOUS } from '../authn/principal.ts';
import { ArtefactError } from '../errors.ts';
import type { RequestHead } from '../protocols/contract.ts';
import { requestBody, type RequestBody } from './body.ts';
import type { ReceivedHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import type { Mount } from './mount.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly mount: Mount;
  readonly head: RequestHead;
  /** What is wrong with the head; such a request gets this answer and nothing else. */
  readonly fault: ArtefactError | undefined;
  readonly body: RequestBody;
  /** The configuration in force for the whole of this request. */
  readonly snapshot: Snapshot;
  /** Aborted when the client goes away, also because the server closed its connection. */
  readonly signal: AbortSignal;
  readonly began: number;
  /** True when the connection went before the answer was complete. */
  aborted(): boolean;
  // What is learned on the way:
  traceId: string | undefined;
  operation: string | undefined;
  principal: Principal;
  error: ArtefactError | undefined;
  bytesOut: number;
}

export interface ExchangeOptions {
  readonly limits: HttpLimits;
  readonly snapshot: Snapshot;
  /** A body is being waited for. */
  readonly onUpload: () => void;
}

/** Begins an exchange. */
export function openExchange(
  messages: { readonly request: IncomingMessage; readonly response: ServerResponse },
  received: ReceivedHead,
  mount: Mount,
  options: ExchangeOptions,
): Exchange {
  const { request, response } = messages;
  const body = requestBody(request, {
    limits: options.limits,
    onFirstPull() {
      // RFC 9110 §10.1.1: only now is it known that the body is wanted.
      if (expectsContinue(received.head) && !response.headersSent) response.writeContinue();
      if (body.declared !== 0) options.onUpload();
    },
  });
  const signal = lazySignal(response);
  return {
    request,
    response,
    mount,
    head: received.head,
    fault: received.fault,
    body,
    snapshot: options.snapshot,
    began: performance.now(),
    aborted: () => response.destroyed && !response.writableFinished,
    traceId: undefined,
    operation: undefined,
    principal: ANONYMOUS,
    error: undefined,
    bytesOut: 0,
    get signal() {
      return signal();
    },
  };
}

function expectsContinue(head: RequestHead): boolean {
  return head.headers['expect']?.toLowerCase() === '100-continue';
}

/** Few operations ask for it, so it is made when asked for. */
function lazySignal(response: ServerResponse): () => AbortSignal {
  let controller: AbortController | undefined;
  const abort = () => {
    if (!response.writableFinished)
      controller?.abort(new ArtefactError('BodyIncomplete', 'The client left before the answer was complete.'));
  };
  response.on('close', abort);
  return () => {
    controller ??= new AbortController();
    if (response.destroyed) abort();
    return controller.signal;
  };
}
