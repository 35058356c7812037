/** A store that keeps only the contract's weaker promise: the changes of a batch are made one after another, others' between them. */
import { isError } from '../../src/errors.ts';
import type { Change, Store } from '../../src/storage/contract.ts';
import { groupsOf } from '../../src/storage/limits.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';

/** `step` is called before each change, and may throw where the process is to end. `backwards`: the way in which changes are made that have no order. */
export function weakStore(step: () => void = () => undefined, { backwards = () => false }: { backwards?: () => boolean } = {}): Store {
  const inner = openMemoryStore();
  const one = async (change: Change, index: number): Promise<string> => {
    step();
    try {
      return (await inner.records.write([change]))[0]!;
    } catch (error) {
      if (isError(error, 'Conflict')) Object.assign(error.details, { change: index });
      throw error;
    }
  };
  return {
    ...inner,
    records: {
      get: (key) => inner.records.get(key),
      scan: (query) => inner.records.scan(query),
      write: async (changes) => {
        const revisions: string[] = [];
        for (const group of groupsOf(changes)) {
          for (const { change, index } of backwards() ? group.toReversed() : group) revisions[index] = await one(change, index);
        }
        return revisions;
      },
    },
    blobs: {
      ...inner.blobs,
      put: async (id, body) => (step(), inner.blobs.put(id, body)),
      delete: async (id) => (step(), inner.blobs.delete(id)),
    },
  };
}
