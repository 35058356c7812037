/**
 * The one decision: may this principal do that? Deny unless allowed. An explicit Deny of a policy wins over everything; a
 * binding or an Allow lets in; nothing matched means no. What is outside the limits that a principal came with is denied
 * before all that, whatever it may.
 */
import { actionScope, ROOT_NAME, SYSTEM_NAMESPACE } from '@bonded/crds';
import type { Principal } from '../authn/principal.ts';
import type { Grant } from '../config/grants.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import type { Action, ConditionContext, Resource } from './action.ts';
import { covers, grantsOf, grantsOn, type Place } from './bindings.ts';
import { askPolicies, type HeldRoles, type PolicyTarget } from './bucketPolicy.ts';
import { factsOf } from './facts.ts';
import { withinLimits } from './limits.ts';
import { roleAllows } from './roles.ts';

/** What is to be allowed. */
export interface AccessDemand {
  readonly action: Action;
  /** Such as `s3:GetObject`; it says whether `resource.name` is a name, or the prefix of a listing. */
  readonly s3Action: string;
  readonly resource: Resource;
  /** Condition keys of the request and of this demand together; a function is called only when a policy looks at one. */
  readonly context?: ConditionContext | (() => ConditionContext);
}

export interface Decision {
  readonly allowed: boolean;
  /** For the log, never for clients. */
  readonly reason: string;
  /** The tenant of the binding that allowed it; for CreateBucket the namespace that the bucket is to stand in. */
  readonly namespace?: string;
}

/** Where a bucket stands that is made with a binding of Bonded's own namespace. */
const DEFAULT_NAMESPACE = 'default';

/** How the built-in Owner gets out of a policy that locks everybody out (as the root user of an AWS account does). */
const POLICY_ACTIONS = ['s3:getbucketpolicy', 's3:putbucketpolicy', 's3:deletebucketpolicy', 's3:getbucketpolicystatus'];

/** Decides. Pure. */
export function authorise(snapshot: LoadedSnapshot, principal: Principal, demand: AccessDemand): Decision {
  const { action, resource } = demand;
  if (!withinLimits(principal, demand)) return denied('the token is not good for it');
  if (principal.kind === 'anonymous' && action === 'administer') return denied('nobody without credentials administers');
  if (resource.bucket === undefined) return overInstallation(snapshot, principal, action);
  const s3Action = demand.s3Action.toLowerCase();
  const scope = actionScope(s3Action);
  if (scope === undefined) return denied(`the action ${demand.s3Action} is not known`);
  if (s3Action === 's3:createbucket') return creation(snapshot, principal, resource.bucket);
  const bucket = snapshot.bucketsByName.get(resource.bucket);
  const place = { scope, ...(resource.name !== undefined && { name: resource.name }) };
  if (!bucket) return onMissingBucket(snapshot, principal, { action, bucket: resource.bucket, place });
  return onBucket(snapshot, principal, { ...demand, s3Action, place: { bucket, ...place } });
}

function onBucket(snapshot: LoadedSnapshot, principal: Principal, demand: AccessDemand & { readonly place: Place }): Decision {
  const { place, s3Action, action } = demand;
  if (isRoot(principal) && POLICY_ACTIONS.includes(s3Action))
    return { allowed: true, reason: 'the built-in Owner may always mend a policy', namespace: SYSTEM_NAMESPACE };
  const closed = snapshot.closedBuckets.get(place.bucket.name);
  if (closed !== undefined) return denied(`the bucket is closed: ${closed}`);
  const grants = grantsOn(snapshot, principal, place.bucket);
  const answer = askPolicies(snapshot.policiesByBucket.get(place.bucket.name) ?? [], {
    principal,
    roles: rolesOf(grants, place),
    s3Action,
    target: targetOf(place, 'every'),
    facts: factsOf(principal, demand.context),
  });
  if (answer?.effect === 'Deny') return denied(`denied by policy ${answer.statement}`);
  const grant = grants.find((one) => roleAllows(one.role, action) && covers(one, place));
  if (grant) return granted(grant);
  return answer ? { allowed: true, reason: `allowed by policy ${answer.statement}` } : denied('no binding or policy allows it');
}

/** Roles are looked for only when a policy asks for them. */
export function rolesOf(grants: readonly Grant[], place: Place): HeldRoles {
  return {
    onBucket: () => new Set(grants.map(({ role }) => role)),
    onPlace: () => new Set(grants.filter((grant) => covers(grant, place)).map(({ role }) => role)),
  };
}

/** What policies know a place by. */
export function targetOf({ bucket, scope, name }: Place, which: 'every' | 'some'): PolicyTarget {
  if (scope === 'bucket') return { kind: 'bucket', bucket: bucket.name };
  return name === undefined ? { kind: 'names', bucket: bucket.name, which } : { kind: 'name', bucket: bucket.name, name };
}

/**
 * Over everything at once: lists are answered to whoever has credentials, since each bucket in the answer is asked for on
 * its own; the rest is for bindings of Bonded's own namespace that are not limited to buckets.
 */
function overInstallation(snapshot: LoadedSnapshot, principal: Principal, action: Action): Decision {
  if (action === 'list') {
    return principal.kind === 'anonymous'
      ? denied('lists of buckets need credentials')
      : { allowed: true, reason: 'the answer is filtered' };
  }
  const grant = grantsOf(snapshot, principal).find(
    ({ namespace, resources, role }) => namespace === SYSTEM_NAMESPACE && resources === undefined && roleAllows(role, action),
  );
  return grant ? granted(grant) : denied('no binding reaches the whole installation');
}

/**
 * An Owner of all of a namespace, or of just this name, may make the bucket there. A binding that names it comes first,
 * then teams before Bonded's own namespace, then the order of namespaces.
 */
function creation(snapshot: LoadedSnapshot, principal: Principal, bucket: string): Decision {
  const owners = grantsOf(snapshot, principal).filter((grant) => roleAllows(grant.role, 'administer') && isWhole(grant, bucket));
  const rank = ({ namespace, resources }: Grant): string => `${resources ? 0 : 1}${namespace === SYSTEM_NAMESPACE ? 1 : 0}${namespace}`;
  const [first] = owners.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  if (!first) return denied('no Owner binding allows a bucket of this name');
  return { ...granted(first), namespace: first.namespace === SYSTEM_NAMESPACE ? DEFAULT_NAMESPACE : first.namespace };
}

/**
 * That there is no such bucket is told to those whom a bucket of this name would let in: bindings that name it, those of
 * Bonded's own namespace, and Owners who may make it. To others it is as one that they may not see.
 */
function onMissingBucket(
  snapshot: LoadedSnapshot,
  principal: Principal,
  { action, bucket, place }: { readonly action: Action; readonly bucket: string; readonly place: Omit<Place, 'bucket'> },
): Decision {
  const grant = grantsOf(snapshot, principal).find((one) => {
    if (!roleAllows(one.role, action)) return false;
    const known = one.namespace === SYSTEM_NAMESPACE || one.resources !== undefined || one.role === 'Owner';
    return known && covers(one, { bucket: { name: bucket, namespace: one.namespace }, ...place });
  });
  return grant ? granted(grant) : denied('there is no such bucket, and nothing would allow it');
}

function isWhole({ resources }: Grant, bucket: string): boolean {
  return resources === undefined || resources.get(bucket) === 'all';
}

/** The key that was made at the first start, and no other of that name: no Secret of a manifest can be called so. */
export function isRoot({ accessKey }: Principal): boolean {
  return accessKey?.namespace === SYSTEM_NAMESPACE && accessKey.secretName === ROOT_NAME;
}

function granted({ namespace, binding, role }: Grant): Decision {
  return { allowed: true, reason: `${role} by binding ${namespace}/${binding}`, namespace };
}

function denied(reason: string): Decision {
  return { allowed: false, reason };
}
