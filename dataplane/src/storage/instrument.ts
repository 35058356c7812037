/** Times every call to a storage location, and puts each into a span of the request that made it. */
import { asArtefactError } from '../errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { span } from '../telemetry/traces.ts';
import type { Blobs, Bytes, Records, Store } from './contract.ts';

/** The same store, observed. */
export function instrumentStore(store: Store, metrics: Pick<Metrics, 'storageCalled'>): Store {
  const timed = <T>(call: string, work: () => Promise<T>): Promise<T> => span(call, {}, () => observe(metrics, call, work));
  return {
    blobs: instrumentBlobs(store.blobs, timed),
    records: instrumentRecords(store.records, timed),
    ...(store.presign && { presign: store.presign }),
    check: () => timed('check', () => store.check()),
    close: () => store.close(),
  };
}

type Timed = <T>(call: string, work: () => Promise<T>) => Promise<T>;

function instrumentBlobs(blobs: Blobs, timed: Timed): Blobs {
  return {
    put: (id, body) => timed('blobs.put', () => blobs.put(id, body)),
    get: (id, range) => timeFirst(blobs.get(id, range), timed),
    ...(blobs.small && { small: (id) => timed('blobs.small', () => blobs.small!(id)) }),
    head: (id) => timed('blobs.head', () => blobs.head(id)),
    delete: (id) => timed('blobs.delete', () => blobs.delete(id)),
    list: (after, limit) => timed('blobs.list', () => blobs.list(after, limit)),
  };
}

function instrumentRecords(records: Records, timed: Timed): Records {
  return {
    ...(records.transactional && { transactional: records.transactional }),
    get: (key) => timed('records.get', () => records.get(key)),
    ...(records.recall && { recall: (key: string) => records.recall?.(key) }),
    scan: (query) => timed('records.scan', () => records.scan(query)),
    write: (changes) => timed('records.write', () => records.write(changes)),
  };
}

/** The first pull is the store's latency; those after it wait for whoever reads as much as for the store. */
function timeFirst(bytes: Bytes, timed: Timed): Bytes {
  return {
    [Symbol.asyncIterator]() {
      const source = bytes[Symbol.asyncIterator]();
      let next = () => {
        next = () => source.next();
        return timed('blobs.get', () => source.next());
      };
      return {
        next: () => next(),
        return: () => source.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      };
    },
  };
}

function observe<T>(metrics: Pick<Metrics, 'storageCalled'>, call: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  return work().then(
    (result) => {
      metrics.storageCalled({ call, seconds: (performance.now() - began) / 1000 });
      return result;
    },
    (thrown: unknown) => {
      metrics.storageCalled({ call, seconds: (performance.now() - began) / 1000, error: asArtefactError(thrown).code });
      throw thrown;
    },
  );
}
