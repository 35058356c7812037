/** What S3 says to forms that it cannot take. */
import { ArtefactError } from '../../../errors.ts';
import { invalidArgument, s3Error } from '../errors.ts';

/** Not multipart/form-data as it should be. */
export function malformedForm(why: string, cause?: unknown): ArtefactError {
  return new ArtefactError('MalformedForm', `The body of your POST request is not well-formed multipart/form-data. ${why}`, { cause });
}

/** More before the file than a form may have. */
export function formTooLong(): ArtefactError {
  return s3Error(
    'MalformedForm',
    'MaxPostPreDataLengthExceededError',
    'Your POST request fields preceding the upload file were too large.',
  );
}

/** No part named `file`. */
export function noFile(): ArtefactError {
  return invalidArgument('file', '0', 'POST requires exactly one file upload per request.');
}

/** A field that must be there before the file. */
export function fieldMissing(name: string): ArtefactError {
  return invalidArgument(
    name,
    '',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  );
}
