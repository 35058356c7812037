/** Steps through records in pages, giving way to requests between them. */
import { nextSlice } from '../slices.ts';
import { inAnyOrder, type Entry, type Store } from '../storage/contract.ts';

const PAGE = 200;

export interface ScanOptions {
  /** Strictly after this key. */
  readonly after?: string | undefined;
  /** Ends early when aborted. */
  readonly signal?: AbortSignal;
  /** Records that are held at once; default 200. */
  readonly page?: number;
}

/** Every record under a prefix, in order; records that are added or removed meanwhile may or may not be seen. */
export async function* scanAll(store: Store, prefix: string, options: ScanOptions = {}): AsyncGenerator<Entry, void, void> {
  const { signal, page: limit = PAGE } = options;
  const over = (): boolean => signal?.aborted ?? false;
  for (let { after } = options; !over();) {
    const page = (await store.records.scan({ prefix, limit, ...(after === undefined ? {} : { after }) })) as readonly Entry[];
    for (const entry of page) {
      if (over()) return;
      yield entry;
    }
    if (page.length < limit) return;
    after = page.at(-1)!.key;
    await nextSlice();
  }
}

/** Removes every record under a prefix. */
export async function removeAll(store: Store, prefix: string): Promise<void> {
  for (;;) {
    const page = (await store.records.scan({ prefix, limit: PAGE })) as readonly Entry[];
    if (page.length === 0) return;
    await store.records.write(inAnyOrder(page.map(({ key }) => ({ delete: key }))));
  }
}
