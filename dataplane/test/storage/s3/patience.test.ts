import assert from 'node:assert/strict';
import { ArtefactError } from '../../../src/errors.ts';
import { failureOf, S3Failure, translate } from '../../../src/storage/s3/failure.ts';
import { openBudget, repeated } from '../../../src/storage/s3/patience.ts';

const answered = (status: number, name = 'Error'): Error =>
  Object.assign(new Error('authorization: secret'), { name, $metadata: { httpStatusCode: status } });

describe('what an S3 server answered', () => {
  for (const [thrown, kind] of [
    [answered(404, 'NoSuchKey'), 'missing'],
    [answered(404, 'NoSuchBucket'), 'fatal'],
    [answered(412), 'refused'],
    [answered(304), 'unchanged'],
    [answered(416), 'beyond'],
    [answered(409, 'ConditionalRequestConflict'), 'busy'],
    [answered(503), 'slow'],
    [answered(429), 'slow'],
    [answered(500), 'unknown'],
    [answered(400, 'RequestTimeout'), 'unknown'],
    [answered(403, 'AccessDenied'), 'fatal'],
    [answered(200, 'SyntaxError'), 'unknown'],
    [Object.assign(new Error(), { code: 'ECONNRESET' }), 'unknown'],
    [new DOMException('late', 'TimeoutError'), 'unknown'],
    [new TypeError('a mistake'), 'fatal'],
  ] as const) {
    it(`is ${kind}: ${failureOf(thrown).message}`, () => assert.equal(failureOf(thrown).kind, kind));
  }

  it('is told without anything of the request', () => {
    const error = translate(answered(403, 'AccessDenied'), 'here');
    assert.equal(error.code, 'Unavailable');
    assert.match(error.message, /'here' cannot be used: its credentials do not permit this/);
    assert.doesNotMatch(JSON.stringify([error.message, error.cause, (error.cause as Error).stack]), /secret/);
    assert.equal(translate(answered(503), 'here').code, 'SlowDown');
  });
});

describe('repeating requests', () => {
  const patience = (budget = openBudget()) => ({ location: 'here', budget, deadlineMs: 2_000 });

  it('goes on until an answer comes', async () => {
    let calls = 0;
    const result = await repeated(patience(), () =>
      Promise.resolve().then(() => ((calls += 1) < 4 ? Promise.reject(failureOf(answered(500))) : 'done')),
    );
    assert.deepEqual([result, calls], ['done', 4]);
  });

  it('makes a fatal request once', async () => {
    let calls = 0;
    await assert.rejects(
      repeated(patience(), () => ((calls += 1), Promise.reject(failureOf(answered(403))))),
      ArtefactError,
    );
    assert.equal(calls, 1);
  });

  it('hands over a refusal as it is', async () => {
    await assert.rejects(
      repeated(patience(), () => Promise.reject(answered(412))),
      (thrown) => thrown instanceof S3Failure && thrown.kind === 'refused',
    );
  });

  it('stops when the deadline is over', async () => {
    const began = performance.now();
    await assert.rejects(
      repeated({ ...patience(), deadlineMs: 100 }, () => Promise.reject(failureOf(answered(500)))),
      /cannot be used: it answers 500/,
    );
    assert.ok(performance.now() - began < 1_000);
  });

  it('spends a budget that success and time fill again', () => {
    let now = 0;
    const budget = openBudget(() => now);
    let spent = 0;
    while (budget.spend()) spent += 1;
    assert.equal(spent, 200);
    for (let n = 0; n < 4; n += 1) budget.earn();
    assert.deepEqual([budget.spend(), budget.spend(), budget.spend()], [true, true, false]);
    now = 1_000;
    assert.deepEqual([budget.spend(), budget.spend(), budget.spend()], [true, true, false]);
  });
});
