/** The map of the protocol: every S3 operation there is here, gathered from the rooms that perform them. */
import { bucketRows } from './bucket/table.ts';
import { formRows } from './form/table.ts';
import { listingRows } from './listing/table.ts';
import { multipartRows } from './multipart/table.ts';
import { objectRows } from './objects/table.ts';
import type { Row } from './operation.ts';

/** All rows. `region` is what the installation says it is in. */
export function s3Table({ region }: { readonly region: string }): readonly Row[] {
  return [...bucketRows(region), ...listingRows(region), ...objectRows, ...multipartRows, ...formRows];
}
