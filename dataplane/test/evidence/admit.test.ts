import assert from 'node:assert/strict';
import type { Snapshot } from '@bonded/crds';
import { sha256Digest } from '../../src/core/digest.ts';
import { isError } from '../../src/errors.ts';
import { admit, type Judge } from '../../src/evidence/admit.ts';

const SNAPSHOT: Snapshot = { revision: 'r', buckets: [], bindings: [], policies: [], accessKeys: [] };
const SUBJECT = { digest: sha256Digest('ab'.repeat(32)), resource: { bucket: 'b', name: 'n' } };
const judge =
  (outcome: 'admitted' | 'held' | 'refused', missing: readonly string[]): Judge =>
  async () => ({ outcome, passed: [], missing });

describe('admit', () => {
  it('hands out the key to what no policy selects', async () => {
    assert.equal((await admit(SUBJECT, { id: 'anonymous' }, SNAPSHOT)).digest, SUBJECT.digest);
  });

  for (const outcome of ['held', 'refused'] as const) {
    it(`throws Held for what is ${outcome}, and says what is missing`, async () => {
      const verdict = admit(
        SUBJECT,
        { id: 'anonymous' },
        SNAPSHOT,
        judge(outcome, ['Bring a signature of release-key.', 'Bring an SBOM.']),
      );
      await assert.rejects(
        verdict,
        (thrown) =>
          isError(thrown, 'Held') && /release-key\. Bring an SBOM\.$/.test(thrown.message) && thrown.details['outcome'] === outcome,
      );
    });
  }
});
