/** The claims of a verified token, as bindings and policies ask for them. */
import type { Principal } from '../authn/principal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Claims within claims are looked into this far: `resource_access.<client>.roles` is the deepest that issuers write. */
const MAX_DEPTH = 5;

/**
 * The values of a claim as text; none when it is not there. Elements of arrays are values each. A name with dots is looked
 * for as it stands first, then as a claim within claims: `realm_access.roles`.
 */
export function claimValues(claims: Claims, name: string): readonly string[] {
  return find(claims, name, 0);
}

function find(claims: Claims, name: string, depth: number): readonly string[] {
  if (Object.hasOwn(claims, name)) return textsOf(claims[name]);
  if (depth === MAX_DEPTH) return [];
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const inner = Object.hasOwn(claims, name.slice(0, dot)) ? claims[name.slice(0, dot)] : undefined;
    const values = isClaims(inner) ? find(inner, name.slice(dot + 1), depth + 1) : [];
    if (values.length > 0) return values;
  }
  return [];
}

const flattened = new WeakMap<Principal, ReadonlyMap<string, readonly string[]>>();

/** Every claim by its name in lower case (condition keys have no case), claims within claims with dots. */
export function lowerCasedClaims(principal: Principal): ReadonlyMap<string, readonly string[]> {
  const known = flattened.get(principal);
  if (known) return known;
  const all = new Map<string, string[]>();
  flatten(principal.oidc?.claims ?? {}, '', { all, depth: 0 });
  flattened.set(principal, all);
  return all;
}

function flatten(claims: Claims, prefix: string, { all, depth }: { readonly all: Map<string, string[]>; readonly depth: number }): void {
  for (const [name, value] of Object.entries(claims)) {
    const key = (prefix + name).toLowerCase();
    const values = textsOf(value);
    if (values.length > 0) all.set(key, [...(all.get(key) ?? []), ...values]);
    if (isClaims(value) && depth < MAX_DEPTH) flatten(value, `${prefix}${name}.`, { all, depth: depth + 1 });
  }
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((element) => (Array.isArray(element) ? [] : textsOf(element)));
  return typeof value === 'string' ? [value] : typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
