/** Headers that answers about uploads share. */
import type { BucketConfig } from '@bonded/crds';
import { digestHex } from '../../core/digest.ts';
import { MAX_LENGTH } from '../../core/ranges/length.ts';
import type { RangeSession } from '../../core/ranges/contract.ts';
import type { ObjectVersion } from '../../core/object.ts';

type Headers = Readonly<Record<string, string>>;

/** What a name that was made is known by: its ETag, its digest (always sha-256, whatever Want-Repr-Digest prefers) and its version. */
export function namedHeaders(bucket: BucketConfig, version: ObjectVersion): Headers {
  return {
    etag: `"${version.etag}"`,
    'repr-digest': `sha-256=:${Buffer.from(digestHex(version.digest), 'hex').toString('base64')}:`,
    ...(bucket.versioning === 'Disabled' ? {} : { 'x-amz-version-id': version.versionId }),
  };
}

/** `Upload-Limit`: what may be sent, and how long there is, in seconds. */
export function limitHeader(session?: RangeSession): Headers {
  const age = session === undefined ? '' : `, max-age=${Math.max(0, Math.floor((session.expires - Date.now()) / 1000))}`;
  return { 'upload-limit': `max-size=${MAX_LENGTH}${age}` };
}

export const NO_STORE: Headers = { 'cache-control': 'no-store' };
