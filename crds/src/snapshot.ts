/**
 * The Snapshot: everything that teams want, compiled from the custom resources into one immutable document.
 * The operator (or the standalone server) compiles it; data-plane pods only read it.
 */
import type { PolicyDocument } from './policy.ts';

/** The namespace whose policies and bindings reach every bucket. */
export const SYSTEM_NAMESPACE = 'bonded-system';

/** The name of the built-in Owner's binding and Secret, in `SYSTEM_NAMESPACE`. No resource of Kubernetes can be called so. */
export const ROOT_NAME = 'bonded:root';

export interface Snapshot {
  /** Digest of the content: two equal snapshots have equal revisions. */
  readonly revision: string;
  readonly buckets: readonly BucketConfig[];
  readonly bindings: readonly BindingConfig[];
  readonly policies: readonly PolicyConfig[];
  readonly accessKeys: readonly AccessKeyConfig[];
  /** Buckets that have a policy which cannot be compiled: nobody gets in until it is mended. */
  readonly closed?: readonly ClosedBucket[];
}

export interface ClosedBucket {
  readonly bucket: string;
  /** For people and logs. */
  readonly reason: string;
}

/** Where a resource comes from: made through Bonded's own API, or managed by someone else (Git, kubectl, an editor). */
export interface Origin {
  readonly managedBy: 'api' | 'manifests';
  /** For people: the file or the field manager that owns it. */
  readonly owner: string;
}

export interface CorsRule {
  readonly id?: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
}

export interface BucketConfig {
  /** Name on the wire. */
  readonly name: string;
  readonly namespace: string;
  /** `metadata.name` of its resource. */
  readonly resource?: string;
  readonly origin: Origin;
  readonly location: string;
  readonly versioning: 'Enabled' | 'Suspended' | 'Disabled';
  /** Globs of names that may be created and never overwritten or deleted. */
  readonly immutability: readonly string[];
  readonly deletionPolicy: 'Retain' | 'Delete';
  readonly cors: readonly CorsRule[];
  readonly tags: Readonly<Record<string, string>>;
}

export type Role = 'Reader' | 'Publisher' | 'Maintainer' | 'Signer' | 'Owner';

export type Subject =
  | { readonly kind: 'oidc'; readonly issuer: string; readonly claims: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'serviceAccount'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'accessKey'; readonly namespace: string; readonly secretName: string }
  | { readonly kind: 'anonymous' };

export interface BindingConfig {
  readonly namespace: string;
  readonly name: string;
  readonly subjects: readonly Subject[];
  readonly role: Role;
  /** Absent: every bucket in reach, every name. */
  readonly resources?: readonly { readonly bucket: string; readonly names?: readonly string[] }[];
}

export interface PolicyConfig {
  readonly namespace: string;
  readonly name: string;
  readonly origin: Origin;
  /** Wire name of the bucket. */
  readonly bucket: string;
  readonly document: PolicyDocument;
  /** The same document as its author wrote it, as JSON text: what GetBucketPolicy answers. */
  readonly source?: string;
}

/** A static key pair out of a Secret that some binding names. */
export interface AccessKeyConfig {
  readonly namespace: string;
  readonly secretName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
