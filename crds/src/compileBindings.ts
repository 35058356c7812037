/** AccessBindings: in force only when every subject can be known. */
import type { CompileOptions } from './compileOptions.ts';
import { secretsOf, type AccessKeys } from './compileAccessKeys.ts';
import { conditionOf, inForce, type Condition } from './condition.ts';
import type { AccessBindingResource } from './resource.ts';
import { SYSTEM_NAMESPACE, type AccessKeyConfig, type BindingConfig, type BucketConfig, type Subject } from './snapshot.ts';

interface Surroundings {
  readonly buckets: ReadonlyMap<string, BucketConfig>;
  readonly keys: AccessKeys;
  readonly issuers: CompileOptions['issuers'];
}

export interface CompiledBindings {
  readonly configs: readonly BindingConfig[];
  /** Of the bindings in force. */
  readonly accessKeys: readonly AccessKeyConfig[];
  readonly conditions: readonly Condition[];
}

/**
 * Compiles bindings. One with a subject that cannot be known is not in force at all. One that names a bucket which is not
 * there is in force (its Owners may create that bucket), and says so.
 */
export function compileBindings(bindings: readonly AccessBindingResource[], surroundings: Surroundings): CompiledBindings {
  const configs: BindingConfig[] = [];
  const accessKeys = new Map<string, AccessKeyConfig>();
  const conditions = bindings.map((binding) => {
    const refusal = issuerRefusal(binding, surroundings) ?? keyRefusal(binding, surroundings);
    if (refusal) return refusal;
    configs.push(bindingConfig(binding));
    for (const key of keysOf(binding, surroundings)) accessKeys.set(key.accessKeyId, key);
    return missingBuckets(binding, surroundings) ?? inForce(binding);
  });
  return { configs, accessKeys: [...accessKeys.values()], conditions };
}

function issuerRefusal(binding: AccessBindingResource, { issuers }: Surroundings): Condition | undefined {
  const trusted = new Set(issuers.map(({ issuer }) => issuer));
  const stranger = binding.spec.subjects.find(({ oidc }) => oidc && !trusted.has(oidc.issuer))?.oidc;
  if (stranger) return conditionOf(binding, 'IssuerNotTrusted', `the installation does not trust the issuer ${stranger.issuer}`);
  const needsCluster = binding.spec.subjects.some(({ serviceAccount }) => serviceAccount);
  if (!needsCluster || issuers.some(({ kubernetes }) => kubernetes)) return undefined;
  return conditionOf(binding, 'IssuerNotTrusted', 'the installation trusts no issuer of Kubernetes service accounts');
}

function keyRefusal(binding: AccessBindingResource, { keys }: Surroundings): Condition | undefined {
  for (const secret of secretsOf(binding)) {
    const outcome = keys.get(secret);
    if (!outcome) return conditionOf(binding, 'SecretMissing', `there is no Secret ${secret.split('/')[1]} in the binding's namespace`);
    if ('reason' in outcome) return conditionOf(binding, outcome.reason, outcome.message);
  }
  return undefined;
}

function keysOf(binding: AccessBindingResource, { keys }: Surroundings): readonly AccessKeyConfig[] {
  return secretsOf(binding).flatMap((secret) => {
    const outcome = keys.get(secret);
    return outcome && 'key' in outcome ? [outcome.key] : [];
  });
}

function missingBuckets(binding: AccessBindingResource, { buckets }: Surroundings): Condition | undefined {
  const { namespace } = binding.metadata;
  const missing = (binding.spec.resources ?? []).map(({ bucket }) => bucket).filter((name) => !reaches(namespace, buckets.get(name)));
  if (missing.length === 0) return undefined;
  return conditionOf(binding, 'BucketMissing', `in reach there is no bucket ${missing.join(', ')}; the rest is in force`);
}

/** Whether what stands in `namespace` reaches the bucket: its own, or every one from Bonded's namespace. */
export function reaches(namespace: string, bucket: Pick<BucketConfig, 'namespace'> | undefined): boolean {
  return bucket !== undefined && (namespace === SYSTEM_NAMESPACE || namespace === bucket.namespace);
}

function bindingConfig({ metadata, spec }: AccessBindingResource): BindingConfig {
  const { namespace, name } = metadata;
  const subjects = spec.subjects.map((subject) => subjectConfig(subject, namespace));
  return { namespace, name, subjects, role: spec.role, ...(spec.resources && { resources: spec.resources }) };
}

function subjectConfig(subject: AccessBindingResource['spec']['subjects'][number], namespace: string): Subject {
  if (subject.oidc) return { kind: 'oidc', ...subject.oidc };
  if (subject.serviceAccount) return { kind: 'serviceAccount', ...subject.serviceAccount };
  if (subject.accessKey) return { kind: 'accessKey', namespace, secretName: subject.accessKey.secretName };
  return { kind: 'anonymous' };
}
