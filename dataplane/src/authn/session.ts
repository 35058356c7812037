/**
 * Temporary sessions that no server keeps: a token holds who it speaks for, sealed, so that any process with the signing
 * key can open it. Rights are not in it: they are looked up at every use, so a removed binding takes effect at once.
 *
 * A session comes as two tokens. The session token goes with signatures, as AWS clients expect; it is in every presigned
 * URL, so it proves nothing without the secret access key. The bearer token is the secret itself, for clients that
 * cannot sign. Neither passes for the other.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { identified, ofTheSubject, type TokenIdentity } from './identity.ts';
import type { Principal } from './principal.ts';
import { createRecent } from './recent.ts';
import { seal, unseal } from './seal.ts';
import type { SigningKey, SigningKeys } from './signingKey.ts';

/** Seconds. A session may outlive the token it was made with (as with AWS: CI tokens live for minutes), never 12 hours. */
export const SESSION_SECONDS = { min: 900, max: 43_200, default: 3_600 } as const;

/** Characters; a token must fit a header beside others. */
const MAX_TOKEN = 8 * 1024;
/** Tokens that need not be unsealed again: a client sends the same one with every request. */
const MAX_REMEMBERED = 1024;
const PREFIX = { signature: 'bnds1', bearer: 'bndb1' } as const;
const ACCESS_KEY_PREFIX = 'BSIA';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export type SessionUse = keyof typeof PREFIX;

/** What a client gets. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Stands alone: as `Authorization: Bearer`, or as the password of Basic. */
  readonly bearerToken: string;
  /** Ms since the epoch. */
  readonly expiration: number;
}

/** An opened session token. */
export interface OpenedSession {
  readonly principal: Principal;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Sessions {
  /**
   * A session of an OIDC principal until `expires` (ms since the epoch), or until its own session ends if that is
   * sooner. Throws `AccessDenied` for other principals (an access key needs none) and for one that is limited, which a
   * session would not be; `InvalidRequest` when its claims are too many.
   */
  issue(principal: Principal, expires: number): SessionCredentials;
  /** Throws `TokenInvalid` (also when the issuer is trusted no longer) and `TokenExpired`. */
  open(token: string, use: SessionUse): OpenedSession;
}

export interface SessionOptions {
  readonly keys: SigningKeys;
  readonly clock: () => number;
  /** True when sessions of that issuer count. */
  readonly trusts: (issuer: string) => boolean;
}

interface Sealed extends TokenIdentity {
  readonly accessKeyId: string;
  readonly expires: number;
}

interface Unsealed {
  readonly content: Sealed;
  readonly secretAccessKey: string;
}

/** True for what has the shape of a token of ours, of either use. */
export function isSessionToken(text: string): boolean {
  return Object.values(PREFIX).some((prefix) => text.startsWith(`${prefix}.`));
}

/** True for access key ids of sessions. */
export function isSessionKeyId(accessKeyId: string): boolean {
  return accessKeyId.startsWith(ACCESS_KEY_PREFIX);
}

/** When a session of the asked length ends. Throws `InvalidArgument` unless it is 900 to 43,200 seconds. */
export function sessionEnd(now: number, seconds: number = SESSION_SECONDS.default): number {
  const { min, max } = SESSION_SECONDS;
  if (Number.isInteger(seconds) && seconds >= min && seconds <= max) return now + seconds * 1000;
  throw new ArtefactError('InvalidArgument', `A session lasts ${min} to ${max} seconds.`, {
    details: { argumentName: 'DurationSeconds', argumentValue: seconds },
  });
}

export function createSessions(options: SessionOptions): Sessions {
  const { keys, clock, trusts } = options;
  const remembered = createRecent<Unsealed>(MAX_REMEMBERED);
  return {
    issue(principal, expires) {
      if (principal.oidc === undefined)
        throw new ArtefactError('AccessDenied', 'Sessions are for identities of OIDC tokens; an access key signs for itself.');
      if (principal.limits !== undefined) throw limitedRefused();
      const accessKeyId = newAccessKeyId();
      const expiration = Math.min(expires, principal.sessionExpires ?? expires);
      const { oidc, serviceAccount } = principal;
      const content: Sealed = { accessKeyId, expires: expiration, issuer: oidc.issuer, claims: ofTheSubject(oidc.claims), serviceAccount };
      const text = JSON.stringify(content);
      const [sessionToken, bearerToken] = [seal(text, PREFIX.signature, keys[0]), seal(text, PREFIX.bearer, keys[0])];
      if (sessionToken.length > MAX_TOKEN)
        throw new ArtefactError('InvalidRequest', 'The token has too many claims for a session: have its issuer send fewer.');
      return { accessKeyId, secretAccessKey: secretOf(accessKeyId, keys[0]), sessionToken, bearerToken, expiration };
    },
    open(token, use) {
      const name = `${use} ${token}`;
      const unsealed = remembered.get(name) ?? unsealSession(token, use, keys);
      const { content, secretAccessKey } = unsealed;
      if (!trusts(content.issuer)) throw invalid();
      if (clock() >= content.expires) throw new ArtefactError('TokenExpired', 'The provided token has expired.');
      remembered.set(name, unsealed);
      return { principal: principalOf(content), accessKeyId: content.accessKeyId, secretAccessKey };
    },
  };
}

function unsealSession(token: string, use: SessionUse, keys: SigningKeys): Unsealed {
  const opened = token.length > MAX_TOKEN ? undefined : unseal(token, PREFIX[use], keys);
  if (opened === undefined) throw invalid();
  const content = JSON.parse(opened.text) as Sealed;
  return { content, secretAccessKey: secretOf(content.accessKeyId, opened.key) };
}

function principalOf(content: Sealed): Principal {
  return { ...identified(content), sessionExpires: content.expires };
}

function newAccessKeyId(): string {
  return ACCESS_KEY_PREFIX + [...randomBytes(16)].map((byte) => BASE32[byte % 32]).join('');
}

/** 240 bits, in the length that clients expect. */
function secretOf(accessKeyId: string, key: SigningKey): string {
  return createHmac('sha256', key.secrets).update(accessKeyId).digest('base64url').slice(0, 40);
}

/** The refusal to make anything out of a token that is good for a few things only. */
export function limitedRefused(): ArtefactError {
  return new ArtefactError(
    'AccessDenied',
    'A token of the registry is good for its scopes alone: come with the credentials it was made from.',
  );
}

function invalid(): ArtefactError {
  return new ArtefactError('TokenInvalid', 'The provided token is malformed or otherwise invalid.');
}
