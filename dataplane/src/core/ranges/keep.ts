/** Making pieces of a sequential session count. */
import { isError } from '../../errors.ts';
import type { Change } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import { lostToCollector } from '../intents.ts';
import type { RangesRoom } from './deliver.ts';
import type { Piece } from './pieces.ts';
import { runAfter } from './pieces.ts';
import type { Held, SessionRecord } from './session.ts';
import { recordKey, superseded, valueOf } from './session.ts';
import type { Staged } from './staging.ts';
import { letGo, planKeeping } from './staging.ts';

/** What pieces come after: the whole session so far, or, where its last pieces are written anew, what is before those. */
export type Before = Pick<SessionRecord, 'tail' | 'run' | 'pieces'>;

/** The change of the session's record decides; pieces that did not come to count are let go. Throws `ConcurrentChange` (reason `superseded`). */
export async function keepAfter(
  { context }: RangesRoom,
  bucket: OpenBucket,
  { held, before: base, pieces }: { readonly held: Held; readonly before: Before; readonly pieces: readonly Staged[] },
): Promise<Held> {
  const place = held.record;
  const previous = new Map(pieces.map((piece, index) => [piece, index === 0 ? base.tail : pieces[index - 1]!.id]));
  const { before, after } = await planKeeping(context, bucket, place, { pieces, previous });
  const last = pieces.at(-1)!;
  const record: SessionRecord = {
    ...held.record,
    offset: last.offset + last.size,
    tail: last.id,
    pieces: base.pieces + pieces.length,
    run: runAfter(
      base.run ?? [],
      pieces.map((piece) => asPiece(piece, previous.get(piece))),
    ),
  };
  const decisive: Change = { put: recordKey(bucket, place), value: valueOf(record), ifRevision: held.revision };
  const changes = [...before, decisive, ...after];
  try {
    const revisions = await bucket.store.records.write(changes);
    return { record, revision: revisions[before.length]! };
  } catch (error) {
    // Whatever else went wrong may have been made all the same: then only the collector can tell.
    if (!isError(error, 'Conflict')) throw error;
    await letGo(bucket.store, place, pieces);
    throw lostToCollector(error, changes) ?? superseded();
  }
}

function asPiece({ id, offset, size, blob, crc32 }: Staged, previous: string | undefined): Piece {
  return { id, offset, size, blob, crc32, ...(previous === undefined ? {} : { previous }) };
}
