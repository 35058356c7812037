/** Which STS error every domain code is: the compiler checks that none is missing. */
import type { ErrorCode } from '../../errors.ts';

interface StsError {
  readonly status: number;
  /** What clients compare: the text of `<Code>`. */
  readonly code: string;
}

const VALIDATION: StsError = { status: 400, code: 'ValidationError' };
const INTERNAL: StsError = { status: 500, code: 'InternalFailure' };
const UNAVAILABLE: StsError = { status: 503, code: 'ServiceUnavailable' };
const DENIED: StsError = { status: 403, code: 'AccessDenied' };

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and API_AssumeRoleWithWebIdentity.html.
 * What STS has no operation for (buckets, names, parts) cannot come up here; it is `ValidationError` all the same.
 */
export const STS_ERRORS: Readonly<Record<ErrorCode, StsError>> = {
  AccessDenied: DENIED,
  CredentialsMissing: { status: 403, code: 'MissingAuthenticationToken' },
  CredentialsMalformed: { status: 400, code: 'IncompleteSignature' },
  AccessKeyUnknown: { status: 403, code: 'InvalidClientTokenId' },
  SignatureMismatch: { status: 403, code: 'SignatureDoesNotMatch' },
  // STS says both of a signature that is too old or too new by this code
  ClockSkew: { status: 403, code: 'SignatureDoesNotMatch' },
  TokenExpired: { status: 400, code: 'ExpiredTokenException' },
  TokenInvalid: { status: 400, code: 'InvalidIdentityToken' },
  RequestExpired: { status: 400, code: 'RequestExpired' },
  CorsForbidden: DENIED,

  BucketUnknown: VALIDATION,
  NameUnknown: VALIDATION,
  VersionUnknown: VALIDATION,
  UploadUnknown: VALIDATION,
  DigestUnknown: VALIDATION,
  SettingUnset: VALIDATION,
  RouteUnknown: { status: 404, code: 'InvalidAction' },
  MethodNotAllowed: { status: 405, code: 'InvalidAction' },
  DeleteMarkerFound: VALIDATION,
  // a parameter that is not built; for an action that is not, see InvalidAction below
  NotImplemented: VALIDATION,

  InvalidArgument: VALIDATION,
  InvalidRequest: VALIDATION,
  InvalidBucketName: VALIDATION,
  InvalidRange: VALIDATION,
  InvalidDigest: VALIDATION,
  InvalidTag: VALIDATION,
  InvalidStorageClass: VALIDATION,
  InvalidPolicy: { status: 400, code: 'MalformedPolicyDocument' },
  InvalidLocation: VALIDATION,
  NameTooLong: VALIDATION,
  MetadataTooLarge: VALIDATION,
  MalformedUri: { status: 400, code: 'MalformedInput' },
  MalformedBody: { status: 400, code: 'MalformedInput' },
  MalformedForm: { status: 400, code: 'MalformedInput' },
  LengthRequired: { status: 411, code: 'MalformedInput' },
  BodyIncomplete: { status: 400, code: 'MalformedInput' },
  BodyTooLarge: { status: 413, code: 'MalformedInput' },
  BodyTooSlow: { status: 408, code: 'RequestExpired' },
  HeadersTooLarge: { status: 431, code: 'MalformedInput' },
  AclUnsupported: VALIDATION,

  DigestMismatch: VALIDATION,
  PayloadMismatch: { status: 403, code: 'SignatureDoesNotMatch' },
  PartUnknown: VALIDATION,
  PartsOutOfOrder: VALIDATION,
  PartTooSmall: VALIDATION,
  PartDamaged: VALIDATION,
  BytesDamaged: INTERNAL,

  NotModified: { status: 304, code: 'NotModified' },
  PreconditionFailed: { status: 412, code: 'ValidationError' },
  ConcurrentChange: UNAVAILABLE,
  BucketTaken: VALIDATION,
  BucketOwned: VALIDATION,
  BucketNotEmpty: VALIDATION,
  Immutable: DENIED,
  ManagedElsewhere: DENIED,
  Held: DENIED,
  Conflict: UNAVAILABLE,

  SlowDown: { status: 400, code: 'Throttling' },
  Unavailable: UNAVAILABLE,
  Internal: INTERNAL,
};

/** STS codes that are finer than ours, with their status: `details.stsCode` picks one of them, and nothing else. */
export const STS_CODES = {
  MissingAction: 400,
  MissingParameter: 400,
  InvalidAction: 400,
  InvalidParameterValue: 400,
  // of a session token in a signed request, while ExpiredTokenException is about the web identity token
  ExpiredToken: 403,
  InvalidClientTokenId: 403,
} as const;

export type StsCode = keyof typeof STS_CODES;
