/** The crash rounds with content in a bucket of a real S3 server, which goes on while Bonded is killed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { runCampaign } from '../../crash/campaign.ts';
import { BACKENDS } from '../backend.ts';

const ROUNDS = 20;
const MINUTE = 60_000;

for (const storage of BACKENDS) {
  describe(`crashes on ${storage}`, function () {
    this.timeout(20 * MINUTE);

    it(`lose nothing, tear nothing and leave nothing behind in ${ROUNDS} rounds`, async () => {
      const seed = randomBytes(4).toString('hex');
      const summary = await runCampaign({ rounds: ROUNDS, seed, storage, perDirectory: 10, straysEvery: 5, tell: () => undefined });
      assert.ok(summary.kills >= ROUNDS && summary.lost >= ROUNDS && summary.acknowledged > 5 * ROUNDS, JSON.stringify(summary));
    });
  });
}
