/** What a request says that its bytes must turn out to be: from every header, trailer and signature that speaks of it. */
import type { Expected } from '../../../core/core.ts';
import type { ChecksumAlgorithm } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Payload, RequestHead } from '../../contract.ts';
import { claimedChecksum, contentMd5 } from '../checksumHeaders.ts';
import { headOf, requestFields } from './headerText.ts';

/** S3 computes this one when the client names none (its documentation, "Checking object integrity"). */
export const DEFAULT_CHECKSUM: ChecksumAlgorithm = 'CRC64NVME';

/**
 * Gathers Content-MD5, `x-amz-checksum-*` (header or trailer), Repr-Digest and Content-Digest (RFC 9530), the signed SHA-256
 * and the declared length. A checksum of `fallback` is computed when the client names none.
 * Throws `InvalidDigest`, `InvalidRequest`, `LengthRequired`; `DigestMismatch` for two digests that contradict each other.
 */
export function readExpected(head: RequestHead, payload: Payload, fallback: ChecksumAlgorithm = DEFAULT_CHECKSUM): Expected {
  requireLength(head);
  const meant = headOf(head, requestFields(head));
  return {
    size: payload.length,
    md5: contentMd5(meant),
    sha256: expectedSha256(meant, payload),
    checksum: expectedChecksum(meant, payload, fallback),
  };
}

/** Throws `LengthRequired` when the head leaves open whether content follows (RFC 9110 §15.5.12; S3's MissingContentLength). */
export function requireLength(head: RequestHead): void {
  if (head.headers['content-length'] !== undefined || head.headers['transfer-encoding'] !== undefined) return;
  throw new ArtefactError('LengthRequired', 'You must provide the Content-Length HTTP header.');
}

function expectedChecksum(head: RequestHead, payload: Payload, fallback: ChecksumAlgorithm): Expected['checksum'] {
  const claim = claimedChecksum(head);
  if (!claim) return { algorithm: fallback };
  if (claim.value !== undefined) return claim;
  const trailer = `x-amz-checksum-${claim.algorithm.toLowerCase()}`;
  return { algorithm: claim.algorithm, value: () => payload.trailers.get(trailer)?.trim() };
}

function expectedSha256(head: RequestHead, payload: Payload): Expected['sha256'] {
  const claimed = new Set([digestField(head, 'repr-digest'), digestField(head, 'content-digest')]);
  claimed.delete(undefined);
  const { signedSha256 } = payload;
  if (signedSha256 !== undefined) claimed.add(signedSha256);
  const [hex] = claimed;
  if (claimed.size > 1) throw new ArtefactError('DigestMismatch', 'The SHA-256 digests in this request contradict each other.');
  return hex === undefined ? undefined : { hex, signed: signedSha256 !== undefined };
}

const MEMBER = /^([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/]*={0,2}):(?:;[^,]*)?$/;

/**
 * The sha-256 member of a digest field as hex. Content-Digest of an aws-chunked request is about its framing, and skipped.
 * Other algorithms beside sha-256 are skipped as RFC 9530 §2 allows; a field without sha-256 is refused, since it asks for a check that would not happen.
 */
function digestField(head: RequestHead, name: 'repr-digest' | 'content-digest'): string | undefined {
  const field = head.headers[name];
  if (field === undefined || (name === 'content-digest' && isAwsChunked(head))) return undefined;
  const members = field.split(',').map((member) => MEMBER.exec(member.trim()));
  if (members.includes(null))
    throw new ArtefactError('InvalidDigest', `The ${name} you specified is not a dictionary of byte sequences (RFC 9530).`);
  const sha256 = members.findLast((member) => member![1] === 'sha-256');
  if (!sha256) throw new ArtefactError('InvalidDigest', `The ${name} you specified must hold sha-256: no other algorithm is checked here.`);
  const bytes = Buffer.from(sha256[2]!, 'base64');
  if (bytes.length !== 32) throw new ArtefactError('InvalidDigest', `The sha-256 of ${name} must be 32 bytes.`);
  return bytes.toString('hex');
}

function isAwsChunked(head: RequestHead): boolean {
  return head.headers['x-amz-content-sha256']?.startsWith('STREAMING-') ?? false;
}
