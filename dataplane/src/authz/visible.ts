/** Which buckets a principal gets to see in a list of buckets. */
import type { BucketConfig } from '@bonded/crds';
import type { Principal } from '../authn/principal.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import type { ConditionContext } from './action.ts';
import { authorise, rolesOf, targetOf } from './authorise.ts';
import { grantsOn, type Place } from './bindings.ts';
import { askPolicies } from './bucketPolicy.ts';
import { factsOf } from './facts.ts';

/**
 * The buckets that the principal may list, or in which it may read at least something, in the order of their names. None
 * to one with limits, which are never about a bucket.
 */
export function bucketsVisibleTo(snapshot: LoadedSnapshot, principal: Principal, context?: ConditionContext): readonly BucketConfig[] {
  if (principal.limits !== undefined) return [];
  return snapshot.buckets.filter(
    (bucket) => mayList(snapshot, principal, { bucket, context }) || mayReadSome(snapshot, principal, { bucket, context }),
  );
}

interface Asked {
  readonly bucket: BucketConfig;
  readonly context: ConditionContext | undefined;
}

function mayList(snapshot: LoadedSnapshot, principal: Principal, { bucket, context }: Asked): boolean {
  const demand = { action: 'list', s3Action: 's3:ListBucket', resource: { bucket: bucket.name } } as const;
  return authorise(snapshot, principal, { ...demand, ...(context && { context }) }).allowed;
}

/** Every role reads, so any binding that reaches the bucket is enough, unless a policy denies all that is in it. */
function mayReadSome(snapshot: LoadedSnapshot, principal: Principal, { bucket, context }: Asked): boolean {
  if (snapshot.closedBuckets.has(bucket.name)) return false;
  const grants = grantsOn(snapshot, principal, bucket);
  const place: Place = { bucket, scope: 'object' };
  const answer = askPolicies(snapshot.policiesByBucket.get(bucket.name) ?? [], {
    principal,
    roles: rolesOf(grants, place),
    s3Action: 's3:getobject',
    target: targetOf(place, 'some'),
    facts: factsOf(principal, context),
  });
  return answer ? answer.effect === 'Allow' : grants.length > 0;
}
