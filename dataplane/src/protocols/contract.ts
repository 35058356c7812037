/**
 * What a protocol is: a table of operations, a way to recognise one in a request, and a rendering of every error.
 * `http/serve.ts` performs the journey; an operation only describes.
 */
import type { Snapshot } from '@bonded/crds';
import type { Admitted } from '../core/door.ts';
import type { Action, ConditionContext, Resource } from '../authz/action.ts';
import type { Principal } from '../authn/principal.ts';
import type { Actor, Core } from '../core/core.ts';
import type { Digest } from '../core/digest.ts';
import type { ArtefactError } from '../errors.ts';
import type { Bytes } from '../storage/contract.ts';

/** The head of a request, as it came. Header names are lower-cased; repeated ones are joined as RFC 9110 §5.3 says. */
export interface RequestHead {
  /** Unique; rendered, logged and journalled. */
  readonly id: string;
  readonly method: string;
  /** Path and query exactly as sent: signatures are computed over it. */
  readonly target: string;
  /** The part of `target` before `?`, still percent-encoded. */
  readonly rawPath: string;
  /** Query parameters in order, decoded once (`+` is a space); a name without `=` has the value ''. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Every header as sent, in order: [name, value] with the name lower-cased. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  readonly remoteAddress: string;
  /** True over TLS (or behind a trusted proxy that says so). */
  readonly secure: boolean;
  readonly host: string;
}

/** An answer, protocol-rendered. `body` is absent for HEAD, 204 and 304; the edge adds request id, date and connection headers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | Bytes;
}

/** What authentication learned about the body. */
export interface Payload {
  /** Content after all transfer codings of the protocol are taken off and checked (aws-chunked, its signatures). Pull once. */
  readonly bytes: Bytes;
  /** Length in bytes of the content, if the client declared it. */
  readonly length?: number;
  /** Lower-case hex SHA-256 that the request's signature covers: the content must have it, or nothing may happen. */
  readonly signedSha256?: string;
  /** Trailers, lower-cased; complete only after `bytes` ended. */
  readonly trailers: ReadonlyMap<string, string>;
}

/** One request under way, as a handler sees it. */
export interface Call<Params> {
  readonly head: RequestHead;
  readonly params: Params;
  /** The operation's name, such as `s3.PutObject`. */
  readonly operation: string;
  readonly principal: Principal;
  readonly payload: Payload;
  /** The configuration in force for the whole of this request. */
  readonly snapshot: Snapshot;
  /** Aborted when the client goes away or the server must stop. */
  readonly signal: AbortSignal;
  /** Who and what, for the journal: every mutating function of the core asks for it. */
  readonly actor: Actor;
  /** Throws `AccessDenied` unless the principal may. For resources that the request's body or headers name further. */
  authorise(demand: Demand): void;
  /** The same as a question. */
  may(demand: Demand): boolean;
  /** Asks the door about a digest that is about to leave; throws `Held` with what is missing. */
  admit(subject: { readonly digest: Digest; readonly resource: Resource }): Promise<Admitted>;
  /** Sends an interim answer (RFC 9110 §15.2), where the client's version of HTTP has them and the final one is not under way. */
  inform?(status: number, headers: Readonly<Record<string, string>>): void;
  /** For `authenticates: 'handler'`: goes on as this principal (credentials came in the body). */
  become(principal: Principal): void;
}

/** One thing to be allowed: the house's action, the S3 action that policies know it by, and on what. */
export interface Demand {
  readonly action: Action;
  /** Such as `s3:GetObject`. */
  readonly s3Action: string;
  readonly resource: Resource;
  /** Condition keys of this demand only, besides those of the request. */
  readonly context?: ConditionContext;
}

/** One row of a protocol's table. */
export interface Operation<Params> {
  /** `<protocol>.<Operation>`: feeds logs, metrics, traces and the journal. A closed, small set. */
  readonly name: string;
  /**
   * `request`: credentials are in the head, and `demands` are authorised before `handle`.
   * `handler`: credentials are in the body; `handle` itself calls `become` and `authorise`.
   * `public`: anyone may (health, discovery, CORS preflight).
   */
  readonly authenticates: 'request' | 'handler' | 'public';
  /** What must be allowed before `handle` runs. Never empty for `request`, except where the answer itself is filtered. */
  demands(head: RequestHead, params: Params): readonly Demand[];
  handle(call: Call<Params>, core: Core): Promise<Reply>;
}

/** A request that was recognised: its operation and parameters, tied together so that no handler gets another's. */
export interface Recognised<Params> {
  readonly operation: Operation<Params>;
  readonly params: Params;
}

/** What an error is about, for its rendering. */
export interface ErrorContext {
  readonly head: RequestHead;
  readonly operation?: string;
}

export interface Protocol {
  readonly name: string;
  /** The operation a request asks for; throws `RouteUnknown`, `MethodNotAllowed`, `NotImplemented`, `MalformedUri`, … */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each row ties its own parameter type
  recognise(head: RequestHead): Recognised<any>;
  /** Every code, in the protocol's own form. Bodies are dropped for HEAD by the edge. */
  renderError(error: ArtefactError, context: ErrorContext): Reply;
  /**
   * True where tokens count that are good for a few things only (`Principal.limits`). Any other protocol refuses them at the
   * door, also for what their limits cover: a repository is not the object of its name, nor a listing by that prefix.
   */
  readonly takesLimited?: boolean;
  /** Headers that every answer of the protocol carries, such as CORS for this origin and bucket. */
  decorate?(head: RequestHead, snapshot: Snapshot): Readonly<Record<string, string>>;
}
