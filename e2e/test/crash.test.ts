/** The server is killed again and again under a mixed load; docs/crash-testing.md says what is checked, and how to play more rounds. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { runCampaign } from '../crash/campaign.ts';

const ROUNDS = 200;
const MINUTE = 60_000;

describe('crashes', function () {
  this.timeout(20 * MINUTE);

  before(function () {
    // `make e2e-s3` has its own.
    if ((process.env.E2E_STORAGE ?? '') !== '') this.skip();
  });

  it(`lose nothing, tear nothing and leave nothing behind in ${ROUNDS} rounds`, async () => {
    const lines: string[] = [];
    const seed = randomBytes(4).toString('hex');
    const summary = await runCampaign({
      rounds: ROUNDS,
      seed,
      storage: 'local',
      perDirectory: 50,
      straysEvery: 20,
      tell: (line) => void lines.push(line),
    });
    assert.equal(lines.length, ROUNDS);
    assert.ok(summary.kills >= ROUNDS, `the server was killed ${summary.kills} times only`);
    assert.ok(summary.acknowledged > 20 * ROUNDS, `${summary.acknowledged} answers are too few to mean anything`);
    assert.ok(summary.lost > ROUNDS, `only ${summary.lost} requests were cut off`);
    assert.ok(summary.unjudged < ROUNDS / 10, `${summary.unjudged} names had too many open ends to be judged`);
  });
});
