/** Readers of the parameters that several operations take. */
import type { Digest } from '../../core/digest.ts';
import { parseDigest } from '../../core/digest.ts';
import { ArtefactError } from '../../errors.ts';
import { MAX_CURSOR } from './cursor.ts';
import { optional, text } from './fields.ts';
import type { Reader } from './fields.ts';

/** The longest key, in UTF-8 bytes (as in S3). */
export const MAX_KEY_BYTES = 1024;

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A bucket's name on the wire; throws `InvalidBucketName`. */
export const bucketName: Reader<string> = (given, name) => {
  const value = text({ max: 255 })(given, name);
  if (BUCKET_NAME.test(value)) return value;
  throw new ArtefactError(
    'InvalidBucketName',
    'A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.',
  );
};

/** `sha256:<hex>`; throws `InvalidDigest`. */
export const digest: Reader<Digest> = (given, name) => parseDigest(text({ max: 200 })(given, name));

/** A cursor of an earlier page. */
export const cursor = optional(text({ max: MAX_CURSOR }));

/** A name in a bucket. */
export const key = text({ max: MAX_KEY_BYTES });
