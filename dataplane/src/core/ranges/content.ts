/** The bytes of a session as the content of a name. */
import { digestHex, sha256Digest } from '../digest.ts';
import type { Digest } from '../digest.ts';
import type { Content } from '../object.ts';

/**
 * Content that is known by its SHA-256. Its ETag is made of that: S3's form of an ETag that is no MD5, with 0 parts, which no
 * multipart upload has.
 */
export function contentOf(sha256: string, size: number): Content {
  const digest: Digest = sha256Digest(sha256);
  const value = Buffer.from(digestHex(digest), 'hex').toString('base64');
  return { digest, size, etag: `${sha256.slice(0, 32)}-0`, checksum: { algorithm: 'SHA256', type: 'FULL_OBJECT', value } };
}
