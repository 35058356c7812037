/** Buckets: one of those that claim a name on the wire gets it. */
import type { CompileOptions } from './compileOptions.ts';
import { conditionOf, deleting, inForce, type Condition } from './condition.ts';
import { wireName, type BucketResource, type SourcedResource } from './resource.ts';
import { oldestFirst } from './seniority.ts';
import type { BucketConfig, Origin } from './snapshot.ts';

interface Claim {
  readonly resource: BucketResource;
  readonly metadata: BucketResource['metadata'];
  readonly origin: Origin;
}

export interface CompiledBuckets {
  /** By name on the wire. */
  readonly configs: ReadonlyMap<string, BucketConfig>;
  readonly conditions: readonly Condition[];
}

/** Compiles the Buckets among the resources, those being deleted included: they hold their names until they are gone. */
export function compileBuckets(resources: readonly SourcedResource[], options: CompileOptions): CompiledBuckets {
  const holders = new Map(
    options.previous?.buckets.map((bucket) => [bucket.name, `${bucket.namespace}/${bucket.resource ?? bucket.name}`]),
  );
  const holds = ({ resource, metadata }: Claim): boolean => holders.get(wireName(resource)) === `${metadata.namespace}/${metadata.name}`;
  const configs = new Map<string, BucketConfig>();
  const taken = new Set<string>();
  const conditions = oldestFirst(claimsOf(resources), holds).map((claim) => {
    const name = wireName(claim.resource);
    if (taken.has(name)) return conditionOf(claim.resource, 'NameTaken', `an older Bucket has the name ${name}; set another spec.name`);
    taken.add(name);
    if (claim.metadata.deletionTimestamp) return deleting(claim.resource);
    const { location } = claim.resource.spec;
    if (!options.locations.includes(location))
      return conditionOf(claim.resource, 'LocationUnknown', locationHelp(location, options.locations));
    configs.set(name, bucketConfig(claim));
    return inForce(claim.resource);
  });
  return { configs, conditions };
}

function claimsOf(resources: readonly SourcedResource[]): readonly Claim[] {
  return resources.flatMap(({ resource, origin }) =>
    resource.kind === 'Bucket' ? [{ resource, metadata: resource.metadata, origin }] : [],
  );
}

function bucketConfig({ resource, metadata, origin }: Claim): BucketConfig {
  const { location, versioning, deletionPolicy, immutability, cors, tags } = resource.spec;
  return {
    name: wireName(resource),
    namespace: metadata.namespace,
    resource: metadata.name,
    origin,
    location,
    versioning,
    immutability: immutability.map(({ match }) => match),
    deletionPolicy,
    cors,
    tags,
  };
}

function locationHelp(location: string, known: readonly string[]): string {
  return `the installation has no storage location ${location}; it has ${known.join(', ')}`;
}
