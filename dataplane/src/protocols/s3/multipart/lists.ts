/** ListParts and ListMultipartUploads. */
import type { BucketConfig } from '@bonded/crds';
import type { Core, UploadedPart, UploadSession } from '../../../core/core.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import { prefixFields } from '../listing/entries.ts';
import { readLimit, readListingQuery, readName } from '../listing/query.ts';
import { isoTime, quoted } from '../objects/representation.ts';
import type { BucketParams, ObjectParams } from '../operation.ts';
import { ownerFields } from '../owner.ts';
import { xmlReply } from '../replies.ts';
import type { XmlFields } from '../xml.ts';

/** ListParts: what has arrived of an upload, by part number. */
export async function listParts(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const { key } = call.params;
  const limit = readLimit(call.head, 'max-parts');
  const after = readPartMarker(queryValue(call.head, 'part-number-marker') ?? '');
  const session = await core.uploads.find(bucket, key, queryValue(call.head, 'uploadId') ?? '');
  const page = limit === 0 ? { parts: [] } : await core.uploads.listParts(bucket, session, after, limit);
  return xmlReply('ListPartsResult', {
    Bucket: bucket.name,
    Key: key,
    UploadId: session.uploadId,
    PartNumberMarker: after,
    NextPartNumberMarker: page.parts.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: page.next !== undefined,
    Part: page.parts.map((part) => partFields(part, session)),
    ...sessionFields(bucket, session),
  });
}

/** ListMultipartUploads: open uploads by key, oldest first within a key. */
export async function listUploads(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const { prefix, delimiter, limit, encode, encodingType } = readListingQuery(call.head, 'max-uploads');
  const { keyMarker, uploadMarker } = readMarkers(call.head);
  const query = { prefix, delimiter, limit, after: keyMarker || undefined, afterUpload: uploadMarker || undefined };
  const page = limit === 0 ? { uploads: [], prefixes: [] } : await core.uploads.list(bucket, query);
  return xmlReply('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: uploadMarker,
    NextKeyMarker: page.next && encode(page.next.key),
    NextUploadIdMarker: page.next && (page.next.uploadId ?? ''),
    Prefix: encode(prefix),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    EncodingType: encodingType,
    MaxUploads: limit,
    IsTruncated: page.next !== undefined,
    Upload: page.uploads.map((session) => uploadFields(bucket, session, encode)),
    CommonPrefixes: prefixFields(page.prefixes, encode),
  });
}

function uploadFields(bucket: BucketConfig, session: UploadSession, encode: (name: string) => string): XmlFields {
  return { Key: encode(session.key), UploadId: session.uploadId, Initiated: isoTime(session.initiated), ...sessionFields(bucket, session) };
}

function sessionFields(bucket: BucketConfig, { owner, attributes, checksum }: UploadSession): XmlFields {
  return {
    Initiator: { ID: owner, DisplayName: owner },
    Owner: ownerFields(bucket.namespace),
    StorageClass: attributes.storageClass,
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
  };
}

function partFields(part: UploadedPart, { checksum }: UploadSession): XmlFields {
  return {
    PartNumber: part.number,
    LastModified: isoTime(part.modified),
    ETag: quoted(part.etag),
    Size: part.size,
    ...(checksum ? { [`Checksum${checksum.algorithm}`]: part.checksums[checksum.algorithm] } : {}),
  };
}

function readPartMarker(text: string): number {
  if (!/^\d{0,5}$/.test(text))
    throw invalidArgument('part-number-marker', text.slice(0, 64), 'Provided part-number-marker not an integer or within integer range');
  return Number(text);
}

/** "If key-marker is not specified, the upload-id-marker parameter is ignored." */
function readMarkers(head: RequestHead): { readonly keyMarker: string; readonly uploadMarker: string } {
  const keyMarker = readName(head, 'key-marker') ?? '';
  const uploadMarker = queryValue(head, 'upload-id-marker') ?? '';
  if (keyMarker === '') return { keyMarker, uploadMarker: '' };
  if (/^[0-9A-Za-z._-]{0,128}$/.test(uploadMarker)) return { keyMarker, uploadMarker };
  throw invalidArgument('upload-id-marker', uploadMarker.slice(0, 128), 'Invalid uploadId marker');
}
