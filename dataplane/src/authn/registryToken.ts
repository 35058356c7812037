/**
 * Tokens of the registry's own: what `docker login` and its like trade credentials for. No server keeps them; any process
 * with the signing key opens them. Rights are not in them, only limits: what may be done is looked up at every use, and
 * then nothing outside the scopes that were granted.
 *
 * An access token goes with requests. A refresh token goes to the token endpoint alone, which makes access tokens of it.
 * Each has its prefix, which the seal covers: neither passes for the other, nor for a session.
 */
import { createHmac } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { equalInConstantTime } from './constantTime.ts';
import { identified, ofTheSubject, type TokenIdentity } from './identity.ts';
import { ANONYMOUS, type Limit, type Principal } from './principal.ts';
import { createRecent } from './recent.ts';
import { MAX_SEALED_TEXT, seal, unseal } from './seal.ts';
import { limitedRefused } from './session.ts';
import type { AccessKeyLookup } from './signer.ts';
import type { SigningKey, SigningKeys } from './signingKey.ts';

/** Seconds. Clients are told of no token that has less than `least` to live: older ones take that for granted. */
export const REGISTRY_TOKEN_SECONDS = { least: 60, access: 300, refresh: 43_200 } as const;

/** Characters; a token must fit a header beside others. */
const MAX_TOKEN = 8 * 1024;
/** Tokens that need not be unsealed again: a client sends the same one with every request of a pull. */
const MAX_REMEMBERED = 1024;
const PREFIX = { access: 'bndr1', refresh: 'bndf1' } as const;

type Use = keyof typeof PREFIX;

/** A token with its beginning and its end, in ms since the epoch. */
export interface IssuedToken {
  readonly token: string;
  readonly issued: number;
  readonly expires: number;
}

export interface RegistryTokens {
  /**
   * An access token that is good for `limits`, of 300 seconds, or until the credential ends that `principal` came with.
   * Throws `TokenExpired` where that is within a minute, `AccessDenied` for a principal that is limited already,
   * `InvalidRequest` when claims and limits are too many for a token.
   */
  issue(principal: Principal, limits: readonly Limit[], lookup: AccessKeyLookup): IssuedToken;
  /** A refresh token of 12 hours, or until the session ends that `principal` came with. Throws as `issue`, and `AccessDenied` for the anonymous. */
  issueRefresh(principal: Principal, lookup: AccessKeyLookup): string;
  /**
   * Whom an access token speaks for, with its limits. Throws `TokenInvalid` (also when the issuer is trusted no longer, or
   * the access key is gone or has another secret) and `TokenExpired`.
   */
  open(token: string, lookup: AccessKeyLookup): Principal;
  /** The same for a refresh token, without limits: only for making access tokens. */
  openRefresh(token: string, lookup: AccessKeyLookup): Principal;
}

export interface RegistryTokenOptions {
  readonly keys: SigningKeys;
  /** Ms since the epoch. */
  readonly clock: () => number;
  /** True when identities of that issuer count. */
  readonly trusts: (issuer: string) => boolean;
}

type AccessKey = NonNullable<Principal['accessKey']>;

/** Who it is; neither of them: nobody in particular. */
interface Identity {
  readonly oidc?: TokenIdentity;
  readonly accessKey?: AccessKey;
  /** Tells whether the access key still has the secret that it had, and does not tell the secret. */
  readonly secretMark?: string;
}

interface Sealed extends Identity {
  /** Ms since the epoch. */
  readonly expires: number;
  readonly limits?: readonly Limit[];
}

interface Opened {
  readonly content: Sealed;
  readonly key: SigningKey;
  readonly principal: Principal;
}

/** True for what has the shape of an access token. */
export function isRegistryToken(text: string): boolean {
  return text.startsWith(`${PREFIX.access}.`);
}

export function createRegistryTokens(options: RegistryTokenOptions): RegistryTokens {
  const { keys, clock } = options;
  const remembered = createRecent<Opened>(MAX_REMEMBERED);

  function open(token: string, use: Use, lookup: AccessKeyLookup): Principal {
    const name = `${use} ${token}`;
    const opened = remembered.get(name) ?? unsealToken(token, use, keys);
    requireStanding(opened, lookup, options);
    remembered.set(name, opened);
    return opened.principal;
  }

  return {
    issue(principal, limits, lookup) {
      const issued = clock();
      const expires = Math.min(issued + REGISTRY_TOKEN_SECONDS.access * 1000, credentialEnd(principal));
      if (expires - issued < REGISTRY_TOKEN_SECONDS.least * 1000)
        throw new ArtefactError('TokenExpired', 'The credentials end in less than a minute: get new ones.');
      return { token: sealToken({ ...sealable(principal, lookup, keys[0]), limits, expires }, 'access', keys[0]), issued, expires };
    },
    issueRefresh(principal, lookup) {
      if (principal.kind === 'anonymous') throw new ArtefactError('AccessDenied', 'A refresh token is for who came with credentials.');
      const expires = Math.min(clock() + REGISTRY_TOKEN_SECONDS.refresh * 1000, principal.sessionExpires ?? Infinity);
      return sealToken({ ...sealable(principal, lookup, keys[0]), expires }, 'refresh', keys[0]);
    },
    open: (token, lookup) => open(token, 'access', lookup),
    openRefresh: (token, lookup) => open(token, 'refresh', lookup),
  };
}

/** When what a principal came with ends: an OIDC token, a session or a refresh token. An access key does not. */
function credentialEnd({ sessionExpires, oidc }: Principal): number {
  const exp = oidc?.claims.exp;
  return sessionExpires ?? (typeof exp === 'number' ? exp * 1000 : Infinity);
}

/** Who a principal is. Throws `AccessDenied` for one that is limited, and `AccessKeyUnknown` where its key is gone. */
function sealable(principal: Principal, lookup: AccessKeyLookup, key: SigningKey): Identity {
  const { accessKey, oidc, serviceAccount } = principal;
  if (principal.limits !== undefined) throw limitedRefused();
  if (oidc !== undefined) return { oidc: { issuer: oidc.issuer, claims: ofTheSubject(oidc.claims), serviceAccount } };
  if (accessKey === undefined) return {};
  const secret = lookup(accessKey.accessKeyId)?.secretAccessKey;
  if (secret === undefined) throw new ArtefactError('AccessKeyUnknown', 'The access key is no longer there.');
  return { accessKey, secretMark: markOf(secret, key) };
}

/** A token that lists many scopes compresses well: what counts is also what it unpacks to. */
function sealToken(content: Sealed, use: Use, key: SigningKey): string {
  const text = JSON.stringify(content);
  const token = Buffer.byteLength(text) > MAX_SEALED_TEXT ? undefined : seal(text, PREFIX[use], key);
  if (token !== undefined && token.length <= MAX_TOKEN) return token;
  throw new ArtefactError('InvalidRequest', 'That is too much for one token: ask for fewer scopes, or have the issuer send fewer claims.');
}

function unsealToken(token: string, use: Use, keys: SigningKeys): Opened {
  const unsealed = token.length > MAX_TOKEN ? undefined : unseal(token, PREFIX[use], keys);
  if (unsealed === undefined) throw invalid();
  const content = JSON.parse(unsealed.text) as Sealed;
  return { content, key: unsealed.key, principal: principalOf(content, use) };
}

/** Without limits only where none were to be sealed: an access token that has none is good for nothing. */
function principalOf({ oidc, accessKey, limits = [], expires }: Sealed, use: Use): Principal {
  const terms = { sessionExpires: expires, ...(use === 'access' && { limits }) };
  if (oidc) return { ...identified(oidc), ...terms };
  if (accessKey) return { kind: 'accessKey', id: `key:${accessKey.accessKeyId}`, accessKey, ...terms };
  return { ...ANONYMOUS, ...terms };
}

/** A token stands as long as whom it speaks for could come with the credentials themselves. */
function requireStanding({ content, key }: Opened, lookup: AccessKeyLookup, { clock, trusts }: RegistryTokenOptions): void {
  const { oidc, accessKey, secretMark = '', expires } = content;
  if (clock() >= expires) throw new ArtefactError('TokenExpired', 'The provided token has expired.');
  if (oidc && !trusts(oidc.issuer)) throw invalid();
  if (accessKey && !stillThere(accessKey, lookup, (secret) => equalInConstantTime(markOf(secret, key), secretMark))) throw invalid();
}

function stillThere(accessKey: AccessKey, lookup: AccessKeyLookup, hasSecret: (secret: string) => boolean): boolean {
  const now = lookup(accessKey.accessKeyId);
  if (now === undefined) return false;
  return now.namespace === accessKey.namespace && now.secretName === accessKey.secretName && hasSecret(now.secretAccessKey);
}

function markOf(secret: string, key: SigningKey): string {
  return createHmac('sha256', key.secrets).update(`secret of a registry token: ${secret}`).digest('base64url');
}

function invalid(): ArtefactError {
  return new ArtefactError('TokenInvalid', 'The provided token is malformed or otherwise invalid.');
}
