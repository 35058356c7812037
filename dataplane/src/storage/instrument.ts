/** Times every call to a storage location, and puts each into a span of the request that made it. */
import { asArtefactError } from '../errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { span } from '../telemetry/traces.ts';
import { aroundStore, type StoreCall } from './around.ts';
import type { Bytes, Store } from './contract.ts';

/** The same store, observed. */
export function instrumentStore(store: Store, metrics: Pick<Metrics, 'storageCalled'>): Store {
  const timed: Timed = (call, work) => span(call, {}, () => observe(metrics, call, work));
  return aroundStore(store, { call: timed, bytes: (bytes) => timeFirst(bytes, timed) });
}

type Timed = <T>(call: StoreCall | 'blobs.get', work: () => Promise<T>) => Promise<T>;

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
