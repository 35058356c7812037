/** Digests: the names of bytes. */
import { ArtefactError } from '../errors.ts';

/** `sha256:<64 lower-case hex>` (OCI's digest grammar). */
export type Digest = `sha256:${string}`;

const HEX_SHA256 = /^[0-9a-f]{64}$/;

/** Makes a Digest of lower-case hex; throws `InvalidDigest` for anything else. */
export function sha256Digest(hex: string): Digest {
  if (!HEX_SHA256.test(hex)) throw new ArtefactError('InvalidDigest', 'A SHA-256 digest has 64 lower-case hexadecimal digits.');
  return `sha256:${hex}`;
}

/** Reads `sha256:<hex>`; throws `InvalidDigest` for anything else. */
export function parseDigest(text: string): Digest {
  if (!text.startsWith('sha256:'))
    throw new ArtefactError('InvalidDigest', 'Only sha256 digests are kept; write sha256:<64 hexadecimal digits>.');
  return sha256Digest(text.slice('sha256:'.length));
}

/** The hex part. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** What a client calls bytes by: a digest of ours, or one of another algorithm. */
export type DigestName = Digest | `sha512:${string}`;

const HEX_SHA512 = /^[0-9a-f]{128}$/;

/** Reads `sha256:<hex>` or `sha512:<hex>`; throws `InvalidDigest` for anything else. */
export function parseDigestName(text: string): DigestName {
  if (text.startsWith('sha512:') && HEX_SHA512.test(text.slice('sha512:'.length))) return text as `sha512:${string}`;
  return parseDigest(text);
}
