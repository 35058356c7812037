/** The body of one request: it ends where the sender, the limit or a later request ends it, and says afterwards why. */
import { ArtefactError } from '../../errors.ts';
import type { Bytes } from '../../storage/contract.ts';
import { superseded } from './session.ts';

export interface Intake {
  /** Ends early without an error. */
  readonly bytes: Bytes;
  /** Throws why it ended early, if it did. */
  throwFailure(): void;
}

const STOPPED = Symbol('stopped');

/** `limit`: more bytes than that end it with `BodyTooLarge`. */
export function takeIn(source: Bytes, signal: AbortSignal | undefined, limit: number): Intake {
  let failure: Error | undefined;
  const bytes = (async function* () {
    const iterator = source[Symbol.asyncIterator]();
    let received = 0;
    try {
      for (;;) {
        const step = await nextUnless(iterator, signal);
        if (step === STOPPED) return void (failure = superseded());
        if (step.done === true) return;
        received += step.value.length;
        if (received > limit) return void (failure = tooLarge(limit));
        yield step.value;
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error('The body broke off.', { cause: error });
    } finally {
      // not awaited: a source that waits for its sender answers only when that one does
      void iterator.return?.().catch(() => undefined);
    }
  })();
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure;
  };
  return { bytes, throwFailure };
}

/** One listener per pull, since promises raced against a lasting one would pile up on it. */
function nextUnless(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array> | typeof STOPPED> {
  if (signal === undefined) return iterator.next();
  if (signal.aborted) return Promise.resolve(STOPPED);
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(STOPPED);
    signal.addEventListener('abort', stop, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop));
  });
}

function tooLarge(limit: number): ArtefactError {
  return new ArtefactError('BodyTooLarge', `There is room for ${limit} more bytes in this upload, and the request has more.`, {
    details: { reason: 'length', room: limit },
  });
}
