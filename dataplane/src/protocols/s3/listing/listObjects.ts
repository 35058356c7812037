/** ListObjects, the first version: pages by `marker`. */
import type { Core } from '../../../core/core.ts';
import type { ListPage } from '../../../core/object.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { BucketParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { bucketOwner, objectFields, prefixFields } from './entries.ts';
import { readListingQuery, readName } from './query.ts';

const EMPTY: ListPage = { objects: [], prefixes: [] };

export async function listObjects(call: Call<BucketParams>, core: Core, region: string): Promise<Reply> {
  const bucket = bucketOf(call);
  const { prefix, delimiter, limit, encode, encodingType } = readListingQuery(call.head, 'max-keys');
  const marker = readName(call.head, 'marker') ?? '';
  const page = limit === 0 ? EMPTY : await core.objects.list(bucket, { prefix, delimiter, after: marker || undefined, limit });
  const owner = bucketOwner(bucket);
  const content = {
    Name: bucket.name,
    Prefix: encode(prefix),
    Marker: encode(marker),
    // "This element is returned only if you have the delimiter request parameter specified."
    NextMarker: page.next !== undefined && delimiter !== undefined ? encode(page.next) : undefined,
    MaxKeys: limit,
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    EncodingType: encodingType,
    IsTruncated: page.next !== undefined,
    Contents: page.objects.map((version) => objectFields(version, encode, owner)),
    CommonPrefixes: prefixFields(page.prefixes, encode),
  };
  return xmlReply('ListBucketResult', content, { 'x-amz-bucket-region': region });
}
