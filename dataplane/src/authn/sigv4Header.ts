/** SigV4 in the Authorization header. */
import { ArtefactError, type ErrorDetails } from '../errors.ts';
import { parseBasicTime, parseDateHeader, formatBasicTime } from './amzTime.ts';
import { parseCredential, type Credential, type ScopeRules } from './credentialScope.ts';
import type { CredentialedRequest } from './request.ts';
import { MAX_SKEW, parseSignedHeaders, requireCoverage, type SignedClaim } from './signedClaim.ts';

const MAX_LENGTH = 8 * 1024;
const COMPONENTS = ['Credential', 'SignedHeaders', 'Signature'];

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` and the headers that belong to it. Throws
 * `CredentialsMalformed`, `ClockSkew`, `AccessDenied` (no date; headers not signed), `InvalidRequest` (no payload hash).
 */
export function parseHeaderClaim(request: CredentialedRequest, rules: ScopeRules, now: number): SignedClaim {
  const components = parseComponents(request.headers['authorization'] ?? '');
  const credential = parseCredential(components.get('Credential') ?? '', rules, malformed);
  const signedHeaders = parseSignedHeaders(components.get('SignedHeaders') ?? '', malformed);
  const { signedAt, amzDate } = signingTime(request, credential, now);
  const payloadHash = request.headers['x-amz-content-sha256'];
  if (payloadHash === undefined) {
    throw new ArtefactError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  requireCoverage(request, signedHeaders);
  return {
    form: 'header',
    credential,
    signedHeaders,
    signature: components.get('Signature') ?? '',
    amzDate,
    signedAt,
    payloadHash,
    securityToken: request.headers['x-amz-security-token'],
  };
}

function parseComponents(authorization: string): ReadonlyMap<string, string> {
  if (authorization.length > MAX_LENGTH) throw malformed(`the authorization header is longer than ${MAX_LENGTH} bytes.`);
  const pieces = authorization.slice(authorization.indexOf(' ') + 1).split(',');
  const pairs = pieces.map((piece) => splitAtEquals(piece.trim()));
  const components = new Map(pairs);
  if (pairs.length !== COMPONENTS.length || !COMPONENTS.every((name) => components.has(name))) {
    throw malformed('the authorization header requires three components: Credential, SignedHeaders, and Signature.');
  }
  return components;
}

function splitAtEquals(piece: string): [string, string] {
  const equals = piece.indexOf('=');
  return equals === -1 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)];
}

/** `x-amz-date`, or else `Date`; within 15 minutes of now, and on the credential's day. */
function signingTime(request: CredentialedRequest, credential: Credential, now: number): { signedAt: number; amzDate: string } {
  const amz = request.headers['x-amz-date'];
  const sent = amz ?? request.headers['date'] ?? '';
  const signedAt = amz === undefined ? parseDateHeader(sent) : parseBasicTime(sent);
  if (signedAt === undefined) throw new ArtefactError('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (Math.abs(now - signedAt) > MAX_SKEW) {
    throw new ArtefactError('ClockSkew', 'The difference between the request time and the current time is too large.', {
      details: { requestTime: sent, serverTime: new Date(now).toISOString(), maxAllowedSkewMilliseconds: MAX_SKEW },
    });
  }
  // The only way to write a time in the basic form is how it was read.
  const amzDate = amz ?? formatBasicTime(signedAt);
  if (!amzDate.startsWith(credential.date)) throw malformed('Invalid credential date. Date is not the same as X-Amz-Date.');
  return { signedAt, amzDate };
}

function malformed(detail: string, details: ErrorDetails = {}): ArtefactError {
  return new ArtefactError('CredentialsMalformed', `The authorization header is malformed; ${detail}`, {
    details: { s3Code: 'AuthorizationHeaderMalformed', ...details },
  });
}
