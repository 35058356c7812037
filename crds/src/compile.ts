/** The one compiler: from resources to the Snapshot that data-plane pods enforce. Pure; a resource that is not ready holds up no other. */
import { compileAccessKeys } from './compileAccessKeys.ts';
import { compileBindings } from './compileBindings.ts';
import { compileBuckets } from './compileBuckets.ts';
import { compilePolicies } from './compilePolicies.ts';
import type { CompileOptions } from './compileOptions.ts';
import { deleting, type Condition } from './condition.ts';
import type { AccessBindingResource, BucketPolicyResource, Resource, SecretResource, SourcedResource } from './resource.ts';
import { sealSnapshot } from './seal.ts';
import type { Snapshot } from './snapshot.ts';

export interface Compiled {
  readonly snapshot: Snapshot;
  /** One for each resource but Secrets, in the order of their identities. */
  readonly conditions: readonly Condition[];
}

/** Compiles resources that their schema has judged. The same resources in any order make the same snapshot. */
export function compile(resources: readonly SourcedResource[], options: CompileOptions): Compiled {
  const { present, leaving } = sortOut(resources);
  const buckets = compileBuckets(resources, options);
  const bindings = ofKind<AccessBindingResource>(present, 'AccessBinding');
  const secrets = ofKind<SecretResource>(present, 'Secret');
  const keys = compileAccessKeys(secrets, bindings, options);
  const bound = compileBindings(bindings, { buckets: buckets.configs, keys, issuers: options.issuers });
  const policies = compilePolicies(sourcedPolicies(present), buckets.configs);
  const snapshot = sealSnapshot({
    buckets: [...buckets.configs.values()],
    bindings: bound.configs,
    policies: policies.configs,
    accessKeys: bound.accessKeys,
    closed: policies.closed,
  });
  const conditions = [...buckets.conditions, ...bound.conditions, ...policies.conditions, ...leaving.map(deleting)];
  return { snapshot, conditions: conditions.toSorted((a, b) => compareText(identity(a), identity(b))) };
}

/** Whom deletion has not reached yet, and the others but Buckets, which still hold their names. */
function sortOut(resources: readonly SourcedResource[]): {
  readonly present: readonly SourcedResource[];
  readonly leaving: readonly Resource[];
} {
  const isLeaving = ({ resource }: SourcedResource): boolean => typeof resource.metadata.deletionTimestamp === 'string';
  const leaving = resources.filter(isLeaving).map(({ resource }) => resource);
  return {
    present: resources.filter((sourced) => !isLeaving(sourced)),
    leaving: leaving.filter(({ kind }) => kind === 'AccessBinding' || kind === 'BucketPolicy'),
  };
}

function ofKind<Kind extends Resource>(resources: readonly SourcedResource[], kind: Kind['kind']): readonly Kind[] {
  return resources.map(({ resource }) => resource).filter((resource): resource is Kind => resource.kind === kind);
}

function sourcedPolicies(
  resources: readonly SourcedResource[],
): readonly (SourcedResource & { readonly resource: BucketPolicyResource })[] {
  return resources.filter(
    (sourced): sourced is SourcedResource & { resource: BucketPolicyResource } => sourced.resource.kind === 'BucketPolicy',
  );
}

function identity({ kind, namespace, name }: Condition): string {
  return `${kind} ${namespace}/${name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
