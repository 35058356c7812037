/** Upload-Checksum of tus: what the content of one request must have. */
import type { ContentCheck } from '../../../core/ranges/contract.ts';
import type { HashAlgorithm } from '../../../core/hashing/checksums.ts';
import { ArtefactError } from '../../../errors.ts';

const ALGORITHMS: ReadonlyMap<string, { readonly algorithm: HashAlgorithm; readonly bytes: number }> = new Map([
  ['sha1', { algorithm: 'SHA1', bytes: 20 }],
  ['sha256', { algorithm: 'SHA256', bytes: 32 }],
  ['md5', { algorithm: 'MD5', bytes: 16 }],
]);

/** As `Tus-Checksum-Algorithm` lists them. */
export const CHECKSUM_ALGORITHMS = [...ALGORITHMS.keys()].join(',');

const FIELD = /^([a-z0-9]{1,16}) ([A-Za-z0-9+/]{1,128}={0,2})$/;

/** Throws `InvalidDigest` (reason `checksum`: 400) for an algorithm that is not offered, and for what is malformed. */
export function readChecksum(field: string | undefined): ContentCheck | undefined {
  if (field === undefined) return undefined;
  const match = FIELD.exec(field.trim());
  if (match === null) throw refused('Upload-Checksum must be an algorithm and a value in base64.');
  const known = ALGORITHMS.get(match[1]!);
  if (known === undefined) throw refused(`Upload-Checksum must use one of ${CHECKSUM_ALGORITHMS}.`);
  const value = Buffer.from(match[2]!, 'base64');
  if (value.length !== known.bytes) throw refused(`The ${match[1]} of Upload-Checksum must have ${known.bytes} bytes.`);
  return { algorithm: known.algorithm, value };
}

function refused(message: string): ArtefactError {
  return new ArtefactError('InvalidDigest', message);
}
