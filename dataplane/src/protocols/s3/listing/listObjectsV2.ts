/** ListObjectsV2: pages by an opaque token, owners on demand. */
import type { Core } from '../../../core/core.ts';
import type { ListPage } from '../../../core/object.ts';
import type { Call, Reply, RequestHead } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import type { BucketParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { bucketOwner, objectFields, prefixFields } from './entries.ts';
import { readListingQuery, readName } from './query.ts';
import { readToken, writeToken } from './token.ts';

const EMPTY: ListPage = { objects: [], prefixes: [] };

/** `continuation-token` goes before `start-after`. */
export async function listObjectsV2(call: Call<BucketParams>, core: Core, region: string): Promise<Reply> {
  const bucket = bucketOf(call);
  const { head } = call;
  requireVersionTwo(head);
  const { prefix, delimiter, limit, encode, encodingType } = readListingQuery(head, 'max-keys');
  const token = queryValue(head, 'continuation-token');
  const startAfter = readName(head, 'start-after');
  const after = readToken(token) ?? (startAfter || undefined);
  const page = limit === 0 ? EMPTY : await core.objects.list(bucket, { prefix, delimiter, after, limit });
  const owner = queryValue(head, 'fetch-owner') === 'true' ? bucketOwner(bucket) : undefined;
  const content = {
    Name: bucket.name,
    Prefix: encode(prefix),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    KeyCount: page.objects.length + page.prefixes.length,
    MaxKeys: limit,
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    EncodingType: encodingType,
    IsTruncated: page.next !== undefined,
    Contents: page.objects.map((version) => objectFields(version, encode, owner)),
    CommonPrefixes: prefixFields(page.prefixes, encode),
  };
  return xmlReply('ListBucketResult', content, { 'x-amz-bucket-region': region });
}

function requireVersionTwo(head: RequestHead): void {
  const listType = queryValue(head, 'list-type') ?? '';
  if (listType !== '2') throw invalidArgument('list-type', listType.slice(0, 128), 'Invalid List Type specified in Request');
}
