/** Interim answers that tell how far an upload is stored (draft §5): each stored piece is one that the client may forget. */
import type { UploadCall } from '../upload.ts';
import { interopVersion } from './fields.ts';

/** The least time between two of them, in ms. */
const PAUSE = 1000;

/** What to call when more is stored; undefined for clients that must not be told. */
export function progressOf(call: UploadCall): ((offset: number) => void) | undefined {
  const version = interopVersion(call.head);
  if (version === undefined) return undefined;
  let last = 0;
  return (offset) => {
    if (performance.now() - last < PAUSE) return;
    last = performance.now();
    call.inform?.(104, { 'upload-offset': String(offset), 'upload-draft-interop-version': version });
  };
}
