/** Ending a session of ranges without a name: its bytes go to the collector's care, which it gets at once. */
import { isError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import { beginWaiting, isClaimed } from '../claims.ts';
import { removeRemains } from '../collect/uploads.ts';
import type { Actor } from '../core.ts';
import { journalChange } from '../journal.ts';
import { publicName } from '../realm.ts';
import { garbageNote } from '../uploads.ts';
import type { SessionPlace } from './contract.ts';
import type { RangesRoom } from './deliver.ts';
import type { Held } from './session.ts';
import { holdSession, recordKey } from './session.ts';

/** What `Ranges.abort` promises, once nobody in this process appends. */
export async function abortRanges(room: RangesRoom, bucket: OpenBucket, place: SessionPlace, actor: Actor): Promise<void> {
  for (const waiting = beginWaiting(room.context); ; await waiting.pause()) {
    const held = await holdSession(room.context, bucket, place);
    if (!isClaimed(room.context, held.record) && (await endHeld(room, bucket, held, actor))) return;
  }
}

/** Ends it as it was read; false when somebody changed it meanwhile. */
export async function endHeld({ context, pursuits }: RangesRoom, bucket: OpenBucket, held: Held, actor: Actor): Promise<boolean> {
  const { key, uploadId } = held.record;
  const record = recordKey(bucket, held.record);
  try {
    await bucket.store.records.write([
      await garbageNote(bucket, record, context.now()),
      { delete: record, ifRevision: held.revision },
      journalChange(context, {
        actor,
        change: 'upload-abort',
        bucket: bucket.config.name,
        name: publicName(bucket.config, key),
        note: uploadId,
      }),
    ]);
  } catch (error) {
    if (!isError(error, 'Conflict')) throw error;
    return false;
  }
  pursuits.drop(uploadId);
  await removeRemains(bucket.store, uploadId);
  return true;
}
