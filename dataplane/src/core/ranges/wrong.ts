/** Pieces that rotted between their coming and the completion. */
import { ArtefactError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import type { Actor } from '../core.ts';
import { refuseDamaged } from '../damage.ts';
import { RunDamaged } from '../runs.ts';
import { endHeld } from './abort.ts';
import type { RangesRoom } from './deliver.ts';
import type { Piece } from './pieces.ts';
import type { Held, SessionRecord } from './session.ts';
import { recordKey } from './session.ts';

/** A session that is completed or joined, with the pieces of it that count. */
export interface Completing {
  readonly held: Held;
  readonly pieces: readonly Piece[];
  readonly actor: Actor;
}

/**
 * The refusal of a completion whose bytes turned out wrong; undefined where `thrown` is not about these pieces. A range of a parallel
 * session can be sent again. Appended bytes cannot be put right: such a session ends here, since a client that asked for its offset
 * would be told that all is there, and take the upload for done.
 */
export async function wrongPiece(
  room: RangesRoom,
  bucket: OpenBucket,
  { held, pieces, actor }: Completing,
  thrown: unknown,
): Promise<ArtefactError | undefined> {
  const piece = thrown instanceof RunDamaged ? pieces.find(({ blob }) => blob === thrown.run.blob) : undefined;
  if (!(thrown instanceof RunDamaged) || piece === undefined) return undefined;
  const { key, uploadId, mode } = held.record;
  const session = recordKey(bucket, held.record);
  const refusal = refusalOf(held.record, piece, thrown);
  const answer = await refuseDamaged(room.context, thrown, { bucket, key, uploadId, session, actor, refusal });
  if (mode === 'sequential' && answer === refusal) await endHeld(room, bucket, held, actor);
  return answer;
}

function refusalOf({ uploadId, mode }: SessionRecord, { offset, size }: Piece, cause: RunDamaged): ArtefactError {
  const range = `${offset}-${offset + size - 1}`;
  const remedy = mode === 'parallel' ? 'Send just this range again, and then complete the upload.' : 'The upload is ended: start it anew.';
  return new ArtefactError('PartDamaged', `The bytes ${range} of this upload were damaged in storage after they came. ${remedy}`, {
    details: { reason: 'damaged', uploadId, range },
    cause,
  });
}
