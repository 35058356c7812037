/** STS AssumeRoleWithWebIdentity: an OIDC token in, a session out. */
import { ArtefactError } from '../errors.ts';
import type { Bearer } from './bearer.ts';
import type { Principal } from './principal.ts';
import { sessionEnd, type SessionCredentials, type Sessions } from './session.ts';

const VERSION = '2011-06-15';
const ACTION = 'AssumeRoleWithWebIdentity';
const KNOWN = ['Action', 'Version', 'RoleArn', 'RoleSessionName', 'WebIdentityToken', 'DurationSeconds'];
/** What would make the session weaker than its identity: ignoring them would give more than was asked for. */
const NOT_BUILT = /^(Policy|PolicyArns(\..*)?|ProviderId|Tags(\..*)?|TransitiveTagKeys(\..*)?)$/;
const ROLE_ARN = /^[\x21-\x7e]{1,2048}$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

/** A parsed request. */
export interface WebIdentityRequest {
  readonly webIdentityToken: string;
  readonly durationSeconds?: number;
  readonly roleArn: string;
  readonly roleSessionName: string;
}

/** What the answer is made of. */
export interface AssumedRole {
  readonly principal: Principal;
  readonly credentials: SessionCredentials;
  /** The token's `sub`. */
  readonly subject: string;
  /** The token's first `aud`. */
  readonly audience: string;
  /** The token's issuer. */
  readonly provider: string;
  readonly assumedRoleUser: { readonly arn: string; readonly assumedRoleId: string };
}

/**
 * Reads the parameters, whether they came as a form or in the query. Throws `NotImplemented` for other actions and for
 * session policies and tags, `InvalidArgument` for the rest; `details.stsCode` has STS's finer code. There are no roles to assume
 * here: RoleArn is taken because SDKs insist on sending one, and gives and takes nothing.
 */
export function parseWebIdentityRequest(parameters: ReadonlyMap<string, string>): WebIdentityRequest {
  const action = parameters.get('Action');
  if (action === undefined) throw invalid('MissingAction', 'The request must contain the parameter Action.');
  if (action !== ACTION) throw notBuilt(`Of STS only ${ACTION} is built.`);
  for (const name of parameters.keys()) {
    if (NOT_BUILT.test(name))
      throw notBuilt(`The parameter ${name} is not implemented: leave it out, and bind the identity to what it may do.`);
    if (!KNOWN.includes(name)) throw invalid('InvalidParameterValue', `Only the parameters ${KNOWN.join(', ')} are taken.`);
  }
  const optional = (name: string, otherwise: string, pattern: RegExp): string => {
    const value = parameters.get(name) ?? otherwise;
    if (!pattern.test(value)) throw invalid('InvalidParameterValue', `The parameter ${name} must match ${pattern.source}.`);
    return value;
  };
  optional('Version', VERSION, new RegExp(`^${VERSION}$`));
  const token = parameters.get('WebIdentityToken') ?? '';
  if (token === '') throw invalid('MissingParameter', 'The request must contain the parameter WebIdentityToken.');
  const seconds = optional('DurationSeconds', '', /^\d{0,9}$/);
  return {
    webIdentityToken: token,
    durationSeconds: seconds === '' ? undefined : Number(seconds),
    roleArn: optional('RoleArn', 'arn:aws:iam:::role/web-identity', ROLE_ARN),
    roleSessionName: optional('RoleSessionName', 'web-identity', SESSION_NAME),
  };
}

/** Performs a parsed request. Throws as `Bearer.verify`, `sessionEnd` and `Sessions.issue` do. */
export async function assumeRole(
  request: WebIdentityRequest,
  services: { readonly bearer: Bearer; readonly sessions: Sessions; readonly clock: () => number },
): Promise<AssumedRole> {
  const expires = sessionEnd(services.clock(), request.durationSeconds);
  const principal = await services.bearer.verify(request.webIdentityToken);
  const credentials = services.sessions.issue(principal, expires);
  const claims = principal.oidc?.claims ?? {};
  const arn = `${request.roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${request.roleSessionName}`;
  return {
    principal,
    credentials,
    subject: String(claims['sub']),
    audience: String([claims['aud']].flat()[0]),
    provider: principal.oidc?.issuer ?? '',
    assumedRoleUser: { arn, assumedRoleId: `${credentials.accessKeyId}:${request.roleSessionName}` },
  };
}

function invalid(stsCode: string, message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, { details: { stsCode } });
}

function notBuilt(message: string): ArtefactError {
  return new ArtefactError('NotImplemented', message);
}
