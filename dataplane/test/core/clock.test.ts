import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Arrived } from '../../src/core/core.ts';
import { isError } from '../../src/errors.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore } from './core.fixture.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GRACE = HOUR;
const bucket = bucketNamed('b');
const body = randomBytes(200_000);
const never = new AbortController().signal;
const isUnavailable = (thrown: unknown): boolean => isError(thrown, 'Unavailable');

/** A core whose time passes as told, whatever its clock shows. */
function timed(store = openMemoryStore()) {
  let passed = 0;
  const test = testCore({ terms: { grace: GRACE, beat: HOUR }, store, elapsed: () => passed });
  return {
    ...test,
    /** Both the time and the clock. */
    wait: (ms: number) => {
      passed += ms;
      test.pass(ms);
    },
  };
}

/** A body that stops in its middle until it is let go. */
function halved() {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const bytes = (async function* () {
    yield* bytesOf(body.subarray(0, 100_000));
    begun.resolve();
    await gate.promise;
    yield* bytesOf(body.subarray(100_000));
  })();
  return { bytes, begun: begun.promise, goOn: gate.resolve };
}

describe('core: a clock that jumps', () => {
  it('forwards: takes nothing alive for old, says why nothing is collected, and collects again when the grace is over', async () => {
    const { core, pass, wait, keys, put, store } = timed();
    await put(bucket, 'old', randomBytes(100_000));
    await core.objects.delete(bucket, 'old', undefined, {}, ACTOR);
    const upload = halved();
    const receiving = core.objects.receive(bucket, upload.bytes, {});
    await upload.begun;
    pass(DAY);
    await assert.rejects(core.collection.collect(never), (thrown: Error) => isUnavailable(thrown) && /put forward/.test(thrown.message));
    wait(GRACE / 2);
    await assert.rejects(core.collection.collect(never), isUnavailable);
    upload.goOn();
    await core.objects.put(bucket, 'k', await receiving, PLAIN, {}, ACTOR);
    assert.deepEqual(await keys('intent/'), []);
    wait(GRACE / 2 + 1);
    assert.equal((await core.collection.collect(never)).digests, 1);
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
  });

  it('does not notice a clock that is set right by little', async () => {
    const { core, pass } = timed();
    pass(GRACE / 5);
    await core.collection.collect(never);
  });

  it('backwards: collects later, and what comes back is a jump again', async () => {
    const { core, pass, wait } = timed();
    pass(-2 * HOUR);
    await core.collection.collect(never);
    pass(2 * HOUR);
    await assert.rejects(core.collection.collect(never), isUnavailable);
    wait(GRACE + 1);
    await core.collection.collect(never);
  });

  it('backwards: a reader of the journal misses nothing, also over a restart', async () => {
    const store = openMemoryStore();
    const first = timed(store);
    await first.put(bucket, 'one', 'x');
    const newest = async () => (await first.core.journal.read({ limit: 1, tail: true })).at(-1)!.id;
    const seen = await newest();
    first.pass(-HOUR);
    await first.put(bucket, 'two', 'x');
    assert.deepEqual(
      (await first.core.journal.read({ after: seen, limit: 10 })).map(({ name }) => name),
      ['two'],
    );
    const again = timed(store);
    again.pass(-HOUR);
    await again.core.journal.resume();
    const before = await newest();
    await again.put(bucket, 'three', 'x');
    await again.put(bucket, 'four', 'x');
    assert.deepEqual(
      (await again.core.journal.read({ after: before, limit: 10 })).map(({ name }) => name),
      ['three', 'four'],
    );
  });
});

/** Bytes that the collector gave up when half of them had come. */
async function receivedTooLate({ core, wait }: Pick<ReturnType<typeof timed>, 'core' | 'wait'>): Promise<Arrived> {
  const upload = halved();
  const receiving = core.objects.receive(bucket, upload.bytes, {});
  await upload.begun;
  wait(2 * GRACE);
  await core.collection.collect(never);
  upload.goOn();
  return receiving;
}

describe('core: bytes that the collector gave up while they came', () => {
  it('are refused with the reason, and leave nothing behind', async () => {
    const { core, wait, keys, store } = timed();
    const arrived = await receivedTooLate({ core, wait });
    await assert.rejects(core.objects.put(bucket, 'k', arrived, PLAIN, {}, ACTOR), isUnavailable);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.deepEqual(await keys('intent/'), []);
    await assert.rejects(core.objects.get(bucket, 'k', undefined), (thrown) => isError(thrown, 'NameUnknown'));
  });

  it('the same as a part', async () => {
    const { core, wait, keys, store } = timed();
    const session = await core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const arrived = await receivedTooLate({ core, wait });
    await assert.rejects(core.uploads.putPart(bucket, session, 1, arrived), isUnavailable);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.deepEqual(await keys('part/'), []);
  });

  it('are refused too when they say once more that they are alive', async () => {
    const { core, wait, store } = { ...timed() };
    const test = testCore({ terms: { grace: GRACE, beat: 20 }, store });
    const upload = halved();
    const receiving = test.core.objects.receive(bucket, upload.bytes, {});
    await upload.begun;
    const [intent] = await test.keys('intent/');
    await store.records.write([{ delete: intent! }]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    upload.goOn();
    await assert.rejects(receiving, isUnavailable);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    wait(0);
    await core.collection.collect(never);
  });
});
