/** Which kind of credentials a request carries: none, or exactly one. */
import { ArtefactError, type ErrorDetails } from '../errors.ts';
import { ALGORITHM } from './credentialScope.ts';
import { headerValues, type CredentialedRequest } from './request.ts';

/** The kind, with what follows the scheme where it is the credential itself. */
export type Mechanism =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'sigv4-header' }
  | { readonly kind: 'sigv4-query' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly credentials: string };

const SIGV4_QUERY: ReadonlySet<string> = new Set(['x-amz-algorithm', 'x-amz-credential', 'x-amz-signature']);
/** Means nothing alone, and is no credential beside another: but whoever sends only this meant to sign. */
const SIGV4_QUERY_PART: ReadonlySet<string> = new Set(['x-amz-date', 'x-amz-expires', 'x-amz-signedheaders']);
const SIGV2_QUERY: ReadonlySet<string> = new Set(['AWSAccessKeyId', 'Signature']);
const ONE_ONLY =
  'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';

/**
 * Finds it. Throws `InvalidArgument` when there are several, or a scheme nobody knows; `InvalidRequest` for SigV2;
 * `NotImplemented` for SigV4A; `CredentialsMalformed` for a security token that comes alone: what looks like
 * credentials never passes for anonymous.
 */
export function findMechanism(request: CredentialedRequest): Mechanism {
  const authorizations = request.headers['authorization'] === undefined ? [] : headerValues(request, 'authorization');
  const inQuery = request.query.some(([name]) => SIGV4_QUERY.has(name.toLowerCase()));
  const version2 = request.query.some(([name]) => SIGV2_QUERY.has(name));
  const found = authorizations.length + Number(inQuery) + Number(version2);
  if (found > 1) throw invalidAuthorization(ONE_ONLY);
  if (version2) throw version2Refused();
  if (inQuery) return { kind: 'sigv4-query' };
  const [authorization] = authorizations;
  if (authorization !== undefined) return parseScheme(authorization.trim());
  if (request.query.some(([name]) => SIGV4_QUERY_PART.has(name.toLowerCase()))) return { kind: 'sigv4-query' };
  refuseStrayToken(request);
  return { kind: 'anonymous' };
}

function parseScheme(authorization: string): Mechanism {
  const space = authorization.indexOf(' ');
  const scheme = space === -1 ? authorization : authorization.slice(0, space);
  const rest = space === -1 ? '' : authorization.slice(space + 1).trim();
  switch (scheme.toUpperCase()) {
    case ALGORITHM:
      return { kind: 'sigv4-header' };
    case 'BEARER':
      return { kind: 'bearer', token: rest };
    case 'BASIC':
      return { kind: 'basic', credentials: rest };
    case 'AWS':
      throw version2Refused();
    case 'AWS4-ECDSA-P256-SHA256':
      throw new ArtefactError('NotImplemented', `AWS4-ECDSA-P256-SHA256 is not accepted; sign with ${ALGORITHM}.`);
    default:
      throw invalidAuthorization('Unsupported Authorization Type');
  }
}

function refuseStrayToken(request: CredentialedRequest): void {
  const stray = 'x-amz-security-token';
  const inQuery = request.query.some(([name]) => name.toLowerCase() === stray);
  if (!inQuery && request.headers[stray] === undefined) return;
  throw new ArtefactError('CredentialsMalformed', 'x-amz-security-token belongs to a signature, and the request has none.');
}

/** S3's refusal of signature version 2, in its words. */
export function version2Refused(): ArtefactError {
  return new ArtefactError('InvalidRequest', `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`);
}

/** The value is not repeated, as S3 does: it may be a secret. */
function invalidAuthorization(message: string): ArtefactError {
  const details: ErrorDetails = { argumentName: 'Authorization' };
  return new ArtefactError('InvalidArgument', message, { details });
}
