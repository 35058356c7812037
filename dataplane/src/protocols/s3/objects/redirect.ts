/** Sends a client that may have an object's bytes to the storage server for them, where the location is set up so. */
import type { Core } from '../../../core/core.ts';
import type { Admitted } from '../../../core/door.ts';
import type { ObjectVersion } from '../../../core/object.ts';
import type { Call, Reply } from '../../contract.ts';
import { queryValue } from '../head.ts';
import type { ObjectParams } from '../operation.ts';
import { responseOverrides } from './overrides.ts';
import type { Subject } from './versions.ts';

/** Below this a second connection takes longer than the bytes, in bytes. */
const WORTH_IT = 256 * 1024;

/** How long the address may be used, in seconds: to begin a download, not to end it. */
const EXPIRES = 300;

export interface Leaving {
  readonly subject: Subject;
  readonly version: ObjectVersion;
  readonly admitted: Admitted;
}

/** The redirect, or undefined where the bytes go through here. */
export async function redirect(call: Call<ObjectParams>, core: Core, { subject, version, admitted }: Leaving): Promise<Reply | undefined> {
  if (version.size < WORTH_IT || !follows(call) || asksForMore(call)) return undefined;
  const { sessionExpires } = call.principal;
  const left = sessionExpires === undefined ? EXPIRES : Math.floor((sessionExpires - Date.now()) / 1000);
  if (left < 1) return undefined;
  const responseHeaders = { ...version.headers, ...responseOverrides(call) };
  const address = { expiresSeconds: Math.min(EXPIRES, left), responseHeaders };
  const location = await core.objects.locate(subject.bucket, admitted, { address, version, actor: call.actor });
  return location === undefined ? undefined : { status: 307, headers: { location, 'cache-control': 'no-store', 'content-length': '0' } };
}

/** Who signs with headers would have to sign the redirected request anew, and the SDKs do not follow. */
function follows({ head }: Call<ObjectParams>): boolean {
  return head.headers.authorization?.startsWith('AWS4-') !== true;
}

/** What only we can answer: parts by number, several ranges, our ETag as a condition, our checksums. */
function asksForMore({ head }: Call<ObjectParams>): boolean {
  const ours = ['if-range', 'x-amz-checksum-mode', 'want-repr-digest'].some((name) => head.headers[name] !== undefined);
  return ours || head.headers.range?.includes(',') === true || queryValue(head, 'partNumber') !== undefined;
}
