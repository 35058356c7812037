/** What is known of a request for the conditions of policies: facts of the request, of the operation, and of who asks. */
import type { Principal } from '../authn/principal.ts';
import type { ConditionContext } from './action.ts';
import { lowerCasedClaims } from './claims.ts';

/** The values of a lower-cased condition key; undefined when the request has none. */
export type Facts = (key: string) => readonly string[] | undefined;

/** All facts together. Who asks is taken from the principal alone, whatever the context says. */
export function factsOf(principal: Principal, context: ConditionContext | (() => ConditionContext) | undefined): Facts {
  return (key) => {
    const values = isAboutPrincipal(key) ? principalFact(principal, key) : gathered(context)?.get(key);
    return values?.length === 0 ? undefined : values;
  };
}

function gathered(context: ConditionContext | (() => ConditionContext) | undefined): ConditionContext | undefined {
  return typeof context === 'function' ? context() : context;
}

const CLAIM = 'bonded:claim/';

function isAboutPrincipal(key: string): boolean {
  return key.startsWith(CLAIM) || key === 'aws:username' || key === 'aws:userid' || key === 'aws:principaltype';
}

/**
 * `aws:userid` is the principal's id. `aws:username` is the id of an access key, which is unique and free of `/`; bearers of
 * tokens have none, as federated users have none in AWS: their names are in `bonded:claim/…`.
 */
function principalFact(principal: Principal, key: string): readonly string[] | undefined {
  if (key === 'aws:userid') return [principal.id];
  if (key === 'aws:username') return principal.accessKey && [principal.accessKey.accessKeyId];
  if (key === 'aws:principaltype') return [PRINCIPAL_TYPES[principal.kind]];
  return lowerCasedClaims(principal).get(key.slice(CLAIM.length));
}

/** In AWS's words. */
const PRINCIPAL_TYPES: Readonly<Record<Principal['kind'], string>> = { anonymous: 'Anonymous', accessKey: 'User', oidc: 'FederatedUser' };
