/**
 * Bindings prepared to be looked up by whom they are about: a request costs a few look-ups, however many bindings there are.
 *
 * An `oidc` subject is filed under one of its claims, the rarest one among all bindings, so that a claim which everybody
 * has (such as a branch name) does not gather them all in one place.
 */
import { compileGlob, type BindingConfig, type Pattern, type Role, type Subject } from '@bonded/crds';

export type OidcSubject = Extract<Subject, { kind: 'oidc' }>;

/** One subject of one binding. */
export interface Grant {
  /** Where the binding stands: what it reaches. */
  readonly namespace: string;
  /** The binding's name, for logs. */
  readonly binding: string;
  readonly role: Role;
  /** For `oidc`: all of whose claims are still to be compared. */
  readonly oidc?: OidcSubject;
  /** By bucket: its patterns of names, or 'all'. Absent: every bucket in reach, every name. */
  readonly resources?: ReadonlyMap<string, readonly Pattern[] | 'all'>;
}

export interface GrantIndex {
  /** Subject key (see below) → namespace of the binding → grants. */
  readonly bySubject: ReadonlyMap<string, ReadonlyMap<string, readonly Grant[]>>;
  /** Issuer → the claims that grants are filed under. */
  readonly claimsOfIssuer: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Everybody, with or without credentials. */
export const ANYONE = 'anyone';

export function accessKeySubject(namespace: string, secretName: string): string {
  return `key\0${namespace}\0${secretName}`;
}

export function serviceAccountSubject(namespace: string, name: string): string {
  return `account\0${namespace}\0${name}`;
}

export function claimSubject(issuer: string, claim: string, value: string): string {
  return `claim\0${issuer}\0${claim}\0${value}`;
}

/** Files every binding under each of its subjects. */
export function indexGrants(bindings: readonly BindingConfig[]): GrantIndex {
  const frequency = countClaims(bindings);
  const bySubject = new Map<string, Map<string, Grant[]>>();
  const claimsOfIssuer = new Map<string, Set<string>>();
  for (const binding of bindings) {
    const resources = resourcesOf(binding);
    for (const subject of binding.subjects) {
      const grant = grantOf(binding, subject, resources);
      for (const key of keysOf(subject, frequency, claimsOfIssuer)) file(bySubject, key, grant);
    }
  }
  return { bySubject, claimsOfIssuer };
}

function grantOf(binding: BindingConfig, subject: Subject, resources: Grant['resources']): Grant {
  return {
    namespace: binding.namespace,
    binding: binding.name,
    role: binding.role,
    ...(subject.kind === 'oidc' && { oidc: subject }),
    ...(resources && { resources }),
  };
}

function resourcesOf({ resources }: BindingConfig): Grant['resources'] {
  return resources && new Map(resources.map(({ bucket, names }) => [bucket, names?.map(compileGlob) ?? 'all']));
}

function keysOf(subject: Subject, frequency: ReadonlyMap<string, number>, claimsOfIssuer: Map<string, Set<string>>): readonly string[] {
  if (subject.kind === 'anonymous') return [ANYONE];
  if (subject.kind === 'accessKey') return [accessKeySubject(subject.namespace, subject.secretName)];
  if (subject.kind === 'serviceAccount') return [serviceAccountSubject(subject.namespace, subject.name)];
  const [claim, values] = rarestClaim(subject, frequency);
  const claims = claimsOfIssuer.get(subject.issuer) ?? new Set();
  claimsOfIssuer.set(subject.issuer, claims.add(claim));
  return [...new Set(values)].map((value) => claimSubject(subject.issuer, claim, value));
}

/** A subject without claims is about nobody: its schema forbids it, and no look-up finds it. */
function rarestClaim({ issuer, claims }: OidcSubject, frequency: ReadonlyMap<string, number>): readonly [string, readonly string[]] {
  const commonest = ([claim, values]: readonly [string, readonly string[]]): number =>
    Math.max(...values.map((value) => frequency.get(claimSubject(issuer, claim, value)) ?? 0));
  return Object.entries(claims).toSorted((a, b) => commonest(a) - commonest(b))[0] ?? ['', []];
}

function countClaims(bindings: readonly BindingConfig[]): ReadonlyMap<string, number> {
  const frequency = new Map<string, number>();
  for (const subject of bindings.flatMap(({ subjects }) => subjects)) {
    if (subject.kind !== 'oidc') continue;
    for (const [claim, values] of Object.entries(subject.claims)) {
      for (const value of values) {
        const key = claimSubject(subject.issuer, claim, value);
        frequency.set(key, (frequency.get(key) ?? 0) + 1);
      }
    }
  }
  return frequency;
}

function file(index: Map<string, Map<string, Grant[]>>, key: string, grant: Grant): void {
  const byNamespace = index.get(key) ?? new Map<string, Grant[]>();
  const grants = byNamespace.get(grant.namespace) ?? [];
  grants.push(grant);
  byNamespace.set(grant.namespace, grants);
  index.set(key, byNamespace);
}
