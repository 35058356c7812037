/** The map of the protocol: every S3 operation there is here, gathered from the rooms that perform them. */
import { bucketRows } from './bucket/table.ts';
import type { VerifyForm } from './form/postObject.ts';
import { formRows } from './form/table.ts';
import { listingRows } from './listing/table.ts';
import { multipartRows } from './multipart/table.ts';
import { objectRows } from './objects/table.ts';
import type { Row } from './operation.ts';

/** All rows. `region` is what the installation says it is in; `verifyForm` knows who a browser's form speaks for. */
export function s3Table({ region, verifyForm }: { readonly region: string; readonly verifyForm: VerifyForm }): readonly Row[] {
  return [...bucketRows(region), ...listingRows(region), ...objectRows, ...multipartRows, ...formRows(verifyForm)];
}
