/** Status and title of every error code where errors are problem documents: the compiler checks that none is missing. */
import type { ErrorCode } from '../errors.ts';

interface ProblemKind {
  readonly status: number;
  /** The same for every occurrence (RFC 9457 §3.1.3); what happened this time is the message. */
  readonly title: string;
}

/** 401 means "come again with other credentials", 403 "these are known and may not". */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  AccessDenied: { status: 403, title: 'Access denied' },
  CredentialsMissing: { status: 401, title: 'Credentials are needed' },
  CredentialsMalformed: { status: 401, title: 'Credentials cannot be read' },
  AccessKeyUnknown: { status: 401, title: 'Unknown access key' },
  SignatureMismatch: { status: 401, title: 'The signature does not match' },
  ClockSkew: { status: 401, title: 'The clocks differ too much' },
  TokenExpired: { status: 401, title: 'The token has expired' },
  TokenInvalid: { status: 401, title: 'The token is not valid' },
  RequestExpired: { status: 401, title: 'The request has expired' },
  CorsForbidden: { status: 403, title: 'Not allowed from this origin' },

  BucketUnknown: { status: 404, title: 'No such bucket' },
  NameUnknown: { status: 404, title: 'No such name' },
  VersionUnknown: { status: 404, title: 'No such version' },
  UploadUnknown: { status: 404, title: 'No such upload' },
  DigestUnknown: { status: 404, title: 'No such digest' },
  SettingUnset: { status: 404, title: 'The setting is not set' },
  RouteUnknown: { status: 404, title: 'No such route' },
  MethodNotAllowed: { status: 405, title: 'Method not allowed' },
  DeleteMarkerFound: { status: 404, title: 'The name is deleted' },
  NotImplemented: { status: 501, title: 'Not implemented' },

  InvalidArgument: { status: 400, title: 'Invalid argument' },
  InvalidRequest: { status: 400, title: 'Invalid request' },
  InvalidBucketName: { status: 400, title: 'Invalid bucket name' },
  InvalidRange: { status: 416, title: 'Range not satisfiable' },
  InvalidDigest: { status: 400, title: 'Invalid digest' },
  InvalidTag: { status: 400, title: 'Invalid tag' },
  InvalidStorageClass: { status: 400, title: 'Invalid storage class' },
  InvalidPolicy: { status: 400, title: 'Invalid policy' },
  InvalidLocation: { status: 400, title: 'Invalid location' },
  NameTooLong: { status: 400, title: 'The name is too long' },
  MetadataTooLarge: { status: 400, title: 'Too much metadata' },
  MalformedUri: { status: 400, title: 'Malformed URI' },
  MalformedBody: { status: 400, title: 'Malformed body' },
  MalformedForm: { status: 400, title: 'Malformed form' },
  LengthRequired: { status: 411, title: 'Length required' },
  BodyIncomplete: { status: 400, title: 'The body is incomplete' },
  BodyTooLarge: { status: 413, title: 'The body is too large' },
  BodyTooSlow: { status: 408, title: 'The body came too slowly' },
  HeadersTooLarge: { status: 431, title: 'The header fields are too large' },
  AclUnsupported: { status: 400, title: 'ACLs are not supported' },

  DigestMismatch: { status: 400, title: 'The digest does not match' },
  PayloadMismatch: { status: 400, title: 'The body is not the signed one' },
  PartUnknown: { status: 400, title: 'No such part' },
  PartsOutOfOrder: { status: 400, title: 'Parts are out of order' },
  PartTooSmall: { status: 400, title: 'The part is too small' },
  PartDamaged: { status: 409, title: 'Bytes of the upload were damaged in storage' },
  BytesDamaged: { status: 500, title: 'The stored bytes are damaged' },

  NotModified: { status: 304, title: 'Not modified' },
  PreconditionFailed: { status: 412, title: 'Precondition failed' },
  ConcurrentChange: { status: 409, title: 'Changed at the same time' },
  BucketTaken: { status: 409, title: 'The bucket name is taken' },
  BucketOwned: { status: 409, title: 'The bucket exists already' },
  BucketNotEmpty: { status: 409, title: 'The bucket is not empty' },
  Immutable: { status: 409, title: 'The name is immutable' },
  ManagedElsewhere: { status: 409, title: 'Managed elsewhere' },
  Held: { status: 403, title: 'Held at the door' },
  Conflict: { status: 409, title: 'Conflict' },

  SlowDown: { status: 503, title: 'Slow down' },
  Unavailable: { status: 503, title: 'Unavailable' },
  Internal: { status: 500, title: 'Internal error' },
};

/** The problem type of a code: a tag URI (RFC 4151), since there is nothing to fetch at it. */
export function problemType(code: ErrorCode): string {
  return `tag:bonded.dev,2026:${code}`;
}
