import type { Place } from '../../../dataplane/test/storage/conformance.ts';
import { describeStore } from '../../../dataplane/test/storage/conformance.ts';
import { NOT_TRANSACTIONAL } from '../../../dataplane/test/storage/s3/skips.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { openPlace } from '../place.ts';

for (const name of BACKENDS) {
  describe(`s3 driver on ${name}`, function () {
    this.timeout(120_000);
    let backend: Backend;
    before(async () => void (backend = await startBackend(name)));
    after(() => backend.stop());
    describeStore(`s3 on ${name}`, (): Promise<Place> => openPlace(backend), { skip: NOT_TRANSACTIONAL });
  });
}
