/** SigV4 in query parameters: presigned URLs. */
import { ArtefactError, type ErrorDetails } from '../errors.ts';
import { parseBasicTime } from './amzTime.ts';
import { ALGORITHM, parseCredential, type ScopeRules } from './credentialScope.ts';
import { UNSIGNED_PAYLOAD } from './payloadAuth.ts';
import { headerValues, type CredentialedRequest } from './request.ts';
import { MAX_SKEW, parseSignedHeaders, requireCoverage, type SignedClaim } from './signedClaim.ts';

/** The longest that a presigned URL may live, in seconds: a week. */
export const MAX_EXPIRES = 604_800;

const REQUIRED = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-signature', 'x-amz-date', 'x-amz-signedheaders', 'x-amz-expires'];

/**
 * Reads the `X-Amz-…` parameters of a presigned URL (their names in any case, each once). Throws `CredentialsMalformed`,
 * `RequestExpired`, `AccessDenied` (not yet valid; headers not signed).
 */
export function parseQueryClaim(request: CredentialedRequest, rules: ScopeRules, now: number): SignedClaim {
  const parameters = collect(request);
  const given = (name: string): string => parameters.get(name) ?? '';
  if (!REQUIRED.every((name) => given(name) !== '')) {
    throw malformed(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  if (given('x-amz-algorithm') !== ALGORITHM) throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const credential = parseCredential(given('x-amz-credential'), rules, malformedCredential);
  const signedHeaders = parseSignedHeaders(given('x-amz-signedheaders'), malformed);
  const amzDate = given('x-amz-date');
  const signedAt = parseBasicTime(amzDate);
  if (signedAt === undefined) throw malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!amzDate.startsWith(credential.date)) {
    throw malformedCredential(`Invalid credential date "${credential.date}". This date is not the same as X-Amz-Date: "${amzDate}".`);
  }
  requireInForce(signedAt, parseExpires(given('x-amz-expires')), now);
  requireCoverage(request, signedHeaders);
  return {
    form: 'query',
    credential,
    signedHeaders,
    signature: given('x-amz-signature'),
    amzDate,
    signedAt,
    payloadHash: parameters.get('x-amz-content-sha256') ?? request.headers['x-amz-content-sha256'] ?? UNSIGNED_PAYLOAD,
    securityToken: securityToken(request, parameters),
  };
}

/** The parameters of the signature by lower-cased name; one that comes twice could mean two things, and is refused. */
function collect(request: CredentialedRequest): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [sent, value] of request.query) {
    const name = sent.toLowerCase();
    if (!REQUIRED.includes(name) && name !== 'x-amz-security-token' && name !== 'x-amz-content-sha256') continue;
    if (parameters.has(name)) throw malformed(`The query parameter ${sent} must be given once.`);
    parameters.set(name, value);
  }
  return parameters;
}

function parseExpires(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw malformed('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 0) throw malformed('X-Amz-Expires must be non-negative');
  if (seconds === 0) throw malformed('X-Amz-Expires must be at least 1 second');
  if (seconds > MAX_EXPIRES) {
    throw malformed(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_EXPIRES} seconds`,
    );
  }
  return seconds;
}

function requireInForce(signedAt: number, expiresSeconds: number, now: number): void {
  const expiresAt = signedAt + expiresSeconds * 1000;
  const details = { expires: new Date(expiresAt).toISOString(), serverTime: new Date(now).toISOString(), 'X-Amz-Expires': expiresSeconds };
  if (signedAt - now > MAX_SKEW) throw new ArtefactError('AccessDenied', 'Request is not yet valid', { details });
  if (now > expiresAt) throw new ArtefactError('RequestExpired', 'Request has expired', { details });
}

function securityToken(request: CredentialedRequest, parameters: ReadonlyMap<string, string>): string | undefined {
  const inQuery = parameters.get('x-amz-security-token');
  const inHeaders = headerValues(request, 'x-amz-security-token');
  if (inQuery !== undefined && inHeaders.length > 0)
    throw malformed('X-Amz-Security-Token must be given in the query or as a header, not both.');
  return inQuery ?? inHeaders[0];
}

function malformed(message: string, details: ErrorDetails = {}): ArtefactError {
  return new ArtefactError('CredentialsMalformed', message, { details: { s3Code: 'AuthorizationQueryParametersError', ...details } });
}

function malformedCredential(detail: string, details?: ErrorDetails): ArtefactError {
  return malformed(`Error parsing the X-Amz-Credential parameter; ${detail}`, details);
}
