/** ListObjectVersions: every version and delete marker, in key order and newest first within a key. */
import type { Core } from '../../../core/core.ts';
import type { ListVersionsPage } from '../../../core/object.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import type { BucketParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { bucketOwner, prefixFields, versionEntry } from './entries.ts';
import { readListingQuery, readName } from './query.ts';

const EMPTY: ListVersionsPage = { versions: [], prefixes: [] };

export async function listVersions(call: Call<BucketParams>, core: Core, region: string): Promise<Reply> {
  const bucket = bucketOf(call);
  const { prefix, delimiter, limit, encode, encodingType } = readListingQuery(call.head, 'max-keys');
  const marker = readMarker(call.head);
  const after = { after: marker.key || undefined, afterVersion: marker.versionId };
  const page = limit === 0 ? EMPTY : await core.objects.listVersions(bucket, { prefix, delimiter, ...after, limit });
  const owner = bucketOwner(bucket);
  const content = {
    Name: bucket.name,
    Prefix: encode(prefix),
    KeyMarker: encode(marker.key),
    VersionIdMarker: marker.versionId ?? '',
    NextKeyMarker: page.next === undefined ? undefined : encode(page.next.key),
    NextVersionIdMarker: page.next?.versionId,
    MaxKeys: limit,
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    EncodingType: encodingType,
    IsTruncated: page.next !== undefined,
    '': page.versions.map((version) => versionEntry(version, encode, owner)),
    CommonPrefixes: prefixFields(page.prefixes, encode),
  };
  return xmlReply('ListVersionsResult', content, { 'x-amz-bucket-region': region });
}

/** An empty version id is none; one without a key says nothing. */
function readMarker(head: RequestHead): { readonly key: string; readonly versionId?: string } {
  const key = readName(head, 'key-marker') ?? '';
  const versionId = queryValue(head, 'version-id-marker') || undefined;
  if (versionId === undefined) return { key };
  if (key === '') {
    throw invalidArgument('version-id-marker', versionId.slice(0, 128), 'A version-id marker cannot be specified without a key marker.');
  }
  if (!/^[0-9A-Za-z._-]{1,128}$/.test(versionId))
    throw invalidArgument('version-id-marker', versionId.slice(0, 128), 'Invalid version id specified');
  return { key, versionId };
}
