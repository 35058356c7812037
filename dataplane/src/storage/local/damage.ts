/** Remembers that records were found damaged: what is read further may be sound, but the place needs somebody's care. */
import { ArtefactError } from '../../errors.ts';
import type { Bytes, Store } from '../contract.ts';
import { isDamage } from './failure.ts';

/** The same store, whose `check` fails from the first damage on that any call met, until it is opened anew. */
export function watchDamage(store: Store): Store {
  let found: ArtefactError | undefined;
  const note = (thrown: unknown): never => {
    if (thrown instanceof ArtefactError && isDamage(thrown.cause)) found ??= thrown;
    throw thrown;
  };
  const { blobs, records } = store;
  return {
    ...store,
    blobs: {
      ...(blobs.small && { small: (id) => blobs.small!(id).catch(note) }),
      put: (id, body) => blobs.put(id, body).catch(note),
      get: (id, range) => noting(blobs.get(id, range), note),
      head: (id) => blobs.head(id).catch(note),
      delete: (id) => blobs.delete(id).catch(note),
      list: (after, limit) => blobs.list(after, limit).catch(note),
    },
    records: {
      ...records,
      get: (key) => records.get(key).catch(note),
      scan: (query) => records.scan(query).catch(note),
      write: (changes) => records.write(changes).catch(note),
    },
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
