/** What a completion asks for: the parts in their order, and what the whole must turn out to be. */
import type { PartClaim } from '../../../core/core.ts';
import type { Checksum, ChecksumAlgorithm } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import { mapInSlices } from '../../../slices.ts';
import { CHECKSUM_LENGTHS, checksumAlgorithm } from '../checksumHeaders.ts';
import { invalidArgument } from '../errors.ts';
import { readChecksumType } from '../objects/checksumChoice.ts';
import type { Fields } from '../objects/headerText.ts';
import { allowOnly } from '../xml.ts';
import type { XmlElement } from '../xml.ts';

/** Parts of one upload. */
export const MAX_PARTS = 10_000;

const ALGORITHMS = Object.keys(CHECKSUM_LENGTHS) as readonly ChecksumAlgorithm[];
/** What a line may hold. */
const FIELDS = ['PartNumber', 'ETag', ...ALGORITHMS.map((algorithm) => `Checksum${algorithm}`)];

/** Reads the lines of a `CompleteMultipartUpload` document. Throws `MalformedBody` for none, or too many; their order is judged by the core. */
export async function readPartClaims(document: XmlElement): Promise<readonly PartClaim[]> {
  allowOnly(document, ['Part']);
  const parts = document.all('Part');
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw new ArtefactError('MalformedBody', `The XML you provided must list between 1 and ${MAX_PARTS} parts.`);
  }
  return mapInSlices(parts, readPartClaim);
}

function readPartClaim(part: XmlElement): PartClaim {
  allowOnly(part, FIELDS);
  const written = part.required('PartNumber').text.trim();
  const number = /^\d{1,5}$/.test(written) ? Number(written) : 0;
  if (number < 1 || number > MAX_PARTS)
    throw invalidArgument('PartNumber', written.slice(0, 64), `PartNumber must be >= 1, <= ${MAX_PARTS}`);
  const etag = part
    .required('ETag')
    .text.trim()
    .replace(/^"(.*)"$/, '$1');
  const checksums: Partial<Record<ChecksumAlgorithm, string>> = {};
  for (const algorithm of ALGORITHMS) {
    const value = part.child(`Checksum${algorithm}`)?.text.trim();
    if (value) checksums[algorithm] = value;
  }
  return { number, etag, checksums };
}

const PREFIX = 'x-amz-checksum-';
const NOT_VALUES: ReadonlySet<string> = new Set([`${PREFIX}type`, `${PREFIX}algorithm`, `${PREFIX}mode`]);

/**
 * The checksum that the whole must have, from `x-amz-checksum-*`; here these fields speak of the object, not of the request's body.
 * Composite values may come with or without their `-N`. Throws `InvalidRequest`.
 */
export function readWholeChecksum(fields: Fields, partCount: number): Checksum | undefined {
  const name = checksumField(fields);
  if (name === undefined) return undefined;
  const value = fields[name] ?? '';
  const algorithm = checksumAlgorithm(name.slice(PREFIX.length));
  if (!algorithm) throw invalid(`${name} is not supported here: use ${ALGORITHMS.join(', ')}.`);
  const [, digest = '', count] = VALUE.exec(value) ?? [];
  if (Buffer.from(digest, 'base64').length !== CHECKSUM_LENGTHS[algorithm]) throw invalid(`Value for ${name} header is invalid.`);
  const type = readChecksumType(fields) ?? typeOfValue(count);
  return { algorithm, type, value: type === 'FULL_OBJECT' ? value : digest + (count ?? `-${partCount}`) };
}

function checksumField(fields: Fields): string | undefined {
  const [name, ...further] = Object.keys(fields).filter((field) => field.startsWith(PREFIX) && !NOT_VALUES.has(field));
  if (further.length === 0) return name;
  throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
}

/** Base64 with, for composite ones, the number of parts. */
const VALUE = /^([A-Za-z0-9+/]+={0,2})(-\d{1,5})?$/;

function typeOfValue(count: string | undefined): Checksum['type'] {
  return count === undefined ? 'FULL_OBJECT' : 'COMPOSITE';
}

/** `x-amz-mp-object-size` in bytes; throws `InvalidArgument`. */
export function readWholeSize(fields: Fields): number | undefined {
  const field = fields['x-amz-mp-object-size'];
  if (field === undefined) return undefined;
  if (!/^\d{1,15}$/.test(field))
    throw invalidArgument('x-amz-mp-object-size', field.slice(0, 64), 'The object size must be a number of bytes.');
  return Number(field);
}

/** The fields without those that speak of the whole object: what is left of checksums is about the document itself. */
export function withoutWholeChecksum(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith(PREFIX) && name !== 'x-amz-sdk-checksum-algorithm'));
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message);
}
