/** Which bindings are about a principal, and what they reach. */
import { SYSTEM_NAMESPACE, type BucketConfig } from '@bonded/crds';
import type { Principal } from '../authn/principal.ts';
import { ANYONE, accessKeySubject, claimSubject, serviceAccountSubject, type Grant, type OidcSubject } from '../config/grants.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import { claimValues, type Claims } from './claims.ts';

/** A place that something is done to. */
export interface Place {
  readonly bucket: Pick<BucketConfig, 'name' | 'namespace'>;
  /**
   * `object`: `name` is a name in the bucket. `bucket`: the bucket itself is meant, and `name`, where it is given, is the
   * prefix that a listing is asked for.
   */
  readonly scope: 'bucket' | 'object';
  /** Absent: all of the bucket. */
  readonly name?: string;
}

/** The grants that are about the principal and reach the bucket, whatever names in it they are limited to. */
export function grantsOn(snapshot: LoadedSnapshot, principal: Principal, bucket: Place['bucket']): readonly Grant[] {
  const namespaces = bucket.namespace === SYSTEM_NAMESPACE ? [SYSTEM_NAMESPACE] : [bucket.namespace, SYSTEM_NAMESPACE];
  return subjectKeys(snapshot, principal).flatMap((key) => {
    const byNamespace = snapshot.grants.bySubject.get(key);
    if (!byNamespace) return [];
    const grants = namespaces.flatMap((namespace) => byNamespace.get(namespace) ?? []);
    return grants.filter((grant) => names(grant, bucket.name) !== undefined && isAbout(grant, principal));
  });
}

/** Every grant that is about the principal. */
export function grantsOf(snapshot: LoadedSnapshot, principal: Principal): readonly Grant[] {
  return subjectKeys(snapshot, principal).flatMap((key) => {
    const grants = [...(snapshot.grants.bySubject.get(key)?.values() ?? [])].flat();
    return grants.filter((grant) => isAbout(grant, principal));
  });
}

/**
 * True when the grant, which reaches the bucket, covers the place. A grant that is limited to some names covers a name that
 * one of its globs matches, and a listing whose prefix lies wholly within one of them; of the bucket itself it covers nothing.
 */
export function covers(grant: Grant, { bucket, scope, name }: Place): boolean {
  const patterns = names(grant, bucket.name);
  if (patterns === undefined) return false;
  if (patterns === 'all') return true;
  if (name === undefined) return false;
  return patterns.some((pattern) => (scope === 'object' ? pattern.matches(name) : pattern.covers(name)));
}

/** What a grant is limited to in a bucket; undefined when it does not concern it. */
function names(
  { resources }: Grant,
  bucket: string,
): 'all' | readonly { matches(name: string): boolean; covers(prefix: string): boolean }[] | undefined {
  return resources === undefined ? 'all' : resources.get(bucket);
}

/** An `oidc` grant was found by one of its claims; all of them must match. */
function isAbout({ oidc }: Grant, principal: Principal): boolean {
  return oidc === undefined || (principal.oidc?.issuer === oidc.issuer && claimsMatch(oidc, principal.oidc.claims));
}

function claimsMatch({ claims }: OidcSubject, given: Claims): boolean {
  return Object.entries(claims).every(([name, values]) => {
    const present = claimValues(given, name);
    return values.some((value) => present.includes(value));
  });
}

const keysOfPrincipal = new WeakMap<Principal, { readonly grants: LoadedSnapshot['grants']; readonly keys: readonly string[] }>();

/** What the principal's grants are filed under. Kept while the snapshot is the same: one request may ask a thousand times. */
function subjectKeys({ grants }: LoadedSnapshot, principal: Principal): readonly string[] {
  const known = keysOfPrincipal.get(principal);
  if (known?.grants === grants) return known.keys;
  const keys = [...new Set([ANYONE, ...ownKeys(grants, principal)])];
  keysOfPrincipal.set(principal, { grants, keys });
  return keys;
}

function ownKeys({ claimsOfIssuer }: LoadedSnapshot['grants'], { accessKey, serviceAccount, oidc }: Principal): readonly string[] {
  const claims = [...((oidc && claimsOfIssuer.get(oidc.issuer)) ?? [])];
  return [
    ...(accessKey ? [accessKeySubject(accessKey.namespace, accessKey.secretName)] : []),
    ...(serviceAccount ? [serviceAccountSubject(serviceAccount.namespace, serviceAccount.name)] : []),
    ...claims.flatMap((claim) => claimValues(oidc?.claims ?? {}, claim).map((value) => claimSubject(oidc?.issuer ?? '', claim, value))),
  ];
}
