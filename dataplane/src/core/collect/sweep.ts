/** Steps through records in pages, giving way to requests between them. */
import { setImmediate as giveWay } from 'node:timers/promises';
import type { Entry, Store } from '../../storage/contract.ts';

const PAGE = 200;

/** Every record under a prefix; records that are added or removed meanwhile may or may not be seen. Ends early when aborted. */
export async function* scanAll(store: Store, prefix: string, signal?: AbortSignal): AsyncGenerator<Entry, void, void> {
  for (let after: string | undefined; signal === undefined || !signal.aborted;) {
    const page = await store.records.scan({ prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const item of page) {
      if (signal !== undefined && signal.aborted) return;
      if ('value' in item) yield item;
    }
    if (page.length < PAGE) return;
    after = (page.at(-1) as Entry).key;
    await giveWay();
  }
}

/** Removes every record under a prefix. */
export async function removeAll(store: Store, prefix: string): Promise<void> {
  for (;;) {
    const page = await store.records.scan({ prefix, limit: PAGE });
    if (page.length === 0) return;
    await store.records.write(page.map((item) => ({ delete: (item as Entry).key })));
  }
}
