/**
 * Changes through the API, written as manifests. One writer on the machine at a time; a change is in force in every
 * process before its promise resolves, and where it cannot come into force, it is taken back and refused.
 *
 * While the directory holds a broken manifest of somebody else, nothing new comes into force, so every change is refused
 * with `Unavailable` and the place that is broken.
 */
import {
  bucketNameProblem,
  parsePolicyDocument,
  PolicyRefused,
  type BucketConfig,
  type Condition,
  type Origin,
  type PolicyConfig,
  type Snapshot,
} from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { judged, newManifest, type ApiManifests, type ManifestValue, type Undo } from './apiManifests.ts';
import type { WriterLock } from './lock.ts';
import type { Publication } from './publish.ts';

/** What may be changed of a bucket through the API; what is absent stays. */
export interface WritableSettings {
  readonly versioning?: 'Enabled' | 'Suspended';
  readonly cors?: BucketConfig['cors'];
  readonly tags?: BucketConfig['tags'];
}

export interface ManifestWriter {
  /** Throws `InvalidBucketName`, `BucketTaken`. `namespace` is the tenant it belongs to; `settings` hold from the first moment. */
  createBucket(name: string, namespace: string, settings?: WritableSettings): Promise<void>;
  /** With its policy, if that is the API's too. Throws `BucketUnknown`, `ManagedElsewhere`. */
  deleteBucket(name: string): Promise<void>;
  /** Throws `BucketUnknown`, `ManagedElsewhere`, `InvalidArgument`. */
  updateBucket(name: string, settings: WritableSettings): Promise<void>;
  /** Replaces the bucket's policy. Throws `BucketUnknown`, `InvalidPolicy`, `ManagedElsewhere` when the policy is somebody else's. */
  putPolicy(bucket: string, document: string): Promise<void>;
  /** Succeeds when there is none. Throws `BucketUnknown`, `ManagedElsewhere`. */
  deletePolicy(bucket: string): Promise<void>;
}

export interface WriterContext {
  readonly manifests: ApiManifests;
  readonly lock: WriterLock;
  publish(): Promise<Publication>;
  /** What is in force; called after a publication only. */
  snapshot(): Snapshot;
}

/** One change of files: made on top of what is in force. */
interface Change {
  readonly undo: Undo;
  /** The resource that must be ready when the change is in force. */
  readonly resource?: ManifestValue;
}

/** Makes the writer. */
export function createManifestWriter(context: WriterContext): ManifestWriter {
  const { manifests } = context;
  return {
    createBucket: (name, namespace, settings) =>
      change(context, (snapshot) => createBucket(manifests, snapshot, { name, namespace, settings })),
    deleteBucket: (name) => change(context, (snapshot) => deleteBucket(manifests, ownBucket(manifests, snapshot, name))),
    updateBucket: (name, settings) =>
      change(context, (snapshot) => updateBucket(manifests, ownBucket(manifests, snapshot, name), settings)),
    putPolicy: async (name, text) => {
      const document = policyOf(text, name);
      await change(context, (snapshot) => putPolicy(manifests, snapshot, findBucket(snapshot, name), document));
    },
    deletePolicy: (name) => change(context, (snapshot) => deletePolicy(manifests, snapshot, findBucket(snapshot, name))),
  };
}

function change(context: WriterContext, make: (snapshot: Snapshot) => Promise<Change>): Promise<void> {
  return context.lock.hold(async () => {
    requireInForce(await context.publish());
    const { undo, resource } = await make(context.snapshot());
    try {
      const conditions = requireInForce(await context.publish());
      if (resource) requireReady(resource, conditions);
    } catch (error) {
      await takeBack(context, undo, error);
      throw error;
    }
  });
}

/** Whatever happens, the caller is told why the change was refused. */
async function takeBack(context: WriterContext, undo: Undo, refusal: unknown): Promise<void> {
  try {
    await undo();
    await context.publish();
  } catch (error) {
    throw new ArtefactError(
      'Unavailable',
      'A change that did not come into force could not be taken back; look at the manifests of the API.',
      {
        cause: new AggregateError([refusal, error]),
      },
    );
  }
}

function requireInForce(publication: Publication): readonly Condition[] {
  if (publication.outcome === 'inForce') return publication.conditions;
  throw new ArtefactError(
    'Unavailable',
    `The configuration cannot be changed while a manifest is broken: ${publication.problems[0] ?? ''}.`,
  );
}

function requireReady({ kind, metadata }: ManifestValue, conditions: readonly Condition[]): void {
  const { namespace, name } = metadata;
  const condition = conditions.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);
  if (condition?.ready) return;
  if (condition?.reason === 'NameTaken') throw taken();
  throw new ArtefactError('Unavailable', `The change did not come into force: ${condition?.message ?? 'it was removed meanwhile'}.`);
}

async function createBucket(
  manifests: ApiManifests,
  snapshot: Snapshot,
  { name, namespace, settings = {} }: { readonly name: string; readonly namespace: string; readonly settings?: WritableSettings },
): Promise<Change> {
  const problem = bucketNameProblem(name);
  if (problem !== undefined) throw new ArtefactError('InvalidBucketName', `The specified bucket is not valid: ${problem}.`);
  if (snapshot.buckets.some((bucket) => bucket.name === name)) throw taken();
  const resource = newManifest('Bucket', { namespace, name }, specWith({}, settings));
  judged(resource);
  // A policy that outlived an earlier bucket of this name must not greet the new one.
  await manifests.remove('BucketPolicy', namespace, name);
  const undo = await manifests.create(resource);
  if (!undo) throw taken();
  return { undo, resource };
}

async function deleteBucket(manifests: ApiManifests, { namespace, resource, name }: BucketConfig): Promise<Change> {
  // The bucket first: it must never be reachable without what its policy denies.
  const bucket = await manifests.remove('Bucket', namespace, resource ?? name);
  const policy = await manifests.remove('BucketPolicy', namespace, name);
  return {
    undo: async () => {
      await policy();
      await bucket();
    },
  };
}

async function updateBucket(manifests: ApiManifests, bucket: BucketConfig, settings: WritableSettings): Promise<Change> {
  const before = await manifests.read('Bucket', bucket.namespace, bucket.resource ?? bucket.name);
  if (!before) throw elsewhere(bucket.origin, 'The bucket');
  const resource = { ...before, spec: specWith(before.spec, settings) };
  judged(resource);
  return { undo: await manifests.replace(resource), resource };
}

async function putPolicy(manifests: ApiManifests, snapshot: Snapshot, bucket: BucketConfig, document: unknown): Promise<Change> {
  requireOwnPolicy(manifests, snapshot, bucket);
  const resource = newManifest('BucketPolicy', { namespace: bucket.namespace, name: bucket.name }, { bucket: bucket.name, document });
  return { undo: await manifests.replace(resource), resource };
}

async function deletePolicy(manifests: ApiManifests, snapshot: Snapshot, bucket: BucketConfig): Promise<Change> {
  requireOwnPolicy(manifests, snapshot, bucket);
  return { undo: await manifests.remove('BucketPolicy', bucket.namespace, bucket.name) };
}

/** The policies that stand beside the bucket in its namespace: what the bucket's owner sees as its policy. */
function policiesBeside(snapshot: Snapshot, bucket: BucketConfig): readonly PolicyConfig[] {
  return snapshot.policies.filter((policy) => policy.bucket === bucket.name && policy.namespace === bucket.namespace);
}

function requireOwnPolicy(manifests: ApiManifests, snapshot: Snapshot, bucket: BucketConfig): void {
  const own = manifests.place('BucketPolicy', bucket.namespace, bucket.name);
  const others = policiesBeside(snapshot, bucket).find(({ origin }) => origin.managedBy !== 'api' || origin.owner !== own);
  if (others) throw elsewhere(others.origin, "The bucket's policy");
}

function findBucket(snapshot: Snapshot, name: string): BucketConfig {
  const bucket = snapshot.buckets.find((one) => one.name === name);
  if (!bucket) throw new ArtefactError('BucketUnknown', 'The specified bucket does not exist.');
  return bucket;
}

function ownBucket(manifests: ApiManifests, snapshot: Snapshot, name: string): BucketConfig {
  const bucket = findBucket(snapshot, name);
  const own = manifests.place('Bucket', bucket.namespace, bucket.resource ?? name);
  if (bucket.origin.managedBy !== 'api' || bucket.origin.owner !== own) throw elsewhere(bucket.origin, 'The bucket');
  return bucket;
}

function elsewhere({ owner }: Origin, what: string): ArtefactError {
  return new ArtefactError('ManagedElsewhere', `${what} is managed by ${owner}; change it there.`, { details: { owner } });
}

function taken(): ArtefactError {
  return new ArtefactError('BucketTaken', 'The requested bucket name is not available. Choose another.');
}

/** Empty settings are left out, as their authors would. */
function specWith(spec: ManifestValue['spec'], { versioning, cors, tags }: WritableSettings): ManifestValue['spec'] {
  const next: Record<string, unknown> = { ...spec };
  if (versioning !== undefined) next.versioning = versioning;
  if (cors !== undefined) next.cors = cors;
  if (tags !== undefined) next.tags = tags;
  if (cors?.length === 0) delete next.cors;
  if (tags !== undefined && Object.keys(tags).length === 0) delete next.tags;
  return next;
}

/** The document as data, once it is known to be a policy of the bucket. */
function policyOf(text: string, bucket: string): unknown {
  try {
    parsePolicyDocument(text, bucket);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof PolicyRefused) throw new ArtefactError('InvalidPolicy', error.message);
    throw error;
  }
}
