/** A resource that its schema has judged: what compile works on. */
import type { AccessBindingSpec } from './generated/accessBinding.ts';
import type { BucketSpec } from './generated/bucket.ts';
import type { BucketPolicySpec } from './generated/bucketPolicy.ts';
import type { Origin } from './snapshot.ts';

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface ResourceOf<Kind extends string, Spec> {
  readonly kind: Kind;
  readonly metadata: Metadata;
  readonly spec: Spec;
}

export type BucketResource = ResourceOf<'Bucket', BucketSpec>;
export type BucketPolicyResource = ResourceOf<'BucketPolicy', BucketPolicySpec>;
export type AccessBindingResource = ResourceOf<'AccessBinding', AccessBindingSpec>;

/** A Kubernetes Secret. Its values are decoded; nothing may log them. */
export interface SecretResource {
  readonly kind: 'Secret';
  readonly metadata: Metadata;
  readonly data: Readonly<Record<string, string>>;
}

export type Resource = BucketResource | BucketPolicyResource | AccessBindingResource | SecretResource;

/** A resource with where it comes from. */
export interface SourcedResource {
  readonly resource: Resource;
  readonly origin: Origin;
}

/** `Bucket team-a/builds`: unique among resources. */
export function identityOf({ kind, metadata }: Pick<Resource, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** The name of a bucket on the wire. */
export function wireName({ spec, metadata }: BucketResource): string {
  return spec.name ?? metadata.name;
}
