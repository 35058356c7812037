import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Digest } from '../../../src/core/digest.ts';
import type { ScrubState } from '../../../src/core/scrub/lease.ts';
import { ArtefactError, isError } from '../../../src/errors.ts';
import type { Bytes, Store } from '../../../src/storage/contract.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import { ACTOR } from '../core.fixture.ts';
import { bodyOf, bucket } from './content.ts';
import { blobsOf, QUICK, recordOf, ROT, rot, rottingCore, until } from './rot.ts';
import type { RottingCore } from './rot.ts';

const never = new AbortController().signal;

/** A store whose blobs are read as the test says. */
function troubledStore(): { readonly store: Store; trouble: (blob: string) => void; check: () => void; readonly reads: string[] } {
  const inner = openMemoryStore();
  const reads: string[] = [];
  const handle = {
    reads,
    trouble: (_blob: string): void => undefined,
    check: (): void => undefined,
    store: {
      ...inner,
      check: async () => handle.check(),
      blobs: {
        ...inner.blobs,
        get: (id: string, range?: Parameters<Store['blobs']['get']>[1]): Bytes =>
          (async function* () {
            reads.push(id);
            handle.trouble(id);
            yield* inner.blobs.get(id, range);
          })(),
      },
    },
  };
  return handle;
}

const unavailable = (): never => {
  throw new ArtefactError('Unavailable', 'its disk reports an input/output error');
};

async function fill(test: RottingCore, count: number): Promise<readonly Digest[]> {
  const digests: Digest[] = [];
  for (let n = 0; n < count; n += 1) digests.push((await test.put(bucket, `k${n}`, bodyOf(40_000))).digest);
  return digests.sort();
}

describe('core: a pass of the scrub', () => {
  it('goes on where the last process stood, and looks at each digest once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }), async (stops) => {
        const store = openMemoryStore();
        const digests = await fill(rottingCore({ store }), 25);
        const seen: Digest[] = [];
        for (const count of [...stops, Infinity]) {
          const test = rottingCore({ store });
          const stop = new AbortController();
          const running = test.core.scrub.run(stop.signal);
          await until(() => test.told.examined.length >= count || test.told.passes.length > 0);
          stop.abort();
          await running;
          seen.push(...test.told.examined.map(({ digest }) => digest));
          if (test.told.passes.length > 0) break;
        }
        assert.deepEqual(seen, digests);
        const [state] = await rottingCore({ store }).core.scrub.state();
        assert.deepEqual([state?.last?.digests, state?.last?.bytes, state?.pass], [25, 25 * 40_000, undefined]);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps its budget, of bytes and of digests', async () => {
    const bytes = rottingCore({ budget: { bytesPerSecond: 1_000_000 } });
    await bytes.put(bucket, 'k', bodyOf(600_000));
    const digests = rottingCore({ budget: { digestsPerSecond: 50 } });
    for (let n = 0; n < 30; n += 1) await digests.put(bucket, `k${n}`, `${n}`);
    for (const test of [bytes, digests]) {
      const pass = await test.scrub();
      const ms = pass.finished - pass.started;
      assert.ok(ms > 400 && ms < 3000, `a pass of 600 ms took ${ms} ms`);
    }
  });

  it('begins when the period is over, or when it is asked for; and never where the rate is 0', async () => {
    const test = rottingCore({ budget: { period: 86_400_000 } });
    await test.put(bucket, 'k', 'k');
    const stop = new AbortController();
    const running = test.core.scrub.run(stop.signal);
    const passes = async (count: number) => until(() => test.told.passes.length === count);
    await passes(1);
    test.pass(86_300_000);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await passes(1);
    test.pass(200_000);
    await passes(2);
    test.pass(1000);
    await test.core.scrub.request();
    await passes(3);
    const [state] = await test.core.scrub.state();
    assert.equal(state?.next, (state?.last?.started ?? 0) + 86_400_000);
    stop.abort();
    await running;

    const off = rottingCore({ budget: { bytesPerSecond: 0 } });
    const { digest } = await off.put(bucket, 'k', bodyOf(50_000));
    await assert.rejects(off.core.scrub.request(), (error) => isError(error, 'InvalidRequest'));
    assert.equal((await off.core.scrub.state())[0]?.next, undefined);
    const ended = new AbortController();
    const idle = off.core.scrub.run(ended.signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    ended.abort();
    await idle;
    assert.deepEqual(off.told.examined, []);
    assert.deepEqual(await off.core.scrub.examine(digest, ACTOR, never), [{ location: 'default', outcome: 'sound' }]);
  });

  it('is made by one process at a time, and carried on by another when that falls silent', async () => {
    const store = openMemoryStore();
    const first = rottingCore({ store, budget: { bytesPerSecond: 200_000 } });
    const second = rottingCore({ store });
    await fill(first, 10);
    const stop = new AbortController();
    const running = first.core.scrub.run(stop.signal);
    await until(() => first.told.examined.length >= 2);
    const other = second.core.scrub.run(stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(second.told.examined, [], 'the first one holds the pass');
    // As if the first had written nothing for longer than the lease.
    second.pass(2 * QUICK.lease);
    await until(() => second.told.passes.length === 1);
    await until(() => first.told.suspended.length > 0);
    assert.ok(isError(first.told.suspended[0], 'Conflict'));
    assert.equal(second.told.passes[0]?.digests, 10);
    stop.abort();
    await Promise.all([running, other]);
  });

  it('is made although clocks went wrong and came back', async () => {
    const store = openMemoryStore();
    const YEARS = 10 * 365 * 86_400_000;
    const ahead = rottingCore({ store });
    await fill(ahead, 3);
    ahead.pass(YEARS);
    assert.equal((await ahead.scrub()).digests, 3);
    const right = rottingCore({ store });
    const stop = new AbortController();
    const running = right.core.scrub.run(stop.signal);
    await until(() => right.told.examined.length === 3);
    stop.abort();
    await running;

    const state: ScrubState = {
      pass: { started: Date.now(), digests: 0, bytes: 0, damaged: 0, unreadable: 0 },
      holder: { id: 'gone', beat: Date.now() + YEARS },
    };
    await store.records.write([{ put: 'scrub/state', value: JSON.parse(JSON.stringify(state)) as never }]);
    const next = rottingCore({ store });
    const end = new AbortController();
    const going = next.core.scrub.run(end.signal);
    await until(() => next.told.passes.length > 0);
    end.abort();
    await going;
  });

  it('is not held up for ever by a digest that no process lives long enough to read', async () => {
    const store = openMemoryStore();
    const test = rottingCore({ store });
    const [first = assert.fail(), ...others] = await fill(test, 3);
    const state: ScrubState = {
      pass: { started: Date.now(), digests: 0, bytes: 0, damaged: 0, unreadable: 0, at: { hex: first.slice('sha256:'.length), ended: 2 } },
    };
    await store.records.write([{ put: 'scrub/state', value: JSON.parse(JSON.stringify(state)) as never }]);
    const stop = new AbortController();
    const running = test.core.scrub.run(stop.signal);
    await until(() => test.told.passes.length === 1);
    stop.abort();
    await running;
    assert.deepEqual(
      test.told.examined.map(({ digest, examination }) => [digest, examination.outcome]),
      [[first, 'unreadable'], ...others.map((digest) => [digest, 'sound'])],
    );
    assert.deepEqual(
      (await test.findings()).map(({ digest, kind, quarantined }) => [digest, kind, quarantined]),
      [[first, 'unreadable', false]],
    );
  });
});

describe('core: a scrub that cannot read', () => {
  it('tries again, and says nothing of what could be read then', async () => {
    const handle = troubledStore();
    const test = rottingCore({ store: handle.store });
    await test.put(bucket, 'k', bodyOf(50_000));
    let failures = 2;
    handle.trouble = () => void (failures-- > 0 && unavailable());
    const pass = await test.scrub();
    assert.deepEqual([pass.unreadable, pass.damaged], [0, 0]);
    assert.deepEqual(await test.findings(), []);
  });

  it('reports one digest of many without taking it for wrong, once, until it can be read again', async () => {
    const handle = troubledStore();
    const test = rottingCore({ store: handle.store });
    const [first = assert.fail(), ...others] = await fill(test, 4);
    const [blob] = await blobsOf(test.store, first);
    handle.trouble = (read) => void (read === blob && unavailable());
    assert.deepEqual((await test.scrub()).unreadable, 1);
    assert.deepEqual((await test.scrub()).unreadable, 1);
    const [finding, ...more] = await test.findings();
    assert.deepEqual([finding?.digest, finding?.kind, finding?.quarantined, more], [first, 'unreadable', false, []]);
    assert.match(finding?.detail ?? '', /input\/output error/);
    assert.equal((await test.journal('unreadable')).length, 1);
    assert.equal((await recordOf(test.store, first)).quarantined, undefined);
    assert.equal(others.length, 3);
    handle.trouble = () => undefined;
    assert.equal((await test.scrub()).unreadable, 0);
    assert.deepEqual(await test.findings(), []);
    assert.deepEqual(await test.journal('quarantine'), []);
  });

  it('rests when storage itself is out of order, and begins again at the same digest', async () => {
    const handle = troubledStore();
    const test = rottingCore({ store: handle.store });
    const digests = await fill(test, 5);
    handle.trouble = unavailable;
    handle.check = unavailable;
    const stop = new AbortController();
    const running = test.core.scrub.run(stop.signal);
    await until(() => test.told.suspended.length >= 3);
    assert.deepEqual(test.told.examined, []);
    handle.trouble = () => undefined;
    handle.check = () => undefined;
    await until(() => test.told.passes.length === 1);
    stop.abort();
    await running;
    assert.deepEqual(
      test.told.examined.map(({ digest }) => digest),
      digests,
    );
    assert.deepEqual(await test.findings(), []);
  });

  it('takes a place where nothing is found any more for the wrong place', async () => {
    const handle = troubledStore();
    const test = rottingCore({ store: handle.store });
    await fill(test, 30);
    handle.trouble = () => {
      throw new ArtefactError('DigestUnknown', 'not there');
    };
    const stop = new AbortController();
    const running = test.core.scrub.run(stop.signal);
    await until(() => test.told.suspended.length >= 1);
    stop.abort();
    await running;
    assert.ok((await test.journal('quarantine')).length < 8);
    handle.trouble = () => undefined;
    await test.scrub();
    await test.scrub();
    assert.deepEqual(await test.findings(), [], 'what is there again is let out again');
    assert.equal(await counted(test), 0);
  });

  it('lets what was missing out when it is back; what differed only when it is told to', async () => {
    const test = rottingCore();
    const missing = await test.put(bucket, 'missing', bodyOf(50_000));
    const wrong = await test.put(bucket, 'wrong', bodyOf(50_000));
    const restore = [
      await rot(test.store, (await blobsOf(test.store, missing.digest))[0]!, ROT.deleted),
      await rot(test.store, (await blobsOf(test.store, wrong.digest))[0]!, ROT.flipped),
    ];
    assert.equal((await test.scrub()).damaged, 2);
    assert.equal(await counted(test), 2);
    assert.deepEqual(await test.core.scrub.examine(wrong.digest, ACTOR, never).then(([one]) => one?.outcome), 'quarantined');
    for (const back of restore) await back();
    await test.scrub();
    assert.deepEqual(
      (await test.findings()).map(({ digest }) => digest),
      [wrong.digest],
    );
    assert.equal((await test.text(bucket, 'missing')).length > 0, true);
    assert.deepEqual(await test.core.scrub.examine(wrong.digest, ACTOR, never), [{ location: 'default', outcome: 'released' }]);
    assert.equal((await test.text(bucket, 'wrong')).length > 0, true);
    assert.deepEqual(
      (await test.journal('release')).map(({ digest, actor }) => [digest, actor.principal]),
      [
        [missing.digest, 'bonded:scrub'],
        [wrong.digest, ACTOR.principal],
      ],
    );
    assert.equal((await test.journal('quarantine')).length, 2, 'what is known is not journalled again');
  });
});

/** How many digests the observer is told to be in quarantine. */
async function counted(test: RottingCore): Promise<number> {
  test.told.quarantined = -1;
  const stop = new AbortController();
  const running = test.core.scrub.run(stop.signal);
  await until(() => test.told.quarantined >= 0);
  stop.abort();
  await running;
  return test.told.quarantined;
}
