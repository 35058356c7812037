/** What `PUT /api/v1/buckets/{bucket}` takes. */
import type { CorsRule } from '@bonded/crds';
import type { BucketSettings } from '../../core/core.ts';
import { listOf, mapOf, matching, objectOf, oneOf, optional, text, wholeNumber } from './fields.ts';
import type { Fields } from './fields.ts';

/** The S3 limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html, …/API/API_PutBucketTagging.html */
const MAX_CORS_RULES = 100;
const MAX_TAGS = 50;

/** RFC 9110 §5.6.2 token, with `*` as S3's wildcard (a token character already). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}$/;
const ONE_WILDCARD = /^[^*\s]*\*?[^*\s]*$/;
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const header = matching(HEADER_NAME, 255, 'a header name, with at most one *');

const corsRule = objectOf<CorsRule>({
  id: optional(text({ max: 255 })),
  allowedOrigins: listOf(matching(ONE_WILDCARD, 255, 'an origin, with at most one *'), { min: 1, max: 100 }),
  allowedMethods: listOf(oneOf('GET', 'HEAD', 'PUT', 'POST', 'DELETE'), { min: 1, max: 5 }),
  allowedHeaders: optional(listOf(header, { max: 100 })),
  exposeHeaders: optional(listOf(header, { max: 100 })),
  maxAgeSeconds: optional(wholeNumber(0, 86_400 * 30)),
});

const tagName = matching(TAG_TEXT, 512, 'letters, digits, spaces and _ . : / = + - @');

export interface PutBucketBody extends BucketSettings {
  readonly namespace?: string;
}

/** Fields of the body; each setting that is there replaces the one in force. */
export const PUT_BUCKET_FIELDS: Fields<PutBucketBody> = {
  namespace: optional(matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 63, 'the name of a namespace')),
  versioning: optional(oneOf('Enabled', 'Suspended')),
  cors: optional(listOf(corsRule, { max: MAX_CORS_RULES })),
  tags: optional(mapOf(tagName, tagName, MAX_TAGS)),
};

/** The S3 action that each setting is changed by. */
export const SETTING_ACTIONS: Readonly<Record<keyof BucketSettings, string>> = {
  versioning: 's3:PutBucketVersioning',
  cors: 's3:PutBucketCORS',
  tags: 's3:PutBucketTagging',
};
