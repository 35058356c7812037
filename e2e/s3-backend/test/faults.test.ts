import assert from 'node:assert/strict';
import type { Place } from '../../../dataplane/test/storage/conformance.ts';
import { describeStore } from '../../../dataplane/test/storage/conformance.ts';
import { NOT_TRANSACTIONAL } from '../../../dataplane/test/storage/s3/skips.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { openPlace } from '../place.ts';
import { FAULTS, startProxy, type Proxy } from '../proxy.ts';

/** Of a hundred requests so many suffer a fault. */
const RATE = 0.06;

for (const name of BACKENDS) {
  describe(`s3 driver on ${name} through a faulty proxy`, function () {
    this.timeout(120_000);
    let backend: Backend;
    let proxy: Proxy;
    before(async () => {
      backend = await startBackend(name);
      proxy = await startProxy(backend.endpoint, { seed: 20261124, rate: RATE });
    });
    after(async () => {
      await proxy.close();
      await backend.stop();
    });
    describeStore(`s3 on ${name}, faulty`, (): Promise<Place> => openPlace(backend, { endpoint: proxy.endpoint }), {
      skip: NOT_TRANSACTIONAL,
    });

    // Suites run after the tests beside them: this one is the last.
    describe('afterwards', () => {
      it('has suffered every fault', () => {
        for (const fault of FAULTS) assert.ok(proxy.counts[fault] > 20, `${fault} befell ${proxy.counts[fault]} times`);
      });
    });
  });
}
