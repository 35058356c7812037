/** The row of browser uploads. Its credentials are in the form, so the handler reads them before it does anything else. */
import { bucketRow } from '../operation.ts';
import type { Row } from '../operation.ts';
import { postObject } from './postObject.ts';
import type { VerifyForm } from './postObject.ts';

/** POST of `multipart/form-data` to a bucket. */
export function formRows(verify: VerifyForm): readonly Row[] {
  return [
    bucketRow({
      name: 's3.PostObject',
      method: 'POST',
      form: true,
      authenticates: 'handler',
      demands: () => [],
      handle: (call, core) => postObject(call, core, verify),
    }),
  ];
}
