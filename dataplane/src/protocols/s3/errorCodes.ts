/** Which S3 error every domain code is: the compiler checks that none is missing. */
import type { ErrorCode } from '../../errors.ts';

export interface S3Error {
  readonly status: number;
  /** What clients compare: the text of `<Code>`. */
  readonly code: string;
}

/** Status and S3 code by domain code. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const S3_ERRORS: Readonly<Record<ErrorCode, S3Error>> = {
  AccessDenied: { status: 403, code: 'AccessDenied' },
  CredentialsMissing: { status: 403, code: 'AccessDenied' },
  CredentialsMalformed: { status: 400, code: 'AuthorizationHeaderMalformed' },
  AccessKeyUnknown: { status: 403, code: 'InvalidAccessKeyId' },
  SignatureMismatch: { status: 403, code: 'SignatureDoesNotMatch' },
  ClockSkew: { status: 403, code: 'RequestTimeTooSkewed' },
  TokenExpired: { status: 400, code: 'ExpiredToken' },
  TokenInvalid: { status: 400, code: 'InvalidToken' },
  RequestExpired: { status: 403, code: 'AccessDenied' },
  CorsForbidden: { status: 403, code: 'AccessForbidden' },

  BucketUnknown: { status: 404, code: 'NoSuchBucket' },
  NameUnknown: { status: 404, code: 'NoSuchKey' },
  VersionUnknown: { status: 404, code: 'NoSuchVersion' },
  UploadUnknown: { status: 404, code: 'NoSuchUpload' },
  // S3 has no routes by digest: bytes that a name points at and storage does not have are our fault
  DigestUnknown: { status: 500, code: 'InternalError' },
  SettingUnset: { status: 404, code: 'NoSuchConfiguration' },
  RouteUnknown: { status: 404, code: 'NoSuchResource' },
  MethodNotAllowed: { status: 405, code: 'MethodNotAllowed' },
  DeleteMarkerFound: { status: 404, code: 'NoSuchKey' },
  NotImplemented: { status: 501, code: 'NotImplemented' },

  InvalidArgument: { status: 400, code: 'InvalidArgument' },
  InvalidRequest: { status: 400, code: 'InvalidRequest' },
  InvalidBucketName: { status: 400, code: 'InvalidBucketName' },
  InvalidRange: { status: 416, code: 'InvalidRange' },
  InvalidDigest: { status: 400, code: 'InvalidDigest' },
  InvalidTag: { status: 400, code: 'InvalidTag' },
  InvalidStorageClass: { status: 400, code: 'InvalidStorageClass' },
  InvalidPolicy: { status: 400, code: 'MalformedPolicy' },
  InvalidLocation: { status: 400, code: 'InvalidLocationConstraint' },
  NameTooLong: { status: 400, code: 'KeyTooLongError' },
  MetadataTooLarge: { status: 400, code: 'MetadataTooLarge' },
  MalformedUri: { status: 400, code: 'InvalidURI' },
  MalformedBody: { status: 400, code: 'MalformedXML' },
  MalformedForm: { status: 400, code: 'MalformedPOSTRequest' },
  LengthRequired: { status: 411, code: 'MissingContentLength' },
  BodyIncomplete: { status: 400, code: 'IncompleteBody' },
  BodyTooLarge: { status: 400, code: 'EntityTooLarge' },
  BodyTooSlow: { status: 400, code: 'RequestTimeout' },
  HeadersTooLarge: { status: 400, code: 'RequestHeaderSectionTooLarge' },
  AclUnsupported: { status: 400, code: 'AccessControlListNotSupported' },

  DigestMismatch: { status: 400, code: 'BadDigest' },
  PayloadMismatch: { status: 400, code: 'XAmzContentSHA256Mismatch' },
  PartUnknown: { status: 400, code: 'InvalidPart' },
  PartsOutOfOrder: { status: 400, code: 'InvalidPartOrder' },
  PartTooSmall: { status: 400, code: 'EntityTooSmall' },
  // The part that was uploaded is not there any more: what clients do about it is the same
  PartDamaged: { status: 400, code: 'InvalidPart' },
  // S3 has no word for it; a 4xx would say that the request is wrong, a 503 that waiting helps
  BytesDamaged: { status: 500, code: 'ObjectDamaged' },

  NotModified: { status: 304, code: 'NotModified' },
  PreconditionFailed: { status: 412, code: 'PreconditionFailed' },
  ConcurrentChange: { status: 409, code: 'ConditionalRequestConflict' },
  BucketTaken: { status: 409, code: 'BucketAlreadyExists' },
  BucketOwned: { status: 409, code: 'BucketAlreadyOwnedByYou' },
  BucketNotEmpty: { status: 409, code: 'BucketNotEmpty' },
  Immutable: { status: 403, code: 'AccessDenied' },
  // not OperationAborted, which clients repeat: repeating does not help here
  ManagedElsewhere: { status: 409, code: 'InvalidBucketState' },
  // not InvalidObjectState, which clients read as "archived, restore it first"
  Held: { status: 403, code: 'AccessDenied' },
  Conflict: { status: 409, code: 'OperationAborted' },

  SlowDown: { status: 503, code: 'SlowDown' },
  Unavailable: { status: 503, code: 'ServiceUnavailable' },
  Internal: { status: 500, code: 'InternalError' },
};

/** S3 codes that are finer than ours, with their status: `details.s3Code` picks one of them, and nothing else. */
export const S3_CODES = {
  AuthorizationQueryParametersError: 400,
  BadRequest: 400,
  IllegalLocationConstraintException: 400,
  IllegalVersioningConfigurationException: 400,
  IncorrectNumberOfFilesInPostRequest: 400,
  InvalidBucketAclWithObjectOwnership: 400,
  InvalidChunkSizeError: 403,
  InvalidEncryptionAlgorithmError: 400,
  InvalidPartNumber: 416,
  InvalidPolicyDocument: 400,
  InvalidTargetBucketForLogging: 400,
  EntityTooSmall: 400,
  MalformedACLError: 400,
  MalformedTrailerError: 400,
  MaxMessageLengthExceeded: 400,
  MaxPostPreDataLengthExceededError: 400,
  MissingRequestBodyError: 400,
  MissingSecurityHeader: 400,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchWebsiteConfiguration: 404,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  ReplicationConfigurationNotFoundError: 404,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  UnexpectedContent: 400,
  UserKeyMustBeSpecified: 400,
} as const;

/** One of those finer codes. */
export type S3Code = keyof typeof S3_CODES;
