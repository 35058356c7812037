/** Whose signature it is: the secret behind an access key id, and who it speaks for. */
import type { AccessKeyConfig } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import type { Principal } from './principal.ts';
import { isSessionKeyId, type Sessions } from './session.ts';

/** The access keys in force for one request: those of its snapshot. */
export type AccessKeyLookup = (accessKeyId: string) => AccessKeyConfig | undefined;

export interface Signer {
  readonly principal: Principal;
  readonly secretAccessKey: string;
}

/** What a request says of its signer. */
export interface SignerClaim {
  readonly accessKeyId: string;
  readonly securityToken?: string;
}

/**
 * Finds the signer: a static key, or with a security token the session it belongs to. Throws `AccessKeyUnknown`, `TokenInvalid`, `TokenExpired`.
 */
export function findSigner(claim: SignerClaim, lookup: AccessKeyLookup, sessions: Sessions): Signer {
  const { accessKeyId, securityToken } = claim;
  if (securityToken !== undefined) {
    const session = sessions.open(securityToken, 'signature');
    if (session.accessKeyId === accessKeyId) return session;
    throw new ArtefactError('TokenInvalid', 'The provided token is of another access key.', { details: { accessKeyId } });
  }
  const key = lookup(accessKeyId);
  if (key !== undefined) return { principal: keyPrincipal(key), secretAccessKey: key.secretAccessKey };
  throw new ArtefactError('AccessKeyUnknown', unknownMessage(accessKeyId), { details: { accessKeyId } });
}

const principals = new WeakMap<AccessKeyConfig, Principal>();

/** The principal of a static access key: the same one while the key is of the same snapshot, since what it may do is kept by it. */
export function keyPrincipal(key: AccessKeyConfig): Principal {
  const known = principals.get(key);
  if (known) return known;
  const { accessKeyId, namespace, secretName } = key;
  const principal: Principal = { kind: 'accessKey', id: `key:${accessKeyId}`, accessKey: { accessKeyId, namespace, secretName } };
  principals.set(key, principal);
  return principal;
}

function unknownMessage(accessKeyId: string): string {
  if (isSessionKeyId(accessKeyId)) return 'The access key is of a session: send its session token as x-amz-security-token.';
  return 'The AWS Access Key Id you provided does not exist in our records.';
}
