/** The preflight: a browser asks, without credentials, what a page of another origin may do here (Fetch standard, §3.3 "CORS protocol"). */
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { bucketNamed } from '../bucketOf.ts';
import { s3Error } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { CORS_VARY, originHeaders, ruleFor } from '../../cors.ts';

const MAX_HEADERS = 100;

/** Answers the same about a bucket that is not there and about one without rules. */
export async function preflight(call: Call<BucketParams>): Promise<Reply> {
  const { origin, method, headers } = readPreflight(call.head);
  const rules = bucketNamed(call.snapshot, call.params.bucket)?.cors ?? [];
  if (rules.length === 0) throw new ArtefactError('CorsForbidden', 'CORSResponse: CORS is not enabled for this bucket.');
  const rule = ruleFor(rules, { origin, method, headers });
  if (!rule) {
    throw new ArtefactError(
      'CorsForbidden',
      'CORSResponse: This CORS request is not allowed: no rule of the bucket allows this Origin, Access-Control-Request-Method and Access-Control-Request-Headers together.',
    );
  }
  return {
    status: 200,
    headers: { ...originHeaders(rule, origin), ...whatMayBeSent(rule.maxAgeSeconds, headers), vary: CORS_VARY, 'content-length': '0' },
  };
}

function whatMayBeSent(maxAgeSeconds: number | undefined, headers: readonly string[]): Record<string, string> {
  return {
    ...(headers.length > 0 ? { 'access-control-allow-headers': headers.join(', ') } : {}),
    ...(maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(maxAgeSeconds) }),
  };
}

function readPreflight({ headers }: RequestHead) {
  const { origin } = headers;
  const method = headers['access-control-request-method'];
  if (origin === undefined) throw s3Error('InvalidRequest', 'BadRequest', 'Insufficient information. Origin request header needed.');
  if (method === undefined)
    throw s3Error('InvalidRequest', 'BadRequest', 'Insufficient information. Access-Control-Request-Method request header needed.');
  const asked = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== '');
  if (asked.length > MAX_HEADERS) throw s3Error('InvalidRequest', 'BadRequest', 'Access-Control-Request-Headers names too many headers.');
  return { origin, method, headers: asked };
}
