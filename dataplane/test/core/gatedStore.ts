/** A store in which something else happens just before one step. */
import type { Change, Records, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';

/** A memory store that runs something before the n-th record call after it was asked to. */
export function gatedStore(): { readonly store: Store; before(step: number, run: () => Promise<unknown>): () => Promise<unknown> } {
  const inner = openMemoryStore();
  let left = Infinity;
  let action: () => Promise<unknown> = () => Promise.resolve();
  let running: Promise<unknown> = Promise.resolve();
  let inside = false;
  const gate = async (): Promise<void> => {
    if (inside) return;
    left -= 1;
    if (left !== 0) return;
    inside = true;
    running = action();
    await running;
    inside = false;
  };
  const records: Records = {
    get: async (key) => (await gate(), inner.records.get(key)),
    scan: async (query) => (await gate(), inner.records.scan(query)),
    write: async (changes: readonly Change[]) => (await gate(), inner.records.write(changes)),
  };
  return {
    store: { ...inner, records },
    before: (step, run) => {
      left = step;
      action = run;
      return async () => {
        left = Infinity;
        await running;
      };
    },
  };
}
