/** Tells what an S3 server, or the way to it, answered; and turns it into the codes of the data plane, once. */
import { ArtefactError } from '../../errors.ts';

/**
 * - `missing`: no such object (or upload). `refused`: its condition does not hold. `unchanged`: as the caller knows it.
 * - `beyond`: a range behind the end.
 * - `busy`, `slow`: not done, try again. `unknown`: it may or may not have been done.
 * - `fatal`: not done, and trying again will not help.
 */
export type FailureKind = 'missing' | 'refused' | 'unchanged' | 'beyond' | 'busy' | 'slow' | 'unknown' | 'fatal';

/** What went wrong with one request. It holds nothing of the request: no header, no signature. */
export class S3Failure extends Error {
  readonly kind: FailureKind;
  /** The server's code or the connection's. */
  readonly code: string;

  constructor(kind: FailureKind, code: string, status: number | undefined) {
    super(status === undefined ? code : `${status} ${code}`);
    this.name = 'S3Failure';
    this.kind = kind;
    this.code = code;
  }
}

interface SdkError {
  readonly name?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const BY_STATUS: Readonly<Record<number, FailureKind>> = {
  304: 'unchanged',
  404: 'missing',
  412: 'refused',
  416: 'beyond',
  429: 'slow',
  503: 'slow',
};
const BY_CODE: Readonly<Record<string, FailureKind>> = {
  NoSuchBucket: 'fatal',
  ConditionalRequestConflict: 'busy',
  OperationAborted: 'busy',
  RequestTimeout: 'unknown',
  SlowDown: 'slow',
  SlowDownRead: 'slow',
  SlowDownWrite: 'slow',
  TooManyRequests: 'slow',
  CredentialsProviderError: 'fatal',
  TokenProviderError: 'fatal',
};

/** Node's names for mistakes of ours; broken streams have such names too. */
const MISTAKE = /^(ERR_(?!STREAM|HTTP|SOCKET|TLS|SSL)\w+|TypeError|RangeError)$/;

/** Sorts what one request threw. */
export function failureOf(thrown: unknown): S3Failure {
  if (thrown instanceof S3Failure) return thrown;
  const error = (thrown ?? {}) as SdkError;
  const status = error.$metadata?.httpStatusCode;
  const code = codeOf(error);
  return new S3Failure(BY_CODE[code] ?? (MISTAKE.test(code) ? 'fatal' : kindOf(status)), code, status);
}

/** Errno names say more than the names of classes. */
function codeOf(error: SdkError): string {
  const code = typeof error.code === 'string' ? error.code : (error.name ?? 'Error');
  return /^[\w.-]{1,64}$/.test(code) ? code : 'Error';
}

function kindOf(status: number | undefined): FailureKind {
  const known = status === undefined ? undefined : BY_STATUS[status];
  if (known) return known;
  // Without a status the connection broke or the time was up; a broken answer may have any good status.
  return status !== undefined && status >= 300 && status < 500 ? 'fatal' : 'unknown';
}

/** True when the request may still be under way: nobody answered for it, or somebody before the server did. */
export function mayComeLate(thrown: unknown): boolean {
  return thrown instanceof S3Failure && (thrown.kind === 'unknown' || thrown.kind === 'slow');
}

/** What an operator has to know, by code. */
const REASONS: Readonly<Record<string, string>> = {
  AccessDenied: 'its credentials do not permit this; see docs/storage-s3.md for what they must permit',
  InvalidAccessKeyId: 'it does not know the access key; check the credentials',
  SignatureDoesNotMatch: 'it does not accept the signature; check the secret key and the region',
  ExpiredToken: 'the credentials have expired; renew them',
  RequestTimeTooSkewed: 'the clock of this machine differs from its own by too much; set it right',
  NoSuchBucket: 'the bucket does not exist; create it, or name another in the location file',
  PermanentRedirect: 'the bucket is in another region; set the region in the location file',
  AuthorizationHeaderMalformed: 'the bucket is in another region; set the region in the location file',
  CredentialsProviderError: 'no credentials were found; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role',
  ENOTFOUND: 'its host name is not known; check the endpoint',
  ECONNREFUSED: 'nobody listens at its endpoint; start it, or check the address',
  TimeoutError: 'it did not answer in time',
  AbortError: 'it did not answer in time',
  XMinioStorageFull: 'it has no space left; free some and try again',
};

/** The failure as an ArtefactError: `SlowDown` where waiting helps, else `Unavailable` with the reason. */
export function translate(thrown: unknown, location: string): ArtefactError {
  if (thrown instanceof ArtefactError) return thrown;
  const failure = failureOf(thrown);
  if (failure.kind === 'slow' || failure.kind === 'busy') {
    return new ArtefactError('SlowDown', `Storage location '${location}' asks for fewer requests; try again in a moment.`, {
      cause: failure,
    });
  }
  return unavailable(location, REASONS[failure.code] ?? `it answers ${failure.message}`, failure);
}

/** `Unavailable`, in the one wording all failures of a location have. */
export function unavailable(location: string, reason: string, cause?: unknown): ArtefactError {
  return new ArtefactError('Unavailable', `Storage location '${location}' cannot be used: ${reason}.`, { cause });
}
