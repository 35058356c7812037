/** Who a token speaks for, in a form that can be sealed: no rights, no secrets, nothing that was of one token alone. */
import type { Principal } from './principal.ts';

/** The identity in an OIDC token. */
export interface TokenIdentity {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

/** Claims about the token rather than about who it speaks for. */
const OF_THE_TOKEN: ReadonlySet<string> = new Set([
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'at_hash',
  'c_hash',
  's_hash',
  'sid',
  'session_state',
  'auth_time',
  'typ',
]);

/** The claims that say who it is. */
export function ofTheSubject(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !OF_THE_TOKEN.has(name)));
}

/** The principal of an identity. */
export function identified({ issuer, claims, serviceAccount }: TokenIdentity): Principal {
  const id = `oidc:${issuer}|${String(claims.sub)}`;
  return { kind: 'oidc', id, oidc: { issuer, claims }, ...(serviceAccount && { serviceAccount }) };
}
