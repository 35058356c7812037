/** How versions and prefixes look in listings. */
import type { BucketConfig } from '@bonded/crds';
import type { ObjectVersion, Version } from '../../../core/object.ts';
import { ownerFields } from '../owner.ts';
import type { XmlFields } from '../xml.ts';
import type { ListingQuery } from './query.ts';

type Encode = ListingQuery['encode'];

/** Content of `<Contents>`. */
export function objectFields(version: ObjectVersion, encode: Encode, owner?: XmlFields): XmlFields {
  return { Key: encode(version.key), ...stateFields(version), Owner: owner, StorageClass: version.storageClass };
}

/** `<Version>` or `<DeleteMarker>` with its name, for a list that mixes them. */
export function versionEntry(version: Version & { readonly isLatest: boolean }, encode: Encode, owner: XmlFields): XmlFields {
  const identity = { Key: encode(version.key), VersionId: version.versionId, IsLatest: version.isLatest };
  if (version.deleteMarker) return { DeleteMarker: { ...identity, LastModified: isoTime(version.modified), Owner: owner } };
  return { Version: { ...identity, ...stateFields(version), StorageClass: version.storageClass, Owner: owner } };
}

/** Elements of `<CommonPrefixes>`. */
export function prefixFields(prefixes: readonly string[], encode: Encode): readonly XmlFields[] {
  return prefixes.map((prefix) => ({ Prefix: encode(prefix) }));
}

/** The owner of everything in a bucket. */
export function bucketOwner(bucket: BucketConfig): XmlFields {
  return ownerFields(bucket.namespace);
}

function stateFields({ modified, etag, checksum, size }: ObjectVersion): XmlFields {
  return {
    LastModified: isoTime(modified),
    ETag: `"${etag}"`,
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
    Size: size,
  };
}

const DAY = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
let lastDay = { day: NaN, text: '' };

/**
 * Whole seconds, as S3 has them: the same moment as the Last-Modified header says. The names of a page mostly changed on a few
 * days, so the date is not written anew for each.
 */
function isoTime(ms: number): string {
  const day = Math.floor(ms / DAY);
  if (day !== lastDay.day) lastDay = { day, text: new Date(day * DAY).toISOString().slice(0, -'00:00:00.000Z'.length) };
  const second = Math.floor((ms - day * DAY) / 1000);
  const [hours, minutes, seconds] = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return `${lastDay.text}${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes]}:${TWO_DIGITS[seconds]}.000Z`;
}
