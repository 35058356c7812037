/**
 * Intents: a record that says "these bytes are arriving". It is written while the bytes stream in and goes in the same batch
 * that names them; so whatever a crash leaves behind is found by looking at the few intents, not at everything stored.
 */
import { ArtefactError, isError } from '../errors.ts';
import type { BlobId, Bytes, Change, Revision, Store } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import type { Digest } from './digest.ts';
import { keys } from './keys.ts';
import type { Trail } from './past.ts';

/** What an intent says: alive at `beat` (ms), and, once it is known, the digest or the part that the bytes became. */
export interface Intent {
  readonly beat: number;
  readonly digest?: Digest;
  /** The versions whose records a batch that was cut off may have left behind. */
  readonly trails?: readonly Trail[];
  readonly part?: {
    readonly uploadId: string;
    readonly bucketId: string;
    readonly key: string;
    readonly record: string;
    /** Key of the session's record, where it is not a session of parts. */
    readonly session?: string;
  };
}

export interface OpenIntent {
  /** The same bytes, which end only once the intent stands (or throw what kept it from that): no bytes are stored of which nobody knows. */
  before(bytes: Bytes): Bytes;
  /** Stops beating and answers the revision that the naming batch must find. Throws `Unavailable` when the collector gave the bytes up. */
  settle(): Promise<Revision>;
  /**
   * Removes what was stored, as far as that is possible now; the collector does the rest. `thrown`: what ended the storing. When that
   * does not say whether the bytes are stored, they may come to be so still; then all is left to the collector, who waits for them.
   */
  giveUp(thrown?: unknown): Promise<void>;
}

/** Declares that `blob` is arriving, and keeps saying so until it is settled. */
export function beginIntent(context: CoreContext, store: Store, blob: BlobId): OpenIntent {
  const key = keys.intent(blob);
  let revision = write(store, { put: key, value: { beat: context.now() }, ifAbsent: true });
  revision.catch(() => undefined);
  const declared = revision;
  const timer = setInterval(() => {
    revision = revision.then((ifRevision) => write(store, { put: key, value: { beat: context.now() }, ifRevision }));
    revision.catch(() => undefined);
  }, context.terms.beat);
  timer.unref();
  return {
    async *before(bytes) {
      yield* bytes;
      await declared;
    },
    settle: async () => {
      clearInterval(timer);
      return revision.catch((error: unknown) => {
        throw isError(error, 'Conflict') ? givenUp(error) : error;
      });
    },
    giveUp: async (thrown) => {
      clearInterval(timer);
      const lost = await revision.then(
        () => false,
        (error: unknown) => isError(error, 'Conflict'),
      );
      // What the collector gave up before all of it was stored, it does not look for again.
      if (lost || !isError(thrown, 'Unavailable', 'SlowDown')) await forgetBytes(store, blob);
    },
  };
}

/** Removes bytes and then their intent, as far as that is possible now; the collector does the rest. */
export async function forgetBytes(store: Store, blob: BlobId): Promise<void> {
  try {
    await store.blobs.delete(blob);
    await write(store, { delete: keys.intent(blob) });
  } catch (error) {
    if (!(error instanceof ArtefactError)) throw error;
  }
}

/**
 * Takes bytes away from whoever might still name them: the intent's change comes first, so that naming them fails from then
 * on. False, with nothing changed, unless the intent stands at just that revision; the caller then leaves the bytes alone.
 */
export async function seizeIntent(store: Store, blob: BlobId, revision: Revision): Promise<boolean> {
  try {
    await write(store, { put: keys.intent(blob), value: { beat: 0 }, ifRevision: revision });
    return true;
  } catch (error) {
    if (isError(error, 'Conflict')) return false;
    throw error;
  }
}

/** A conflict on an intent is no race to repeat: the collector gave the bytes up, because they stood still for so long. */
export function lostToCollector(error: unknown, changes: readonly Change[]): ArtefactError | undefined {
  if (!isError(error, 'Conflict')) return undefined;
  const lost = changes[Number(error.details['change'] ?? -1)];
  return lost !== undefined && 'put' in lost && lost.put.startsWith(keys.intents) ? givenUp(error) : undefined;
}

function givenUp(cause: unknown): ArtefactError {
  return new ArtefactError('Unavailable', 'The bytes took too long to be kept, and were given up. Please send them again.', { cause });
}

async function write(store: Store, change: Change): Promise<Revision> {
  const [revision] = await store.records.write([change]);
  return revision ?? '';
}
