/** `GET /api/v1/buckets` and `GET | PUT | DELETE /api/v1/buckets/{bucket}`. */
import type { Access } from './access.ts';
import { bucketOf, bucketView } from './bucketView.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { ANY_AUTHENTICATED, listBucket } from './demands.ts';
import { digits, optional, text, withDefault } from './fields.ts';
import { json } from './json.ts';
import { bucketName, cursor } from './parameters.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

interface ListParams {
  readonly prefix?: string;
  readonly limit: number;
  readonly cursor?: string;
}

interface BucketParams {
  readonly bucket: string;
}

export interface ListBucketsDeps {
  readonly access: Pick<Access, 'visibleBuckets'>;
}

export function listBuckets({ access }: ListBucketsDeps): Row {
  return row<ListParams>({
    name: 'admin.ListBuckets',
    method: 'GET',
    path: '/api/v1/buckets',
    fields: { prefix: optional(text({ min: 0, max: 63 })), limit: withDefault(100, digits(1, 1000)), cursor },
    demands: () => [ANY_AUTHENTICATED],
    async handle(call, core) {
      const { prefix = '', limit, cursor: given } = call.params;
      const after = given === undefined ? '' : (readCursor({ prefix }, given, 1)[0] ?? '');
      const visible = access
        .visibleBuckets(call)
        .filter(({ name }) => name > after && name.startsWith(prefix))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const page = visible.slice(0, limit);
      const last = page.at(-1);
      return json(200, {
        buckets: await Promise.all(page.map((bucket) => bucketView(bucket, call, core))),
        ...(last && visible.length > limit && { next: makeCursor({ prefix }, [last.name]) }),
      });
    },
  });
}

export const getBucket = row<BucketParams>({
  name: 'admin.GetBucket',
  method: 'GET',
  path: '/api/v1/buckets/{bucket}',
  fields: { bucket: bucketName },
  demands: ({ bucket }) => [listBucket(bucket)],
  async handle(call, core) {
    return json(200, await bucketView(bucketOf(call.snapshot, call.params.bucket), call, core));
  },
});
