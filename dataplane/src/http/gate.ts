/** What the journey asks of authentication, authorisation and the door. The house fills it in; tests put stubs here. */
import type { Principal } from '../authn/principal.ts';
import type { ConditionContext } from '../authz/action.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import type { Admitted } from '../core/door.ts';
import type { Call, Demand, Payload, RequestHead } from '../protocols/contract.ts';
import type { Bytes } from '../storage/contract.ts';

/** Who sent a head, and how the body that follows is to be opened. */
export interface Caller {
  readonly principal: Principal;
  /** Facts about the credential, for the conditions of policies. */
  readonly conditions: ConditionContext;
  /** Takes the protocol's own codings off and checks what the credential covers. Call once. */
  open(body: Bytes): Payload;
}

export interface Gate {
  /** Who the credentials in the head belong to; throws when they are wrong, and answers ANONYMOUS only where there are none. */
  authenticate(head: RequestHead, snapshot: LoadedSnapshot): Promise<Caller>;
  /** For operations that look for no credentials in the head. */
  unauthenticated(head: RequestHead): Caller;
  /** Throws `AccessDenied` unless it is allowed. */
  authorise(asking: Asking, demand: Demand): void;
  may(asking: Asking, demand: Demand): boolean;
  admit(subject: Parameters<Call<unknown>['admit']>[0], asking: Asking): Promise<Admitted>;
}

/** Who asks, under which configuration. */
export interface Asking {
  readonly principal: Principal;
  readonly conditions: ConditionContext;
  readonly head: RequestHead;
  readonly snapshot: LoadedSnapshot;
}
