/** S3's wire form of every error, and short ways to throw the commonest. */
import { ArtefactError } from '../../errors.ts';
import type { ErrorCode, ErrorDetails } from '../../errors.ts';
import type { Reply } from '../contract.ts';
import { S3_CODES, S3_ERRORS } from './errorCodes.ts';
import type { S3Code, S3Error } from './errorCodes.ts';
import { detailElements, detailHeaders } from './errorDetails.ts';
import type { ErrorSubject } from './errorDetails.ts';
import { renderPlainXml } from './xml.ts';

/** An error that S3 knows by a finer code than ours. */
export function s3Error(code: ErrorCode, s3Code: S3Code, message: string, details: ErrorDetails = {}): ArtefactError {
  return new ArtefactError(code, message, { details: { ...details, s3Code } });
}

/** S3's InvalidArgument, which names the argument and repeats its value. */
export function invalidArgument(argumentName: string, argumentValue: string, message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, { details: { argumentName, argumentValue } });
}

/** For what S3 has and Bonded has not; `header` or subresource named so that people know what to leave out. */
export function notImplemented(feature: string): ArtefactError {
  return new ArtefactError(
    'NotImplemented',
    `A header or parameter you provided implies functionality that is not implemented: ${feature}.`,
    {
      details: { header: feature },
    },
  );
}

/** `<Error>` with S3's code, status and extra elements; 304 has headers only. Never shows a cause. */
export function renderS3Error(error: ArtefactError, subject: ErrorSubject): Reply {
  const { status, code } = s3ErrorOf(error);
  const headers = detailHeaders(error, status);
  if (status === 304) return { status, headers };
  const body = renderPlainXml('Error', {
    Code: code,
    Message: error.message,
    ...detailElements(error, subject),
    RequestId: subject.requestId,
    HostId: 'bonded',
  });
  return { status, headers: { ...headers, 'content-type': 'application/xml' }, body };
}

/** `details.s3Code` when it is one of the known finer codes, else what the table says. */
export function s3ErrorOf(error: ArtefactError): S3Error {
  const finer = error.details.s3Code;
  if (typeof finer === 'string' && Object.hasOwn(S3_CODES, finer)) return { status: S3_CODES[finer as S3Code], code: finer };
  // "If the specified version is a delete marker, S3 answers 405" (GetObject); without a version id it is a plain 404
  if (error.code === 'DeleteMarkerFound' && error.details.byVersionId === true) return S3_ERRORS.MethodNotAllowed;
  return S3_ERRORS[error.code];
}
