/** What became of a resource: the Ready condition. */
import type { Resource } from './resource.ts';

export type Reason =
  | 'InForce'
  /** Being deleted: it is not in force any more, and holds its name until it is gone. */
  | 'Deleting'
  /** An older Bucket has this name on the wire. */
  | 'NameTaken'
  /** The installation has no storage location of this name. */
  | 'LocationUnknown'
  /** A subject names an issuer that the installation does not trust. */
  | 'IssuerNotTrusted'
  /** A subject names a Secret that is not in the binding's namespace. */
  | 'SecretMissing'
  /** …whose accessKeyId or secretAccessKey is missing or malformed. */
  | 'SecretInvalid'
  /** …whose accessKeyId an older Secret has. */
  | 'AccessKeyTaken'
  /** It names a bucket that is not in its reach; what else it says is in force. */
  | 'BucketMissing'
  /** The policy document cannot be compiled: its bucket is closed until it can. */
  | 'DocumentInvalid';

export interface Condition {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly reason: Reason;
  /** For people: what to do. Names nothing of other namespaces, and no secret. */
  readonly message: string;
}

/** Makes the condition of a resource. */
export function conditionOf({ kind, metadata }: Resource, reason: Reason, message: string): Condition {
  return { kind, namespace: metadata.namespace, name: metadata.name, ready: reason === 'InForce', reason, message };
}

/** The condition of a resource that is wholly in force. */
export function inForce(resource: Resource): Condition {
  return conditionOf(resource, 'InForce', 'in force');
}

/** The condition of a resource that is being deleted. */
export function deleting(resource: Resource): Condition {
  return conditionOf(resource, 'Deleting', 'being deleted, and no longer in force');
}
