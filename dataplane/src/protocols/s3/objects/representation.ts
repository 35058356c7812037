/** A version as answer headers. */
import type { BucketConfig } from '@bonded/crds';
import type { Digest } from '../../../core/digest.ts';
import { digestHex } from '../../../core/digest.ts';
import type { Checksum, ContentHeaders, ObjectVersion } from '../../../core/object.ts';
import { wholeSeconds } from './conditions.ts';
import { DEFAULT_CONTENT_TYPE, writeContentHeaders } from './contentHeaders.ts';
import { metadataHeaders } from './metadata.ts';

type Headers = Readonly<Record<string, string>>;

/** An ETag as the wire has it. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** A time as documents have it: whole seconds, the same moment as Last-Modified says. */
export function isoTime(time: number): string {
  return new Date(wholeSeconds(time)).toISOString();
}

/** `sha-256=:…:` (RFC 9530 §3): the digest that everything here is known by. */
export function reprDigest(digest: Digest): string {
  return `sha-256=:${Buffer.from(digestHex(digest), 'hex').toString('base64')}:`;
}

/** `x-amz-checksum-<algorithm>` and its type. */
export function checksumHeaders(checksum: Checksum | undefined): Headers {
  if (!checksum) return {};
  return { [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** `ChecksumSHA256` and its like with the type, as elements. */
export function checksumElements(checksum: Checksum | undefined): Readonly<Record<string, string>> {
  return checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type } : {};
}

/** `x-amz-version-id`, where the bucket keeps (or kept) versions. */
export function versionHeaders(bucket: BucketConfig, versionId: string | undefined): Headers {
  return bucket.versioning === 'Disabled' || versionId === undefined ? {} : { 'x-amz-version-id': versionId };
}

/** What a write of an object answers. */
export function writtenHeaders(bucket: BucketConfig, version: ObjectVersion): Headers {
  return {
    etag: quoted(version.etag),
    'repr-digest': reprDigest(version.digest),
    ...checksumHeaders(version.checksum),
    ...versionHeaders(bucket, version.versionId),
  };
}

/** What GET and HEAD answer about a version, with the caller's `overrides`; without length, range and checksum. */
export function objectHeaders(bucket: BucketConfig, version: ObjectVersion, overrides: ContentHeaders): Headers {
  const own = Object.keys(overrides).length === 0 ? ownHeaders(version) : makeHeaders(version, { ...version.headers, ...overrides });
  return bucket.versioning === 'Disabled' ? own : { ...own, ...versionHeaders(bucket, version.versionId) };
}

const ownOf = new WeakMap<ObjectVersion, Headers>();

/** What a version says of itself. Storage gives many readers the same version, so it is made once for all of them. */
function ownHeaders(version: ObjectVersion): Headers {
  const known = ownOf.get(version);
  if (known) return known;
  const own = makeHeaders(version, version.headers);
  ownOf.set(version, own);
  return own;
}

function makeHeaders(version: ObjectVersion, content: ContentHeaders): Headers {
  return {
    ...writeContentHeaders(content),
    ...metadataHeaders(version.metadata),
    ...(version.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': version.storageClass }),
    etag: quoted(version.etag),
    'last-modified': new Date(version.modified).toUTCString(),
    'repr-digest': reprDigest(version.digest),
    'accept-ranges': 'bytes',
    ...browserHeaders(content.contentType ?? DEFAULT_CONTENT_TYPE),
  };
}

/** Media types that a browser runs scripts of when it shows them as a page, or whose parts have types of their own. */
const ACTIVE = /^\s*(text\/html|(text|application)\/xml|text\/xsl|[^;]*\+xml|multipart\/[^;]*)\s*(;|$)/i;

/**
 * What anyone uploaded must not act as Bonded's own pages: types are never guessed, and active ones are shown in a sandbox
 * with an origin of their own (CSP `sandbox`). Passive types are left alone: a sandbox would keep browsers from showing a PDF.
 */
function browserHeaders(contentType: string): Headers {
  const nosniff = { 'x-content-type-options': 'nosniff' };
  // of several types in one field, browsers take the last that they know (Fetch standard, "extract a MIME type")
  const active = contentType.split(',').some((type) => ACTIVE.test(type));
  return active ? { ...nosniff, 'content-security-policy': 'sandbox' } : nosniff;
}
