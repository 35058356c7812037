/** Everything a request says about an object beside its bytes; what Bonded does not offer is refused here, never dropped. */
import type { ObjectAttributes } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import { notImplemented } from '../errors.ts';
import { parseTaggingHeader } from '../tagging.ts';
import { readContentHeaders } from './contentHeaders.ts';
import { fromField } from './headerText.ts';
import type { Fields } from './headerText.ts';
import { readMetadata } from './metadata.ts';

/** Classes that S3 reads from at once: kept as a label and reported. */
const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
]);

/**
 * Reads content headers, user metadata, tags and storage class. Throws `InvalidStorageClass`, `InvalidTag`, `MetadataTooLarge`,
 * `InvalidArgument`, and refuses encryption, object lock and appending.
 */
export function readAttributes(fields: Fields): ObjectAttributes {
  refuseUnbuilt(fields);
  return {
    headers: readContentHeaders(fields),
    metadata: readMetadata(fields),
    tags: readTags(fields),
    storageClass: readStorageClass(fields),
  };
}

/** The tags of an `x-amz-tagging` field; none without it. */
export function readTags(fields: Fields): Readonly<Record<string, string>> {
  const field = fields['x-amz-tagging'];
  return field === undefined ? {} : parseTaggingHeader(fromField(field));
}

/** Archive classes are refused: their objects would have to be restored before they can be read, and nothing here does that. */
export function readStorageClass(fields: Fields): string {
  const storageClass = fields['x-amz-storage-class'] ?? 'STANDARD';
  if (STORAGE_CLASSES.has(storageClass)) return storageClass;
  throw new ArtefactError(
    'InvalidStorageClass',
    `The storage class you specified is not valid. Use one of ${[...STORAGE_CLASSES].join(', ')}.`,
  );
}

/** Throws for headers of features that are not here: encryption with keys of ours or theirs, object lock, appending. */
export function refuseUnbuilt(fields: Fields): void {
  for (const name of Object.keys(fields)) {
    if (fields[name] === undefined) continue;
    if (name.startsWith('x-amz-object-lock-')) throw new ArtefactError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    if (isUnbuilt(name)) throw notImplemented(name);
  }
}

function isUnbuilt(name: string): boolean {
  if (name === 'x-amz-write-offset-bytes') return true;
  return name.startsWith('x-amz-server-side-encryption') || name.startsWith('x-amz-copy-source-server-side-encryption');
}
