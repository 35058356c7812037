/** BucketPolicies: one that cannot be compiled closes its bucket, since nobody knows what it would have denied. */
import { reaches } from './compileBindings.ts';
import { conditionOf, inForce, type Condition } from './condition.ts';
import { readPolicyDocument } from './policyDocument.ts';
import { PolicyRefused } from './policyReading.ts';
import type { PolicyDocument } from './policy.ts';
import { identityOf, type BucketPolicyResource, type SourcedResource } from './resource.ts';
import type { BucketConfig, ClosedBucket, PolicyConfig } from './snapshot.ts';

export interface CompiledPolicies {
  readonly configs: readonly PolicyConfig[];
  readonly closed: readonly ClosedBucket[];
  readonly conditions: readonly Condition[];
}

/** Compiles policies over the buckets in force. */
export function compilePolicies(
  policies: readonly (SourcedResource & { readonly resource: BucketPolicyResource })[],
  buckets: ReadonlyMap<string, BucketConfig>,
): CompiledPolicies {
  const configs: PolicyConfig[] = [];
  const closed: ClosedBucket[] = [];
  const conditions = policies.map(({ resource, origin }) => {
    const { bucket, document: written } = resource.spec;
    const { namespace, name } = resource.metadata;
    if (!reaches(namespace, buckets.get(bucket))) return conditionOf(resource, 'BucketMissing', `in reach there is no bucket ${bucket}`);
    const document = documentOrReason(written, bucket);
    if (typeof document === 'string') {
      closed.push({ bucket, reason: `${identityOf(resource)} cannot be compiled: ${document}` });
      return conditionOf(resource, 'DocumentInvalid', `${document} Until it is mended, the bucket is closed.`);
    }
    configs.push({ namespace, name, origin, bucket, document, source: JSON.stringify(written) });
    return inForce(resource);
  });
  return { configs, closed, conditions };
}

function documentOrReason(written: unknown, bucket: string): PolicyDocument | string {
  try {
    return readPolicyDocument(written, bucket);
  } catch (error) {
    if (error instanceof PolicyRefused) return error.message;
    throw error;
  }
}
