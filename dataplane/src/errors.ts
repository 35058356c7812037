/**
 * The one error class of the data plane, with a closed set of codes in domain words.
 *
 * Rooms throw it; each protocol renders every code in its own wire form (the compiler checks that none is missing);
 * whatever else is thrown becomes `Internal`, is logged with its cause and never shown.
 */

/** What went wrong, in words that no protocol owns. */
export type ErrorCode =
  // who is asking
  | 'AccessDenied'
  | 'CredentialsMissing'
  | 'CredentialsMalformed'
  | 'AccessKeyUnknown'
  | 'SignatureMismatch'
  | 'ClockSkew'
  | 'TokenExpired'
  | 'TokenInvalid'
  | 'RequestExpired'
  | 'CorsForbidden'
  // what is asked for
  | 'BucketUnknown'
  | 'NameUnknown'
  | 'VersionUnknown'
  | 'UploadUnknown'
  | 'DigestUnknown'
  | 'SettingUnset'
  | 'RouteUnknown'
  | 'MethodNotAllowed'
  | 'DeleteMarkerFound'
  | 'NotImplemented'
  // how it is asked
  | 'InvalidArgument'
  | 'InvalidRequest'
  | 'InvalidBucketName'
  | 'InvalidRange'
  | 'InvalidDigest'
  | 'InvalidTag'
  | 'InvalidStorageClass'
  | 'InvalidPolicy'
  | 'InvalidLocation'
  | 'NameTooLong'
  | 'MetadataTooLarge'
  | 'MalformedUri'
  | 'MalformedBody'
  | 'MalformedForm'
  | 'LengthRequired'
  | 'BodyIncomplete'
  | 'BodyTooLarge'
  | 'BodyTooSlow'
  | 'HeadersTooLarge'
  | 'AclUnsupported'
  // the bytes
  | 'DigestMismatch'
  | 'PayloadMismatch'
  | 'PartUnknown'
  | 'PartsOutOfOrder'
  | 'PartTooSmall'
  | 'PartDamaged'
  | 'BytesDamaged'
  // the state of things
  | 'NotModified'
  | 'PreconditionFailed'
  | 'ConcurrentChange'
  | 'BucketTaken'
  | 'BucketOwned'
  | 'BucketNotEmpty'
  | 'Immutable'
  | 'ManagedElsewhere'
  | 'Held'
  | 'Conflict'
  // us
  | 'SlowDown'
  | 'Unavailable'
  | 'Internal';

/** Extra facts that a protocol may render: never secrets, never causes. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface ErrorOptions {
  readonly details?: ErrorDetails;
  /** Logged, never shown to a client. */
  readonly cause?: unknown;
}

/** An expected failure. `message` is shown to the client: it says what to do next and holds no secret. */
export class ArtefactError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ArtefactError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Turns anything thrown into an ArtefactError; the unknown becomes `Internal` with a fixed message and its cause kept. */
export function asArtefactError(thrown: unknown): ArtefactError {
  if (thrown instanceof ArtefactError) return thrown;
  return new ArtefactError('Internal', 'We encountered an internal error. Please try again.', { cause: thrown });
}

/** True for an ArtefactError of one of these codes. */
export function isError(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is ArtefactError {
  return thrown instanceof ArtefactError && codes.includes(thrown.code);
}
