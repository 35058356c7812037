/** Which checksum an object made of parts, or of a copy, is to have. */
import type { UploadSession } from '../../../core/core.ts';
import type { Checksum, ChecksumAlgorithm } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import { CHECKSUM_LENGTHS, checksumAlgorithm } from '../checksumHeaders.ts';
import type { Fields } from './headerText.ts';

type ChecksumChoice = NonNullable<UploadSession['checksum']>;

/** What an upload gets whose creator asks for nothing, as in S3. */
const DEFAULT_CHOICE: ChecksumChoice = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' };

/** `x-amz-checksum-algorithm`; undefined without it. Throws `InvalidRequest` for one that is not computed here. */
export function readChecksumAlgorithm(fields: Fields): ChecksumAlgorithm | undefined {
  const name = fields['x-amz-checksum-algorithm'];
  if (name === undefined) return undefined;
  const algorithm = checksumAlgorithm(name);
  if (algorithm) return algorithm;
  const valid = Object.keys(CHECKSUM_LENGTHS).join(', ');
  throw new ArtefactError(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${valid}]`,
  );
}

/** `x-amz-checksum-type`; undefined without it. Throws `InvalidRequest`. */
export function readChecksumType(fields: Fields): Checksum['type'] | undefined {
  const type = fields['x-amz-checksum-type']?.toUpperCase();
  if (type === undefined || type === 'FULL_OBJECT' || type === 'COMPOSITE') return type;
  throw new ArtefactError('InvalidRequest', 'Value for x-amz-checksum-type header is invalid: use FULL_OBJECT or COMPOSITE.');
}

/**
 * The checksum of an upload: CRC64NVME is of the whole only, SHA-1 and SHA-256 of the parts' checksums only, the other CRCs either
 * (of the parts' unless said otherwise). Throws `InvalidRequest` for what cannot be.
 */
export function readChecksumChoice(fields: Fields): ChecksumChoice {
  const algorithm = readChecksumAlgorithm(fields);
  const type = readChecksumType(fields);
  if (algorithm === undefined) {
    if (type === undefined) return DEFAULT_CHOICE;
    throw new ArtefactError('InvalidRequest', 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  const only = ONLY_TYPE[algorithm];
  if (only !== undefined && type !== undefined && type !== only) {
    throw new ArtefactError(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: type ?? only ?? 'COMPOSITE' };
}

const ONLY_TYPE: Partial<Record<ChecksumAlgorithm, Checksum['type']>> = {
  CRC64NVME: 'FULL_OBJECT',
  SHA1: 'COMPOSITE',
  SHA256: 'COMPOSITE',
};
