/** Remembers that records were found damaged: what is read further may be sound, but the place needs somebody's care. */
import { ArtefactError } from '../../errors.ts';
import { aroundStore } from '../around.ts';
import type { Bytes, Store } from '../contract.ts';
import { isDamage } from './failure.ts';

/** The same store, whose `check` fails from the first damage on that any call met, until it is opened anew. */
export function watchDamage(store: Store): Store {
  let found: ArtefactError | undefined;
  const note = (thrown: unknown): never => {
    if (thrown instanceof ArtefactError && isDamage(thrown.cause)) found ??= thrown;
    throw thrown;
  };
  return {
    ...aroundStore(store, { call: (_, work) => work().catch(note), bytes: (bytes) => noting(bytes, note) }),
    async check() {
      await store.check();
      if (found) throw found;
    },
  };
}

async function* noting(bytes: Bytes, note: (thrown: unknown) => never): Bytes {
  try {
    yield* bytes;
  } catch (thrown) {
    note(thrown);
  }
}
