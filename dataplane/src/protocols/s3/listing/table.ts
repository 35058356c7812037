/** The rows that list what is in a bucket. */
import { bucketRow } from '../operation.ts';
import type { Row } from '../operation.ts';
import { listObjects } from './listObjects.ts';
import { listObjectsV2 } from './listObjectsV2.ts';
import { listVersions } from './listVersions.ts';
import { listDemand } from './query.ts';

/** ListObjects in both versions, and ListObjectVersions. */
export function listingRows(region: string): readonly Row[] {
  return [
    bucketRow({
      name: 's3.ListObjects',
      method: 'GET',
      demands: (head, params) => [listDemand(head, params, 's3:ListBucket')],
      handle: (call, core) => listObjects(call, core, region),
    }),
    bucketRow({
      name: 's3.ListObjectsV2',
      method: 'GET',
      query: ['list-type'],
      demands: (head, params) => [listDemand(head, params, 's3:ListBucket')],
      handle: (call, core) => listObjectsV2(call, core, region),
    }),
    bucketRow({
      name: 's3.ListObjectVersions',
      method: 'GET',
      subresource: 'versions',
      demands: (head, params) => [listDemand(head, params, 's3:ListBucketVersions')],
      handle: (call, core) => listVersions(call, core, region),
    }),
  ];
}
