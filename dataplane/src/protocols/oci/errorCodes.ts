/** Which code of the distribution-spec every domain code is: the compiler checks that none is missing. */
import type { ErrorCode } from '../../errors.ts';

/** distribution-spec 1.1, "Error Codes". */
export type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  // of the registries before the spec, for what it has no code for
  | 'UNKNOWN'
  | 'UNAVAILABLE';

interface OciError {
  readonly status: number;
  readonly code: OciCode;
}

const UNAUTHORIZED: OciError = { status: 401, code: 'UNAUTHORIZED' };
const DENIED: OciError = { status: 403, code: 'DENIED' };
const UNSUPPORTED: OciError = { status: 400, code: 'UNSUPPORTED' };
const NAME_UNKNOWN: OciError = { status: 404, code: 'NAME_UNKNOWN' };
const UPLOAD_INVALID: OciError = { status: 400, code: 'BLOB_UPLOAD_INVALID' };
const SIZE_INVALID: OciError = { status: 400, code: 'SIZE_INVALID' };
const DIGEST_INVALID: OciError = { status: 400, code: 'DIGEST_INVALID' };
const UNAVAILABLE: OciError = { status: 503, code: 'UNAVAILABLE' };
const INTERNAL: OciError = { status: 500, code: 'UNKNOWN' };

export const OCI_ERRORS: Readonly<Record<ErrorCode, OciError>> = {
  AccessDenied: DENIED,
  CredentialsMissing: UNAUTHORIZED,
  CredentialsMalformed: UNAUTHORIZED,
  AccessKeyUnknown: UNAUTHORIZED,
  SignatureMismatch: UNAUTHORIZED,
  ClockSkew: UNAUTHORIZED,
  TokenExpired: UNAUTHORIZED,
  TokenInvalid: UNAUTHORIZED,
  RequestExpired: UNAUTHORIZED,
  CorsForbidden: DENIED,

  BucketUnknown: NAME_UNKNOWN,
  NameUnknown: NAME_UNKNOWN,
  VersionUnknown: NAME_UNKNOWN,
  UploadUnknown: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
  DigestUnknown: { status: 404, code: 'BLOB_UNKNOWN' },
  SettingUnset: NAME_UNKNOWN,
  RouteUnknown: { status: 404, code: 'UNSUPPORTED' },
  MethodNotAllowed: { status: 405, code: 'UNSUPPORTED' },
  DeleteMarkerFound: NAME_UNKNOWN,
  NotImplemented: { status: 501, code: 'UNSUPPORTED' },

  InvalidArgument: UNSUPPORTED,
  InvalidRequest: UPLOAD_INVALID,
  InvalidBucketName: { status: 400, code: 'NAME_INVALID' },
  InvalidRange: { status: 416, code: 'SIZE_INVALID' },
  InvalidDigest: DIGEST_INVALID,
  InvalidTag: UNSUPPORTED,
  InvalidStorageClass: UNSUPPORTED,
  InvalidPolicy: UNSUPPORTED,
  InvalidLocation: UNSUPPORTED,
  NameTooLong: { status: 400, code: 'NAME_INVALID' },
  MetadataTooLarge: { status: 400, code: 'MANIFEST_INVALID' },
  MalformedUri: { status: 400, code: 'NAME_INVALID' },
  MalformedBody: { status: 400, code: 'MANIFEST_INVALID' },
  MalformedForm: UNSUPPORTED,
  LengthRequired: { status: 411, code: 'SIZE_INVALID' },
  BodyIncomplete: SIZE_INVALID,
  BodyTooLarge: { status: 413, code: 'SIZE_INVALID' },
  BodyTooSlow: { status: 408, code: 'BLOB_UPLOAD_INVALID' },
  HeadersTooLarge: { status: 431, code: 'UNSUPPORTED' },
  AclUnsupported: UNSUPPORTED,

  DigestMismatch: DIGEST_INVALID,
  PayloadMismatch: DIGEST_INVALID,
  PartUnknown: UPLOAD_INVALID,
  PartsOutOfOrder: UPLOAD_INVALID,
  PartTooSmall: SIZE_INVALID,
  PartDamaged: UPLOAD_INVALID,
  BytesDamaged: INTERNAL,

  NotModified: { status: 304, code: 'UNKNOWN' },
  PreconditionFailed: { status: 412, code: 'DENIED' },
  ConcurrentChange: { status: 409, code: 'BLOB_UPLOAD_INVALID' },
  BucketTaken: DENIED,
  BucketOwned: DENIED,
  BucketNotEmpty: DENIED,
  Immutable: DENIED,
  ManagedElsewhere: DENIED,
  Held: DENIED,
  Conflict: UNAVAILABLE,

  SlowDown: { status: 429, code: 'TOOMANYREQUESTS' },
  Unavailable: UNAVAILABLE,
  Internal: INTERNAL,
};
