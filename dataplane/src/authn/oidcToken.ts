/** Verification of one OIDC token against one trusted issuer. */
import { decodeJwt, decodeProtectedHeader, errors as jose, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { ArtefactError } from '../errors.ts';
import type { IssuerKeys } from './issuerKeys.ts';
import type { Principal } from './principal.ts';
import { ALGORITHMS, DEFAULT_SKEW, type TrustedIssuer } from './trustedIssuer.ts';

/** The longest token that is looked at, in bytes. */
export const MAX_TOKEN = 16 * 1024;

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]{1,63}):([^:]{1,253})$/;
const SUBJECT = /^[^\p{Cc}]{1,1024}$/u;

/** True for what has the shape of a JWT in compact form. */
export function looksLikeJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/** The issuer a token names, before anything of it is believed: only good for choosing whom to ask. Throws `TokenInvalid`. */
export function namedIssuer(token: string): string {
  if (token.length > MAX_TOKEN) throw invalid(`A token has at most ${MAX_TOKEN} bytes.`);
  if (!looksLikeJwt(token)) throw invalid('The bearer token is not a JWT.');
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch (cause) {
    throw invalid('The bearer token is not a JWT.', cause);
  }
  throw invalid('The token names no issuer.');
}

/** Claims of a verified token. Throws `TokenInvalid`, `TokenExpired`, `Unavailable`. */
export async function verifyToken(token: string, issuer: TrustedIssuer, keys: IssuerKeys, now: number): Promise<JWTPayload> {
  const algorithms = [...(issuer.algorithms ?? ALGORITHMS)];
  requireAlgorithm(token, algorithms);
  const options: JWTVerifyOptions = {
    algorithms,
    issuer: issuer.issuer,
    audience: [...issuer.audiences],
    requiredClaims: ['exp', 'sub'],
    clockTolerance: issuer.clockSkewSeconds ?? DEFAULT_SKEW,
    currentDate: new Date(now),
  };
  try {
    return (await jwtVerify(token, keys.resolve, options)).payload;
  } catch (thrown) {
    if (!(thrown instanceof jose.JWKSMultipleMatchingKeys)) throw tokenError(thrown, issuer);
    return verifyWithAny(token, thrown, options).catch((each: unknown) => {
      throw tokenError(each, issuer);
    });
  }
}

/** RFC 7517 §4.5: without a `kid`, any of the keys may be meant. */
async function verifyWithAny(token: string, candidates: jose.JWKSMultipleMatchingKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (thrown) {
      if (!(thrown instanceof jose.JWSSignatureVerificationFailed)) throw thrown;
    }
  }
  throw new jose.JWSSignatureVerificationFailed();
}

/** Before any key is fetched: `none`, a symmetric algorithm, or one that this issuer does not use. */
function requireAlgorithm(token: string, algorithms: readonly string[]): void {
  const { alg } = decodeHeader(token);
  if (typeof alg === 'string' && algorithms.includes(alg)) return;
  throw invalid(`The token must be signed with one of ${algorithms.join(', ')}.`);
}

function decodeHeader(token: string): { readonly alg?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw invalid('The bearer token is not a JWT.', cause);
  }
}

function tokenError(thrown: unknown, issuer: TrustedIssuer): ArtefactError {
  if (thrown instanceof ArtefactError) return thrown;
  if (thrown instanceof jose.JWTExpired) return new ArtefactError('TokenExpired', 'The provided token has expired.', { cause: thrown });
  if (thrown instanceof jose.JWTClaimValidationFailed) return invalid(claimMessage(thrown.claim, issuer), thrown);
  if (thrown instanceof jose.JWKSNoMatchingKey)
    return invalid(`The token is signed with a key that ${issuer.issuer} does not publish.`, thrown);
  return invalid('The signature of the token is wrong.', thrown);
}

function claimMessage(claim: string, issuer: TrustedIssuer): string {
  switch (claim) {
    case 'aud':
      return `The token is for another audience; ask the issuer for one for ${issuer.audiences.join(' or ')}.`;
    case 'nbf':
      return 'The token is not valid yet.';
    default:
      return `The claim ${claim} of the token is missing or wrong.`;
  }
}

/** Who a verified token speaks for. Throws `TokenInvalid` for a subject that could not be printed in one line. */
export function tokenPrincipal(issuer: TrustedIssuer, claims: JWTPayload): Principal {
  const subject = claims.sub;
  if (typeof subject !== 'string' || !SUBJECT.test(subject))
    throw invalid('The subject of the token must be 1 to 1024 printable characters.');
  const [, namespace, name] = (issuer.kubernetes === true ? SERVICE_ACCOUNT.exec(subject) : null) ?? [];
  return {
    kind: 'oidc',
    id: `oidc:${issuer.issuer}|${subject}`,
    oidc: { issuer: issuer.issuer, claims },
    ...(namespace !== undefined && name !== undefined && { serviceAccount: { namespace, name } }),
  };
}

function invalid(message: string, cause?: unknown): ArtefactError {
  return new ArtefactError('TokenInvalid', message, { cause });
}
