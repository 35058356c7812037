/** What the journey asks of authentication, authorisation and the door. The house fills it in; tests put stubs here. */
import type { Snapshot } from '@bonded/crds';
import type { Principal } from '../authn/principal.ts';
import type { Call, Demand, Payload, RequestHead } from '../protocols/contract.ts';
import type { Admitted } from '../core/door.ts';
import type { Bytes } from '../storage/contract.ts';

/** Who sent a head, and how the body that follows is to be opened. */
export interface Caller {
  readonly principal: Principal;
  /** Takes the protocol's own codings off and checks what the credential covers. Call once. */
  open(body: Bytes): Payload;
}

export interface Gate {
  /** Who the credentials in the head belong to; throws when they are wrong, and answers ANONYMOUS only where there are none. */
  authenticate(head: RequestHead, snapshot: Snapshot): Promise<Caller>;
  /** For operations that look for no credentials in the head. */
  unauthenticated(head: RequestHead): Caller;
  /** Throws `AccessDenied` unless it is allowed. */
  authorise(request: Asking, demand: Demand): void;
  may(request: Asking, demand: Demand): boolean;
  admit(subject: Parameters<Call<unknown>['admit']>[0], request: Asking): Promise<Admitted>;
}

/** Who asks, under which configuration. */
export interface Asking {
  readonly principal: Principal;
  readonly head: RequestHead;
  readonly snapshot: Snapshot;
}
