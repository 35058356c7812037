/** The map of the protocol: every S3 operation there is here, gathered from the rooms that perform them. */
import { bucketRows } from './bucket/table.ts';
import type { BucketOptions } from './bucket/table.ts';
import type { VerifyForm } from './form/postObject.ts';
import { formRows } from './form/table.ts';
import { listingRows } from './listing/table.ts';
import { multipartRows } from './multipart/table.ts';
import { objectRows } from './objects/table.ts';
import type { Row } from './operation.ts';

/** What the rows need of the house. */
export interface TableOptions extends BucketOptions {
  /** Tells who a browser's upload form speaks for. */
  readonly verifyForm: VerifyForm;
}

/** All rows. */
export function s3Table(options: TableOptions): readonly Row[] {
  const { region, verifyForm } = options;
  return [...bucketRows(options), ...listingRows(region), ...objectRows, ...multipartRows, ...formRows(verifyForm)];
}
