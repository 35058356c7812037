/** Presigned URLs: SigV4 in the query, for whoever may not hold credentials. */
import { ArtefactError } from '../errors.ts';
import { formatBasicTime } from './amzTime.ts';
import { canonicalQuery, canonicalRequest, encodeText, stringToSign } from './canonicalRequest.ts';
import { ALGORITHM } from './credentialScope.ts';
import { createDerivedKeys, signText } from './derivedKey.ts';
import { UNSIGNED_PAYLOAD } from './payloadAuth.ts';
import type { Principal } from './principal.ts';
import { limitedRefused, SESSION_SECONDS, type Sessions } from './session.ts';
import type { AccessKeyLookup } from './signer.ts';
import { MAX_EXPIRES } from './sigv4Query.ts';

/** What the URL is for. */
export interface PresignRequest {
  readonly method: string;
  /** Scheme, host and port that the client will use, such as `https://store.example`; path style. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Not encoded; undefined for the bucket itself. */
  readonly key?: string;
  /** Further parameters, such as `versionId` or `response-content-type`; not encoded. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Headers that the client must then send with just these values, by lower-cased name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** 1 to 604,800. */
  readonly expiresSeconds: number;
  readonly region?: string;
}

/** Keys to sign with. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Makes the URL. Throws `InvalidArgument` for times S3 would refuse and for an endpoint that is none. */
export function presign(request: PresignRequest, credentials: SigningCredentials, now: number): string {
  requireExpires(request.expiresSeconds, MAX_EXPIRES);
  if (!URL.canParse(request.endpoint)) throw new ArtefactError('InvalidArgument', 'The endpoint of a presigned URL must be a URL.');
  const { origin, host } = new URL(request.endpoint);
  const amzDate = formatBasicTime(now);
  const scope = { date: amzDate.slice(0, 8), region: request.region ?? 'us-east-1', service: 's3' };
  const scopeText = [scope.date, scope.region, scope.service, 'aws4_request'].join('/');
  const signedHeaders = { ...request.headers, host };
  const names = Object.keys(signedHeaders).sort();
  const { sessionToken } = credentials;
  const rawQuery = encodeQuery([
    ...(request.query ?? []),
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scopeText}`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(request.expiresSeconds)],
    ...(sessionToken === undefined ? [] : ([['X-Amz-Security-Token', sessionToken]] as const)),
    ['X-Amz-SignedHeaders', names.join(';')],
  ]);
  const rawPath = pathOf(request);
  const rawHeaders = Object.entries(signedHeaders).map(([name, value]) => [name, wireText(value)] as const);
  const canonical = canonicalRequest({
    method: request.method,
    rawPath,
    rawQuery,
    rawHeaders,
    signedHeaders: names,
    payloadHash: UNSIGNED_PAYLOAD,
  });
  const key = createDerivedKeys(1)(credentials.secretAccessKey, scope);
  const signature = signText(key, stringToSign(amzDate, scopeText, canonical));
  return `${origin}${rawPath}?${canonicalQuery(rawQuery)}&X-Amz-Signature=${signature}`;
}

/** What a principal can sign with. */
export interface PresignServices {
  readonly lookup: AccessKeyLookup;
  readonly sessions: Sessions;
}

/**
 * Makes a URL that acts as `principal`: signed with its own access key, or for the identity of a token with a session
 * that ends when the URL does (so at most 12 hours). Its session token is in the URL, and is good for nothing but this
 * signature. Throws `AccessDenied` for the anonymous and for a principal that is limited (the URL would not be),
 * `AccessKeyUnknown` for a key that is gone, `InvalidArgument` for times that cannot be.
 */
export function presignAs(principal: Principal, request: PresignRequest, services: PresignServices, now: number): string {
  if (principal.limits !== undefined) throw limitedRefused();
  if (principal.accessKey !== undefined) {
    const key = services.lookup(principal.accessKey.accessKeyId);
    if (key === undefined) throw new ArtefactError('AccessKeyUnknown', 'The access key is no longer there.');
    return presign(request, key, now);
  }
  if (principal.kind === 'anonymous') throw new ArtefactError('AccessDenied', 'Only who has credentials can make presigned URLs.');
  const ends = Math.min(principal.sessionExpires ?? Infinity, now + SESSION_SECONDS.max * 1000);
  requireExpires(request.expiresSeconds, Math.floor((ends - now) / 1000));
  return presign(request, services.sessions.issue(principal, now + request.expiresSeconds * 1000), now);
}

function requireExpires(seconds: number, most: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= most) return;
  throw new ArtefactError('InvalidArgument', `A presigned URL of yours can last 1 to ${most} seconds.`, {
    details: { argumentName: 'expiresSeconds', argumentValue: seconds },
  });
}

function pathOf(request: PresignRequest): string {
  const bucket = `/${encodeText(request.bucket)}`;
  return request.key === undefined ? bucket : `${bucket}/${encodeText(request.key, true)}`;
}

function encodeQuery(parameters: readonly (readonly [name: string, value: string])[]): string {
  return parameters.map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`).join('&');
}

/** One character a byte, as the wire will have it. */
function wireText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
