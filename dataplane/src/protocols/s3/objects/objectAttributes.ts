/** GetObjectAttributes: what an object is made of, without its bytes. */
import type { Core, StoredPart } from '../../../core/core.ts';
import type { ObjectVersion } from '../../../core/object.ts';
import type { Call, Demand, Reply, RequestHead } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import type { ObjectParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import type { XmlFields } from '../xml.ts';
import { refuseUnbuilt } from './attributes.ts';
import { requestFields } from './headerText.ts';
import type { Fields } from './headerText.ts';
import { versionHeaders } from './representation.ts';
import { findObject, versionIdOf } from './versions.ts';
import type { Subject } from './versions.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

const MAX_PARTS = 1000;

/** Needs the right to read and the right to see attributes, as in S3. */
export function attributesDemands(head: RequestHead, { bucket, key }: ObjectParams): readonly Demand[] {
  const version = queryValue(head, 'versionId') === undefined ? '' : 'Version';
  const resource = { bucket, name: key };
  return [
    { action: 'read', s3Action: `s3:GetObject${version}`, resource },
    { action: 'read', s3Action: `s3:GetObject${version}Attributes`, resource },
  ];
}

/** Answers just the attributes that `x-amz-object-attributes` lists. */
export async function getObjectAttributes(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject: Subject = { bucket: bucketOf(call), key: call.params.key };
  const fields = requestFields(call.head);
  refuseUnbuilt(fields);
  const wanted = readWanted(fields);
  const page = { after: readCount(fields, 'x-amz-part-number-marker', 0), limit: readCount(fields, 'x-amz-max-parts', MAX_PARTS) };
  const version = await findObject(call, core, subject, versionIdOf(call.head));
  const parts = wanted.has('ObjectParts') ? await core.objects.parts(subject.bucket, version) : undefined;
  return xmlReply(
    'GetObjectAttributesResponse',
    {
      ETag: wanted.has('ETag') ? version.etag : undefined,
      Checksum: wanted.has('Checksum') ? checksumFields(version) : undefined,
      ObjectParts: parts && partsFields(version, parts, page),
      StorageClass: wanted.has('StorageClass') ? version.storageClass : undefined,
      ObjectSize: wanted.has('ObjectSize') ? version.size : undefined,
    },
    { 'last-modified': new Date(version.modified).toUTCString(), ...versionHeaders(subject.bucket, version.versionId) },
  );
}

function readWanted(fields: Fields): ReadonlySet<Attribute> {
  const field = fields['x-amz-object-attributes'] ?? '';
  const names = field.split(',').map((name) => name.trim());
  const known = ATTRIBUTES.filter((attribute) => names.includes(attribute));
  if (known.length > 0 && names.every((name) => (ATTRIBUTES as readonly string[]).includes(name))) return new Set(known);
  throw invalidArgument('x-amz-object-attributes', field.slice(0, 128), `Invalid attribute name specified: use ${ATTRIBUTES.join(', ')}.`);
}

function readCount(fields: Fields, name: string, otherwise: number): number {
  const value = fields[name];
  if (value === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(value)) throw invalidArgument(name, value.slice(0, 64), `${name} must be an integer of at least 0.`);
  return name === 'x-amz-max-parts' ? Math.min(Number(value), MAX_PARTS) : Number(value);
}

/** Here S3 leaves out the `-N` of composite checksums. */
function checksumFields({ checksum }: ObjectVersion): XmlFields | undefined {
  if (!checksum) return undefined;
  return { [`Checksum${checksum.algorithm}`]: checksum.value.replace(/-\d+$/, ''), ChecksumType: checksum.type };
}

function partsFields(
  version: ObjectVersion,
  parts: readonly StoredPart[],
  { after, limit }: { readonly after: number; readonly limit: number },
): XmlFields {
  const later = parts.filter(({ number }) => number > after);
  const shown = later.slice(0, limit);
  const isTruncated = shown.length < later.length;
  return {
    PartsCount: parts.length,
    PartNumberMarker: after,
    NextPartNumberMarker: shown.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: isTruncated,
    Part: shown.map((part) => ({ PartNumber: part.number, Size: part.size, ...partChecksum(version, part) })),
  };
}

function partChecksum({ checksum }: ObjectVersion, part: StoredPart): XmlFields {
  return checksum ? { [`Checksum${checksum.algorithm}`]: part.checksums[checksum.algorithm] } : {};
}
