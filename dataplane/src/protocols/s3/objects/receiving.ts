/** Bytes that arrive for a name: received under every expectation, then named. */
import type { Core, Expected, PutResult } from '../../../core/core.ts';
import type { ObjectAttributes } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes } from '../../../storage/contract.ts';
import type { Call } from '../../contract.ts';
import { writeUnder } from '../../writing.ts';
import type { WritePermit } from '../../writing.ts';

const GIB = 1024 ** 3;

/** The largest object, in bytes; also in one PUT, which S3 ends at 5 GiB. */
export const MAX_OBJECT = 5 * 1024 * GIB;
/** The largest part of an upload, in bytes. */
export const MAX_PART = 5 * GIB;

/** Throws `BodyTooLarge` when the declared length is over `maxSize`, before a byte is read. */
export function refuseTooLarge(size: number | undefined, maxSize: number): void {
  if (size === undefined || size <= maxSize) return;
  throw new ArtefactError('BodyTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    details: { proposedSize: size, maxSizeAllowed: maxSize },
  });
}

/** What is to be stored under which permit. */
export interface Delivery {
  readonly permit: WritePermit;
  readonly bytes: Bytes;
  readonly expected: Expected;
  readonly attributes: ObjectAttributes;
}

/** Receives the bytes and names them; bytes that the name refuses are let go. */
export async function storeObject(call: Call<unknown>, core: Core, delivery: Delivery): Promise<PutResult> {
  const { permit, bytes, expected, attributes } = delivery;
  const { bucket, key } = permit.subject;
  const arrived = await core.objects.receive(bucket, bytes, expected);
  return writeUnder(call, core, permit, (conditions) => core.objects.put(bucket, key, arrived, attributes, conditions, call.actor));
}
