/** From the directory of manifests to what is in force, whichever process does it: nobody ever publishes an older view. */
import {
  compile,
  identityOf,
  withBuiltInOwner,
  type BucketConfig,
  type BucketResource,
  type CompileOptions,
  type Condition,
  type Resource,
} from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { forbiddenChanges, sourced, type LocatedResource, type ManifestReader } from './manifests.ts';
import { showProblem, type ManifestProblem } from './manifestProblem.ts';
import type { RootCredentials } from './rootCredentials.ts';
import type { ConfigStore, Published } from './store.ts';

/** What became of the manifests: in force, or refused as a whole with what was in force before still being so. */
export type Publication = { readonly outcome: 'inForce'; readonly conditions: readonly Condition[] } | Refused;

export interface Refused {
  readonly outcome: 'refused';
  /** `file:line: reason`, each. */
  readonly problems: readonly string[];
}

export interface PublishContext {
  readonly store: ConfigStore;
  readonly reader: ManifestReader;
  readonly root: RootCredentials;
  readonly terms: Pick<CompileOptions, 'issuers' | 'locations'>;
}

/** Resources that this process has put in force as they are: a manifest that did not change is the same object again. */
const published = new WeakSet<Resource>();

/** Other processes may be first this many times in a row before it is a fault. */
const MAX_ROUNDS = 100;

/**
 * Reads the manifests and puts them in force. The counter is read before the directory: when somebody else published
 * meanwhile, what was read may be older than what is in force, and is read again.
 */
export async function publishManifests(context: PublishContext): Promise<Publication> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const publication = await tryToPublish(context);
    if (publication) return publication;
  }
  throw new ArtefactError('SlowDown', 'The configuration is being changed by too many at once. Please try again.');
}

/** Undefined when another process published meanwhile. */
async function tryToPublish({ store, reader, root, terms }: PublishContext): Promise<Publication | undefined> {
  const before = store.counter();
  const former = store.load();
  const { resources, problems } = await reader.read();
  const wrong = problems.length > 0 ? problems : changesRefused(resources, former?.snapshot.buckets ?? []);
  if (store.counter() !== before) return undefined;
  if (wrong.length > 0) return refuse(store, wrong.map(showProblem));
  const options: CompileOptions = { ...terms, reservedAccessKeys: [root.accessKeyId], ...(former && { previous: former.snapshot }) };
  const { snapshot, conditions } = compile(resources.map(sourced), options);
  const next: Published = { snapshot: withBuiltInOwner(snapshot, root), conditions };
  if (!isSame(former, next) && !store.publish(before, next)) return undefined;
  store.reportProblems([]);
  for (const { resource } of resources) published.add(resource);
  return { outcome: 'inForce', conditions };
}

/** Gives what is in force the Owner key of today, for the case that the manifests are broken at the moment. */
export function renewBuiltInOwner(store: ConfigStore, root: RootCredentials): void {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const former = store.load();
    if (!former) return;
    const snapshot = withBuiltInOwner(former.snapshot, root);
    if (snapshot.revision === former.snapshot.revision || store.publish(former.counter, { ...former, snapshot })) return;
  }
}

function refuse(store: ConfigStore, problems: readonly string[]): Refused {
  store.reportProblems(problems);
  return { outcome: 'refused', problems };
}

function isSame(former: Published | undefined, next: Published): boolean {
  return former?.snapshot.revision === next.snapshot.revision && JSON.stringify(former.conditions) === JSON.stringify(next.conditions);
}

function changesRefused(resources: readonly LocatedResource[], buckets: readonly BucketConfig[]): readonly ManifestProblem[] {
  const changed = resources.filter(({ resource }) => resource.kind === 'Bucket' && !published.has(resource));
  return changed.length === 0 ? [] : forbiddenChanges(changed, formerBuckets(buckets));
}

/** The Buckets that were in force, as resources, for the rules about changes. */
function formerBuckets(buckets: readonly BucketConfig[]): ReadonlyMap<string, Resource> {
  return new Map(
    buckets.map((bucket) => {
      const resource = bucketResource(bucket);
      return [identityOf(resource), resource];
    }),
  );
}

/** The resource that a bucket's configuration stands for. */
export function bucketResource(bucket: BucketConfig): BucketResource {
  const { name, location, versioning, deletionPolicy, immutability, cors, tags } = bucket;
  return {
    kind: 'Bucket',
    metadata: { name: bucket.resource ?? name, namespace: bucket.namespace },
    spec: {
      name,
      location,
      versioning,
      deletionPolicy,
      immutability: immutability.map((match) => ({ match })),
      cors: cors as BucketResource['spec']['cors'],
      tags: { ...tags },
    },
  };
}
