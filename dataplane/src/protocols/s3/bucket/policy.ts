/** The bucket policy through S3: the tenant's own document. What the installation lays down above it is not shown, and holds. */
import { MAX_POLICY_BYTES } from '@bonded/crds';
import type { BucketConfig, PolicyConfig, Snapshot } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { readBody } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { s3Error } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { noContent } from '../replies.ts';

export async function getPolicy(call: Call<BucketParams>): Promise<Reply> {
  const policies = ownPolicies(call.snapshot, bucketOf(call));
  if (policies.length === 0) throw noPolicy();
  return { status: 200, headers: { 'content-type': 'application/json' }, body: documentOf(policies) };
}

/** Replaces the document; throws `InvalidPolicy`, and `ManagedElsewhere` where Git has the say. */
export async function putPolicy(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  await core.configuration.putPolicy(bucket, decodeDocument(await readBody(call, MAX_POLICY_BYTES)), call.actor);
  return noContent();
}

/** Deleting what is not there succeeds, as in S3. */
export async function deletePolicy(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  if (ownPolicies(call.snapshot, bucket).length > 0) await core.configuration.deletePolicy(bucket, call.actor);
  return noContent();
}

/** S3's NoSuchBucketPolicy. */
export function noPolicy(): ArtefactError {
  return s3Error('SettingUnset', 'NoSuchBucketPolicy', 'The bucket policy does not exist');
}

/** Policies of the bucket's own tenant on it. */
export function ownPolicies(snapshot: Snapshot, { name, namespace }: BucketConfig): readonly PolicyConfig[] {
  return snapshot.policies.filter((policy) => policy.bucket === name && policy.namespace === namespace);
}

/** One document as it was written; several (only manifests can make them) as one with all statements. */
function documentOf(policies: readonly PolicyConfig[]): string {
  const [first, ...others] = policies.map(sourceOf);
  if (others.length === 0) return first!;
  const documents = policies.map((policy) => JSON.parse(sourceOf(policy)) as { Version?: string; Statement: unknown });
  return JSON.stringify({ Version: documents[0]!.Version, Statement: documents.flatMap(({ Statement }) => Statement) });
}

function sourceOf({ source, namespace, name }: PolicyConfig): string {
  if (source === undefined) throw new Error(`the snapshot has no source of the BucketPolicy ${namespace}/${name}`);
  return source;
}

function decodeDocument(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ArtefactError('InvalidPolicy', 'Policies must be valid JSON in UTF-8 and the first byte must be {');
  }
}
