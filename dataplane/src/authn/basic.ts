/** Basic credentials (RFC 7617), for clients that send nothing else: docker, helm, dnf. */
import { ArtefactError } from '../errors.ts';
import type { Bearer } from './bearer.ts';
import { equalInConstantTime } from './constantTime.ts';
import { looksLikeJwt, MAX_TOKEN } from './oidcToken.ts';
import type { Principal } from './principal.ts';
import { isSessionToken } from './session.ts';
import { keyPrincipal, type AccessKeyLookup } from './signer.ts';

const MAX_USERNAME = 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Compared with when there is no such key, so that this takes as long. */
const NO_SECRET = 'no secret is as long as this one, and none has these characters: \u0000';

/** A decoded user name and password. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** Reads what follows `Basic `. Throws `CredentialsMalformed`. */
export function parseBasic(text: string): BasicCredentials {
  if (text.length > 2 * (MAX_USERNAME + MAX_TOKEN) || !BASE64.test(text)) throw malformed();
  const decoded = decodeUtf8(Buffer.from(text, 'base64'));
  const colon = decoded.indexOf(':');
  if (colon === -1 || colon > MAX_USERNAME) throw malformed();
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/**
 * Who they speak for: a token as the password (whatever the user name), or an access key id with its secret. Throws as
 * `Bearer.verify` does, and `AccessKeyUnknown` alike for a key that is not there and for a secret that is wrong.
 */
export async function verifyBasic(credentials: BasicCredentials, lookup: AccessKeyLookup, bearer: Bearer): Promise<Principal> {
  const { username, password } = credentials;
  if (isSessionToken(password) || looksLikeJwt(password)) return bearer.verify(password);
  const key = lookup(username);
  const right = equalInConstantTime(password, key?.secretAccessKey ?? NO_SECRET);
  if (key !== undefined && right) return keyPrincipal(key);
  throw new ArtefactError('AccessKeyUnknown', 'The user name and password are neither an access key with its secret nor a token.');
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ArtefactError('CredentialsMalformed', 'Basic credentials must be UTF-8.', { cause });
  }
}

function malformed(): ArtefactError {
  return new ArtefactError('CredentialsMalformed', 'Basic credentials must be base64 of <user name>:<password>.');
}
