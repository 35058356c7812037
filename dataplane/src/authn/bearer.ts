/** Bearer tokens (RFC 6750): OIDC tokens of trusted issuers, and the tokens of our own sessions. */
import { hash } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { createIssuerKeys, type IssuerKeys, type IssuerKeysOptions } from './issuerKeys.ts';
import { namedIssuer, tokenPrincipal, verifyToken } from './oidcToken.ts';
import type { Principal } from './principal.ts';
import { createRecent } from './recent.ts';
import { isSessionToken, type Sessions } from './session.ts';
import type { TrustedIssuer } from './trustedIssuer.ts';

/** A verified token is believed this long without looking again, in ms. */
const REMEMBER = 60_000;
const MAX_REMEMBERED = 4096;

export interface BearerOptions extends IssuerKeysOptions {
  /** By URL. */
  readonly issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly sessions: Sessions;
}

export interface Bearer {
  /**
   * Who a token speaks for. Throws `TokenInvalid`, `TokenExpired`, and `Unavailable` when its issuer cannot be asked:
   * that is about this token alone. Only a trusted issuer is ever connected to.
   */
  verify(token: string): Promise<Principal>;
}

interface Remembered {
  readonly principal: Principal;
  readonly until: number;
  readonly keys: IssuerKeys;
  readonly generation: number;
}

/** Connects to nobody before the first token comes. */
export function createBearer(options: BearerOptions): Bearer {
  const { clock, sessions, issuers } = options;
  const keysOf = new Map([...issuers.values()].map((issuer) => [issuer, createIssuerKeys(issuer, options)]));
  const remembered = createRecent<Remembered>(MAX_REMEMBERED);

  function recall(name: string): Principal | undefined {
    const entry = remembered.get(name);
    if (entry === undefined) return undefined;
    if (clock() < entry.until && entry.keys.generation() === entry.generation) return entry.principal;
    remembered.delete(name);
    return undefined;
  }

  async function verifyOidc(token: string): Promise<Principal> {
    const name = hash('sha256', token, 'base64');
    const known = recall(name);
    if (known !== undefined) return known;
    const issuer = issuers.get(namedIssuer(token));
    const keys = issuer && keysOf.get(issuer);
    if (issuer === undefined || keys === undefined) throw new ArtefactError('TokenInvalid', 'The issuer of the token is not trusted here.');
    const claims = await verifyToken(token, issuer, keys, clock());
    const principal = tokenPrincipal(issuer, claims);
    const until = Math.min(clock() + REMEMBER, (claims.exp ?? 0) * 1000);
    remembered.set(name, { principal, until, keys, generation: keys.generation() });
    return principal;
  }

  return {
    verify: async (token) => (isSessionToken(token) ? sessions.open(token, 'bearer').principal : verifyOidc(token)),
  };
}
