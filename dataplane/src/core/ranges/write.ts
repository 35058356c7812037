/** Parallel sessions: ranges in any order, over several connections. */
import { ArtefactError, isError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import { lostToCollector } from '../intents.ts';
import { uploadUnknown } from '../uploads.ts';
import { wrongMode } from './append.ts';
import type { Delivery, SessionPlace } from './contract.ts';
import type { RangesRoom } from './deliver.ts';
import { deliver } from './deliver.ts';
import { checkLength, MAX_LENGTH, withLength } from './length.ts';
import type { SessionRecord } from './session.ts';
import { changeSession, recordKey } from './session.ts';
import type { Staged } from './staging.ts';
import { letGo, planKeeping } from './staging.ts';

/** What `Ranges.write` promises. */
export async function writeRange(room: RangesRoom, bucket: OpenBucket, place: SessionPlace, delivery: Delivery): Promise<void> {
  const { record } = await changeSession(room.context, bucket, place, (found) => accept(found, delivery));
  const end = Math.min(record.length ?? MAX_LENGTH, delivery.size === undefined ? Infinity : delivery.offset + delivery.size);
  const limit = end - delivery.offset;
  checkLength(delivery, limit);
  await deliver(room, { bucket, place, delivery, limit, keep: (pieces) => keepApart(room, bucket, place, pieces) });
}

function accept(record: SessionRecord, { length, offset }: Delivery): SessionRecord {
  if (record.mode !== 'parallel') throw wrongMode('This upload is appended to: send the next bytes at its offset.');
  if (record.completing === true) {
    throw new ArtefactError('InvalidRequest', 'This upload is being completed: nothing can be added.', {
      details: { reason: 'completed' },
    });
  }
  const next = withLength(record, length);
  if (offset > (next.length ?? MAX_LENGTH)) {
    throw new ArtefactError('InvalidRange', `The range begins behind the end of the upload.`, { details: { reason: 'length' } });
  }
  return next;
}

/**
 * Makes pieces count. The notes that they are on their way stay until the session is known to be open still, so that pieces that
 * cross an end of the session leave nothing behind.
 */
async function keepApart({ context }: RangesRoom, bucket: OpenBucket, place: SessionPlace, pieces: readonly Staged[]): Promise<void> {
  const { records } = bucket.store;
  const { before, after } = await planKeeping(context, bucket, place, { pieces });
  try {
    await records.write(before);
  } catch (error) {
    if (!isError(error, 'Conflict')) throw error;
    await letGo(bucket.store, place, pieces);
    throw lostToCollector(error, before) ?? error;
  }
  // Whether a completion that ran meanwhile took the pieces is for the collector to find out: it still has the notes.
  if ((await records.get(recordKey(bucket, place))) === undefined) throw uploadUnknown(place.uploadId);
  await records.write(after);
}
