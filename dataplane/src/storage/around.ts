/** A store whose calls all go through one place, for whoever wants to know of them. */
import type { Blobs, Bytes, Records, Store } from './contract.ts';

/** What calls are, in the words of the contract. */
export type StoreCall = `blobs.${Exclude<keyof Blobs, 'get'>}` | `records.${'get' | 'scan' | 'write'}` | 'check';

export interface Around {
  /** Does the work of a call, and answers what comes of it. */
  readonly call: <T>(call: StoreCall, work: () => Promise<T>) => Promise<T>;
  /** Passes on the bytes of a blob; without it they come as they are. */
  readonly bytes?: (bytes: Bytes) => Bytes;
}

/** The same store, all of whose calls are made by `around`, but for `close`. */
export function aroundStore(store: Store, around: Around): Store {
  return {
    blobs: aroundBlobs(store.blobs, around),
    records: aroundRecords(store.records, around),
    ...(store.presign && { presign: store.presign }),
    check: () => around.call('check', () => store.check()),
    close: () => store.close(),
  };
}

function aroundBlobs(blobs: Blobs, around: Around): Blobs {
  const { bytes = (same: Bytes) => same } = around;
  return {
    put: (id, body) => around.call('blobs.put', () => blobs.put(id, body)),
    get: (id, range) => bytes(blobs.get(id, range)),
    ...(blobs.small && { small: (id) => around.call('blobs.small', () => blobs.small!(id)) }),
    head: (id) => around.call('blobs.head', () => blobs.head(id)),
    delete: (id) => around.call('blobs.delete', () => blobs.delete(id)),
    list: (after, limit) => around.call('blobs.list', () => blobs.list(after, limit)),
  };
}

function aroundRecords(records: Records, around: Around): Records {
  return {
    ...(records.transactional && { transactional: records.transactional }),
    get: (key) => around.call('records.get', () => records.get(key)),
    ...(records.recall && { recall: (key: string) => records.recall?.(key) }),
    scan: (query) => around.call('records.scan', () => records.scan(query)),
    write: (changes) => around.call('records.write', () => records.write(changes)),
  };
}
