/** Sequential sessions: bytes are appended at the offset, by one request at a time. */
import { ArtefactError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import { compact } from './compact.ts';
import type { Delivery, RangeSession, SessionPlace } from './contract.ts';
import type { RangesRoom } from './deliver.ts';
import { deliver } from './deliver.ts';
import { keepAfter } from './keep.ts';
import { checkLength, MAX_LENGTH, withLength } from './length.ts';
import { MAX_PIECES, tooMany } from './pieces.ts';
import type { SessionRecord } from './session.ts';
import { changeSession } from './session.ts';
import type { Staged } from './staging.ts';

/** What `Ranges.append` promises, once the turn is ours. */
export async function append(
  room: RangesRoom,
  bucket: OpenBucket,
  place: SessionPlace,
  { delivery, signal }: { readonly delivery: Delivery; readonly signal: AbortSignal },
): Promise<RangeSession> {
  let held = await changeSession(room.context, bucket, place, (record) => takeOver(record, delivery));
  const { record } = held;
  const limit = (record.length ?? MAX_LENGTH) - record.offset;
  checkLength(delivery, limit);
  const keep = async (pieces: readonly Staged[]): Promise<void> =>
    void (held = await keepAfter(room, bucket, { held, before: held.record, pieces }));
  await deliver(room, { bucket, place, delivery, signal, limit, keep, withSha512: record.withSha512 });
  // What was appended is stored, whatever becomes of this.
  return (await compact(room, bucket, held).catch(() => held)).record;
}

function takeOver(record: SessionRecord, delivery: Delivery): SessionRecord {
  if (record.mode !== 'sequential') throw wrongMode('This upload takes ranges in any order: send each with its Content-Range.');
  if (delivery.offset !== record.offset) throw wrongOffset(record.offset, delivery.offset);
  if (record.completing === true) {
    throw new ArtefactError('InvalidRequest', 'All bytes of this upload have come: nothing can be added.', {
      details: { reason: 'completed' },
    });
  }
  if (record.pieces >= MAX_PIECES) throw tooMany();
  return { ...withLength(record, delivery.length), epoch: record.epoch + 1 };
}

/** The refusal of a request that is meant for sessions of the other kind. */
export function wrongMode(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message, { details: { reason: 'mode' } });
}

function wrongOffset(expectedOffset: number, providedOffset: number): ArtefactError {
  return new ArtefactError(
    'ConcurrentChange',
    `The next byte of this upload is ${expectedOffset}, and the request begins at ${providedOffset}.`,
    {
      details: { reason: 'offset', expectedOffset, providedOffset },
    },
  );
}
