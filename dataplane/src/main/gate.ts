/** The gate of the journey, out of authentication, authorisation and the door. */
import type { Authenticated, Authenticator } from '../authn/authenticate.ts';
import { openPayload } from '../authn/payload.ts';
import { PLAIN_PAYLOAD, type PayloadAuth } from '../authn/payloadAuth.ts';
import { ANONYMOUS } from '../authn/principal.ts';
import type { ConditionContext } from '../authz/action.ts';
import { authorise, type Decision } from '../authz/authorise.ts';
import { withinLimits } from '../authz/limits.ts';
import { joinContexts, requestContext } from '../authz/requestContext.ts';
import { ArtefactError } from '../errors.ts';
import { admit } from '../evidence/admit.ts';
import type { Asking, Caller, Gate } from '../http/gate.ts';
import { accessKeysIn } from '../protocols/accessKeys.ts';
import type { Demand, RequestHead } from '../protocols/contract.ts';
import type { Log } from '../telemetry/log.ts';

const NO_FACTS: ConditionContext = new Map();

/** Builds it. Reasons of refusals go to the log at `debug`, and never to clients. */
export function createGate(authenticator: Pick<Authenticator, 'authenticate'>, log: Log): Gate {
  const decide = createDecider();
  return {
    authenticate: async (head, snapshot) => callerOf(head, await authenticator.authenticate(head, accessKeysIn(snapshot))),
    unauthenticated: (head) => callerOf(head, { principal: ANONYMOUS, payload: PLAIN_PAYLOAD, conditions: NO_FACTS }),
    authorise(asking, demand) {
      const { allowed, reason } = decide(asking, demand);
      if (allowed) return;
      log.debug(
        { requestId: asking.head.id, principal: asking.principal.id, s3Action: demand.s3Action, resource: demand.resource, reason },
        'denied',
      );
      // So that whoever has a token for less is told to get another.
      const limited = withinLimits(asking.principal, demand) ? {} : { details: { limited: true } };
      throw new ArtefactError('AccessDenied', 'Access Denied', limited);
    },
    may: (asking, demand) => decide(asking, demand).allowed,
    admit: (subject, { principal, snapshot }) => admit(subject, principal, snapshot),
  };
}

function callerOf(
  head: RequestHead,
  authenticated: Pick<Authenticated, 'principal' | 'conditions'> & { readonly payload: PayloadAuth },
): Caller {
  const { principal, conditions } = authenticated;
  return { principal, conditions, open: (body) => openPayload(head, body, authenticated) };
}

/** Facts about a request are gathered when a policy looks at one, and once, however many names its body asks for. */
function createDecider(): (asking: Asking, demand: Demand) => Decision {
  const gathered = new WeakMap<RequestHead, ConditionContext>();
  const factsOf = ({ head, conditions }: Asking): ConditionContext => {
    const known = gathered.get(head);
    if (known) return known;
    const facts = joinContexts(requestContext(head, Date.now()), conditions);
    gathered.set(head, facts);
    return facts;
  };
  return (asking, demand) => {
    const { action, s3Action, resource } = demand;
    let joined: ConditionContext | undefined;
    const context = (): ConditionContext => (joined ??= demand.context ? joinContexts(factsOf(asking), demand.context) : factsOf(asking));
    return authorise(asking.snapshot, asking.principal, { action, s3Action, resource, context });
  };
}
