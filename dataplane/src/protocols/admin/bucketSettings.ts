/** What `PUT /api/v1/buckets/{bucket}` takes. */
import type { CorsRule } from '@bonded/crds';
import type { BucketSettings } from '../../core/core.ts';
import { listOf, mapOf, matching, objectOf, oneOf, optional, text, wholeNumber } from './fields.ts';
import type { Fields } from './fields.ts';

/** The limits of the Bucket resource, which are those of S3. */
const MAX_CORS_RULES = 100;
const MAX_TAGS = 50;
const MAX_INT32 = 2_147_483_647;

/** RFC 9110 §5.6.2 token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ONE_WILDCARD = /^[^*\s]*\*?[^*\s]*$/;
const TAG_NAME = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
/** Bytes that a character may take. */
const UTF8_MAX = 4;

const corsRule = objectOf<CorsRule>({
  id: optional(text({ max: 255 })),
  allowedOrigins: listOf(matching(ONE_WILDCARD, 512, 'an origin, with at most one *'), { min: 1, max: 100 }),
  allowedMethods: listOf(oneOf('GET', 'HEAD', 'PUT', 'POST', 'DELETE'), { min: 1, max: 5 }),
  allowedHeaders: optional(listOf(matching(ONE_WILDCARD, 256, 'a header name, with at most one *'), { max: 100 })),
  exposeHeaders: optional(listOf(matching(HEADER_NAME, 256, 'a header name'), { max: 100 })),
  maxAgeSeconds: optional(wholeNumber(0, MAX_INT32)),
});

const tagName = matching(TAG_NAME, 128 * UTF8_MAX, '1 to 128 letters, digits, spaces and _ . : / = + - @, not beginning with aws:');
const tagValue = matching(TAG_VALUE, 256 * UTF8_MAX, 'at most 256 letters, digits, spaces and _ . : / = + - @');

export interface PutBucketBody extends BucketSettings {
  readonly namespace?: string;
}

/** Fields of the body; each setting that is there replaces the one in force. */
export const PUT_BUCKET_FIELDS: Fields<PutBucketBody> = {
  namespace: optional(matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 63, 'the name of a namespace')),
  versioning: optional(oneOf('Enabled', 'Suspended')),
  cors: optional(listOf(corsRule, { max: MAX_CORS_RULES })),
  tags: optional(mapOf(tagName, tagValue, MAX_TAGS)),
};

/** The S3 action that each setting is changed by. */
export const SETTING_ACTIONS: Readonly<Record<keyof BucketSettings, string>> = {
  versioning: 's3:PutBucketVersioning',
  cors: 's3:PutBucketCORS',
  tags: 's3:PutBucketTagging',
};
