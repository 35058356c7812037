/** Who is asking: one function over every form of credential. */
import type { ConditionContext } from '../authz/action.ts';
import { silentLog, type Log } from '../telemetry/log.ts';
import { parseBasic, verifyBasic, type BasicCredentials } from './basic.ts';
import { createBearer, type Bearer } from './bearer.ts';
import { ALGORITHM, type ScopeRules } from './credentialScope.ts';
import { createDerivedKeys } from './derivedKey.ts';
import type { KeyTimes } from './issuerKeys.ts';
import { findMechanism, type Mechanism } from './mechanism.ts';
import { unsignedPayload, type PayloadAuth } from './payloadAuth.ts';
import { verifyPostForm, type PostAuthenticated, type PostForm } from './postPolicy.ts';
import { presignAs, type PresignRequest } from './presign.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import { createRegistryTokens, isRegistryToken, type RegistryTokens } from './registryToken.ts';
import type { CredentialedRequest } from './request.ts';
import { createSessions, sessionEnd, type SessionCredentials, type Sessions } from './session.ts';
import { findSigner, type AccessKeyLookup } from './signer.ts';
import type { SignedClaim } from './signedClaim.ts';
import type { SigningKeys } from './signingKey.ts';
import { verifySignature } from './sigv4.ts';
import { parseHeaderClaim } from './sigv4Header.ts';
import { parseQueryClaim } from './sigv4Query.ts';
import { assumeRole, parseWebIdentityRequest, type AssumedRole } from './sts.ts';
import { indexIssuers, type TrustedIssuer } from './trustedIssuer.ts';

/** What authentication learned from a request. */
export interface Authenticated {
  readonly principal: Principal;
  /** A closed set of words, for metrics and logs. */
  readonly mechanism: Mechanism['kind'];
  /** What `openPayload` needs. */
  readonly payload: PayloadAuth;
  /** Facts for the conditions of policies. */
  readonly conditions: ConditionContext;
}

export interface AuthenticatorOptions {
  readonly issuers: readonly TrustedIssuer[];
  readonly sessionKeys: SigningKeys;
  /** The only region that signatures may be for; default any. */
  readonly region?: string;
  /** Ms since the epoch. */
  readonly clock?: () => number;
  /** Told when an issuer cannot be reached; default nobody. */
  readonly log?: Log;
  /** Times of talking to issuers. */
  readonly issuerTimes?: KeyTimes;
}

/** Access keys come with each call: those of the request's snapshot. */
export interface Authenticator {
  /**
   * Who a request is from. Without credentials that is ANONYMOUS; with credentials that do not hold it throws, and never
   * answers ANONYMOUS: see `findMechanism`, `parseHeaderClaim`, `parseQueryClaim`, `findSigner`, `verifySignature`,
   * `Bearer.verify` and `verifyBasic` for what.
   */
  authenticate(request: CredentialedRequest, lookup: AccessKeyLookup): Promise<Authenticated>;
  /** The same for an upload form, whose credentials are fields; see `verifyPostForm`. */
  authenticateForm(form: PostForm, lookup: AccessKeyLookup): PostAuthenticated;
  /** A session for the bearer of an OIDC token (or of a session's bearer token: then it ends no later). Default an hour. */
  startSession(token: string, durationSeconds?: number): Promise<{ readonly principal: Principal; readonly session: SessionCredentials }>;
  /** STS AssumeRoleWithWebIdentity, with its parameters as given; see `parseWebIdentityRequest` and `assumeRole`. */
  assumeRole(parameters: ReadonlyMap<string, string>): Promise<AssumedRole>;
  /** A presigned URL that acts as `principal`; see `presignAs`. */
  presign(principal: Principal, request: PresignRequest, lookup: AccessKeyLookup): string;
  /** Who a user name and password speak for, wherever they came from; see `verifyBasic`. No token of the registry is taken. */
  logIn(credentials: BasicCredentials, lookup: AccessKeyLookup): Promise<Principal>;
  /** The tokens of the registry, which `authenticate` takes as Bearer and as the password of Basic. */
  readonly registryTokens: RegistryTokens;
}

/** Builds it. Throws `InvalidArgument` for issuers that could not be enforced as configured. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { clock = Date.now, log = silentLog(), sessionKeys, region } = options;
  const issuers = indexIssuers(options.issuers);
  const trusts = (issuer: string): boolean => issuers.has(issuer);
  const sessions = createSessions({ keys: sessionKeys, clock, trusts });
  const registryTokens = createRegistryTokens({ keys: sessionKeys, clock, trusts });
  const bearer = createBearer({ issuers, sessions, clock, log, times: options.issuerTimes });
  // no session, presigned URL or role is made from a token of the registry: those ask the other one
  const acceptedFrom = (lookup: AccessKeyLookup): Bearer => ({
    verify: async (token) => (isRegistryToken(token) ? registryTokens.open(token, lookup) : bearer.verify(token)),
  });
  const derivedKeys = createDerivedKeys();
  const scope: ScopeRules = { region, services: ['s3'] };
  const verifySigned = (request: CredentialedRequest, lookup: AccessKeyLookup, claim: SignedClaim): Authenticated => {
    const signer = findSigner({ accessKeyId: claim.credential.accessKeyId, securityToken: claim.securityToken }, lookup, sessions);
    const payload = verifySignature(request, claim, signer.secretAccessKey, derivedKeys);
    return { principal: signer.principal, mechanism: `sigv4-${claim.form}`, payload, conditions: signatureFacts(claim, clock()) };
  };

  return {
    async authenticate(request, lookup) {
      const mechanism = findMechanism(request);
      switch (mechanism.kind) {
        case 'sigv4-header':
          return verifySigned(request, lookup, parseHeaderClaim(request, scopeFor(request, scope), clock()));
        case 'sigv4-query':
          return verifySigned(request, lookup, parseQueryClaim(request, scope, clock()));
        default:
          return unsigned(request, mechanism.kind, await unsignedPrincipal(mechanism, lookup, acceptedFrom(lookup)));
      }
    },
    authenticateForm: (form, lookup) => verifyPostForm(form, lookup, { scope, sessions, derivedKeys, clock }),
    startSession: (token, durationSeconds) => startSession(token, sessionEnd(clock(), durationSeconds), { bearer, sessions }),
    assumeRole: async (parameters) => assumeRole(parseWebIdentityRequest(parameters), { bearer, sessions, clock }),
    presign: (principal, request, lookup) => presignAs(principal, { region, ...request }, { lookup, sessions }, clock()),
    logIn: (credentials, lookup) => verifyBasic(credentials, lookup, bearer),
    registryTokens,
  };
}

async function unsignedPrincipal(
  mechanism: Extract<Mechanism, { kind: 'anonymous' | 'bearer' | 'basic' }>,
  lookup: AccessKeyLookup,
  bearer: Bearer,
): Promise<Principal> {
  switch (mechanism.kind) {
    case 'anonymous':
      return ANONYMOUS;
    case 'bearer':
      return bearer.verify(mechanism.token);
    case 'basic':
      return verifyBasic(parseBasic(mechanism.credentials), lookup, bearer);
  }
}

async function startSession(
  token: string,
  expires: number,
  services: { readonly bearer: Bearer; readonly sessions: Sessions },
): Promise<{ principal: Principal; session: SessionCredentials }> {
  const principal = await services.bearer.verify(token);
  return { principal, session: services.sessions.issue(principal, expires) };
}

/** STS is served at `/`, and SDKs sign what they send there for `sts`. */
function scopeFor(request: CredentialedRequest, scope: ScopeRules): ScopeRules {
  const isSts = request.rawPath === '/' && (request.method === 'POST' || request.query.some(([name]) => name === 'Action'));
  return isSts ? { ...scope, services: ['s3', 'sts'] } : scope;
}

function unsigned(request: CredentialedRequest, mechanism: Mechanism['kind'], principal: Principal): Authenticated {
  return { principal, mechanism, payload: unsignedPayload(request.headers), conditions: payloadFacts(request) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html */
function signatureFacts(claim: SignedClaim, now: number): ConditionContext {
  return new Map([
    // of a presigned URL too, whose payload is mostly unsigned: policies refuse unsigned ones by this key
    ['s3:x-amz-content-sha256', [claim.payloadHash]],
    ['s3:authtype', [claim.form === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING']],
    ['s3:signatureversion', [ALGORITHM]],
    ['s3:signatureage', [String(Math.max(now - claim.signedAt, 0))]],
  ]);
}

function payloadFacts(request: CredentialedRequest): ReadonlyMap<string, readonly string[]> {
  const value = request.headers['x-amz-content-sha256'];
  return value === undefined ? new Map() : new Map([['s3:x-amz-content-sha256', [value]]]);
}
