/** How long the whole is: said once, and held to. */
import { ArtefactError } from '../../errors.ts';
import type { Delivery } from './contract.ts';
import type { SessionRecord } from './session.ts';

/** The largest artefact, in bytes: 5 TiB, as in S3. */
export const MAX_LENGTH = 5 * 1024 ** 4;

/** The record with a length that a request states. Throws `InvalidRequest` (reason `length`) where it contradicts what is known. */
export function withLength(record: SessionRecord, length: number | undefined): SessionRecord {
  if (length === undefined || length === record.length) return record;
  if (record.length !== undefined) throw otherLength(`This upload has ${record.length} bytes, and the request says ${length}.`);
  if (length < record.offset)
    throw otherLength(`${record.offset} bytes of this upload are stored, more than the ${length} that the request says.`);
  checkMax(length);
  return { ...record, length };
}

/** Throws `BodyTooLarge` for more than the largest artefact. */
export function checkMax(length: number | undefined): void {
  if (length === undefined || length <= MAX_LENGTH) return;
  throw new ArtefactError('BodyTooLarge', `An upload has at most ${MAX_LENGTH} bytes.`, { details: { maxSize: MAX_LENGTH } });
}

/** Throws `BodyTooLarge` (reason `length`) when a request declares more than there is room for. */
export function checkLength({ size }: Delivery, room: number): void {
  if (size === undefined || size <= room) return;
  throw new ArtefactError('BodyTooLarge', `There is room for ${room} more bytes in this upload, and the request has ${size}.`, {
    details: { reason: 'length', room },
  });
}

function otherLength(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message, { details: { reason: 'length' } });
}
