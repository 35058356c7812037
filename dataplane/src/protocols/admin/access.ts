/** What the rows ask of authorisation beyond yes and no: filled in from the rules over the snapshot. */
import type { BindingConfig, BucketConfig, Snapshot } from '@bonded/crds';
import type { Principal } from '../../authn/principal.ts';
import { authorise } from '../../authz/authorise.ts';
import { grantsOf } from '../../authz/bindings.ts';
import { requestContext } from '../../authz/requestContext.ts';
import { bucketsVisibleTo } from '../../authz/visible.ts';
import { indexSnapshot } from '../../config/snapshot.ts';
import type { LoadedSnapshot } from '../../config/snapshot.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call } from '../contract.ts';

type Asker = Pick<Call<unknown>, 'head' | 'principal' | 'snapshot'>;

export interface Access {
  /** The bindings that name this principal, in order of namespace and name. */
  readonly bindingsOf: (principal: Principal, snapshot: Snapshot) => readonly BindingConfig[];
  /** The namespace of the binding that lets the caller create the bucket; throws `AccessDenied` when there is none. */
  readonly namespaceFor: (call: Asker, bucket: string) => string;
  /** The buckets that the caller may list, or in which it may read something. */
  readonly visibleBuckets: (call: Asker) => readonly BucketConfig[];
}

/** The rules of `authz/`. `clock` is in ms since the epoch. */
export function createAccess(clock: () => number): Access {
  return {
    bindingsOf: (principal, snapshot) => {
      const grants = grantsOf(loaded(snapshot), principal);
      const named = new Set(grants.map(({ namespace, binding }) => `${namespace}/${binding}`));
      const order = ({ namespace, name }: BindingConfig): string => `${namespace}/${name}`;
      return snapshot.bindings.filter((binding) => named.has(order(binding))).toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
    },
    namespaceFor: ({ principal, snapshot }, bucket) => {
      const demand = { action: 'administer', s3Action: 's3:CreateBucket', resource: { bucket } } as const;
      const { allowed, namespace } = authorise(loaded(snapshot), principal, demand);
      if (allowed && namespace !== undefined) return namespace;
      throw new ArtefactError('AccessDenied', 'No binding lets you create a bucket of this name.');
    },
    visibleBuckets: ({ head, principal, snapshot }) => bucketsVisibleTo(loaded(snapshot), principal, requestContext(head, clock())),
  };
}

const indexed = new WeakMap<Snapshot, LoadedSnapshot>();

/** The edge serves from snapshots that have their indexes; any other gets them here, once. */
function loaded(snapshot: Snapshot): LoadedSnapshot {
  if ('grants' in snapshot) return snapshot as LoadedSnapshot;
  const known = indexed.get(snapshot) ?? indexSnapshot(snapshot);
  indexed.set(snapshot, known);
  return known;
}
