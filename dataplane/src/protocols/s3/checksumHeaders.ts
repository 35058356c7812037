/** What a request's head says about the digests of its body: Content-MD5 and one of the `x-amz-checksum-*`. */
import type { ChecksumAlgorithm } from '../../core/object.ts';
import { ArtefactError } from '../../errors.ts';
import type { RequestHead } from '../contract.ts';
import { amzHeader, amzHeaders } from './head.ts';

/** The algorithms with the length of their digest in bytes. */
export const CHECKSUM_LENGTHS: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** A checksum that the client gives: in the head, or (then `value` is undefined) announced as a trailer. */
export interface ClaimedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value?: string;
}

const PREFIX = 'x-amz-checksum-';
/** Headers that share the prefix and carry no digest. */
const ABOUT_CHECKSUMS: ReadonlySet<string> = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode']);

/** The algorithm of that name in whatever case, or undefined. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(CHECKSUM_LENGTHS, upper) ? (upper as ChecksumAlgorithm) : undefined;
}

/** True for base64 of just as many bytes as the algorithm's digest has. */
function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  return isBase64Of(value, CHECKSUM_LENGTHS[algorithm]);
}

/**
 * The checksum of the body that the head gives or announces by `x-amz-trailer`. Throws `InvalidRequest` for an unknown
 * algorithm (ignoring one would lose the check the client asked for), for several, for a value of the wrong form, and
 * where `x-amz-sdk-checksum-algorithm` names one that does not come.
 */
export function claimedChecksum(head: RequestHead): ClaimedChecksum | undefined {
  const claims = [...headerClaims(head), ...trailerClaims(head)];
  if (claims.length > 1) throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const claim = claims[0];
  const named = amzHeader(head, 'x-amz-sdk-checksum-algorithm');
  if (named === undefined) return claim;
  if (!claim)
    throw invalid('x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.');
  if (checksumAlgorithm(named) !== claim.algorithm) throw invalid('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  return claim;
}

/** Content-MD5 as lower-case hex; throws `InvalidDigest` when it is not base64 of 16 bytes. */
export function contentMd5(head: RequestHead): string | undefined {
  const header = head.headers['content-md5'];
  if (header === undefined) return undefined;
  if (!isBase64Of(header, 16)) throw new ArtefactError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  return Buffer.from(header, 'base64').toString('hex');
}

function headerClaims(head: RequestHead): readonly ClaimedChecksum[] {
  const given = [...amzHeaders(head, PREFIX)].filter(([name]) => !ABOUT_CHECKSUMS.has(name));
  return given.map(([name, value]) => {
    const algorithm = algorithmOfHeader(name);
    if (!isChecksumValue(algorithm, value)) throw invalid(`Value for ${name} header is invalid.`);
    return { algorithm, value };
  });
}

function trailerClaims(head: RequestHead): readonly ClaimedChecksum[] {
  const announced = (head.headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  // some clients announce a trailer whose value they then put into the head
  const awaited = announced.filter((name) => name.startsWith(PREFIX) && head.headers[name] === undefined);
  return awaited.map((name) => ({ algorithm: algorithmOfHeader(name) }));
}

function algorithmOfHeader(name: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithm(name.slice(PREFIX.length));
  if (!algorithm) throw invalid(`${name} is not supported here: use ${Object.keys(CHECKSUM_LENGTHS).join(', ')}.`);
  return algorithm;
}

function isBase64Of(text: string, length: number): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text;
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message);
}
