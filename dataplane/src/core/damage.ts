/** Uploads whose stored bytes are found wrong before anything is named by them: they are reported, and refused to whoever completes. */
import { ArtefactError } from '../errors.ts';
import type { OpenBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import type { Actor } from './core.ts';
import { journalChange } from './journal.ts';
import { hashRuns, RunDamaged } from './runs.ts';
import { uploadUnknown } from './uploads.ts';

/** Where the wrong bytes were to go. */
export interface Ruined {
  readonly bucket: OpenBucket;
  readonly key: string;
  readonly uploadId: string;
  /** Key of the session's record. */
  readonly session: string;
  readonly actor: Actor;
  /** The answer, which says what is to be sent again. */
  readonly refusal: ArtefactError;
}

/**
 * Answers what to throw: `UploadUnknown` where the session is over. The run is read once more, since a disk that was read wrongly once may be all right: then nothing is said of it,
 * and the completion is to be tried again (`Unavailable`). Else the damage is journalled, and told to the observer.
 */
export async function refuseDamaged(context: CoreContext, damage: RunDamaged, ruined: Ruined): Promise<ArtefactError> {
  const { bucket, key, uploadId, session, actor, refusal } = ruined;
  // Whoever ended the session meanwhile has removed its bytes.
  if ((await bucket.store.records.get(session)) === undefined) return uploadUnknown(uploadId);
  if (!(await isWrongAgain(bucket, damage))) {
    return new ArtefactError('Unavailable', 'Stored bytes of this upload were read differently twice. Please try again.', {
      cause: damage,
    });
  }
  const { kind, message: detail, run } = damage;
  context.damageFound({ bucket: bucket.config.name, key, uploadId, kind, detail });
  const note = `${kind}: upload ${uploadId}: ${detail}`;
  await bucket.store.records.write([
    journalChange(context, { actor, change: 'upload-damage', bucket: bucket.config.name, name: key, size: run.size, note }),
  ]);
  return refusal;
}

async function isWrongAgain({ store }: OpenBucket, { run }: RunDamaged): Promise<boolean> {
  try {
    await hashRuns(store, [run], []);
    return false;
  } catch (thrown) {
    if (!(thrown instanceof RunDamaged)) throw thrown;
    return true;
  }
}
