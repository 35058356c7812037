/** Owners as S3 shows them. Under "bucket owner enforced" everything in a bucket belongs to the bucket's tenant: its namespace. */
import { createHash } from 'node:crypto';
import { SYSTEM_NAMESPACE } from '@bonded/crds';
import type { Principal } from '../../authn/principal.ts';

export interface Owner {
  /** Canonical user id: 64 hexadecimal digits, stable for a namespace. */
  readonly id: string;
  readonly displayName: string;
}

/** The owner that a namespace is. */
export function ownerOf(namespace: string): Owner {
  return { id: createHash('sha256').update(`bonded-namespace:${namespace}`).digest('hex'), displayName: namespace };
}

/** `<Owner>` (or `<Initiator>`) content. */
export function ownerFields(namespace: string): { readonly ID: string; readonly DisplayName: string } {
  const { id, displayName } = ownerOf(namespace);
  return { ID: id, DisplayName: displayName };
}

/** The namespace that a caller's credential comes from, which stands for the caller's account; else the installation's own. */
export function accountOf(principal: Principal): string {
  return principal.accessKey?.namespace ?? principal.serviceAccount?.namespace ?? SYSTEM_NAMESPACE;
}
