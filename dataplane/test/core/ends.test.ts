import assert from 'node:assert/strict';
import { isError } from '../../src/errors.ts';
import type { Core } from '../../src/core/core.ts';
import type { DigestRecord } from '../../src/core/digests.ts';
import type { Change, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore, type TestCore } from './core.fixture.ts';

const BODY = Buffer.alloc(50_000, 'part');
const bucket = bucketNamed('b', { versioning: 'Enabled' });
const GRACE = 3_600_000;

/** A store whose batches are not transactions, in which something else may happen before each change. */
function steppedStore(): { readonly store: Store; interrupt: (step: number, work: () => Promise<unknown>) => () => boolean } {
  const inner = openMemoryStore();
  let next: (() => Promise<void>) | undefined;
  const one = async (change: Change, index: number): Promise<string> => {
    await next?.();
    try {
      return (await inner.records.write([change]))[0] ?? '';
    } catch (error) {
      if (isError(error, 'Conflict')) Object.assign(error.details, { change: index });
      throw error;
    }
  };
  const store: Store = {
    ...inner,
    records: {
      get: (key) => inner.records.get(key),
      scan: (query) => inner.records.scan(query),
      async write(changes) {
        const revisions: string[] = [];
        for (const [index, change] of changes.entries()) revisions.push(await one(change, index));
        return revisions;
      },
    },
  };
  return {
    store,
    interrupt(step, work) {
      let left = step;
      let reached = false;
      next = async () => {
        left -= 1;
        if (left >= 0) return;
        next = undefined;
        reached = true;
        await work();
      };
      return () => reached;
    },
  };
}

type Outcome = 'done' | 'UploadUnknown' | 'ConcurrentChange';

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isError(error, 'UploadUnknown', 'ConcurrentChange')) return error.code as Outcome;
    throw error;
  }
}

interface Session {
  readonly complete: () => Promise<Outcome>;
  readonly abort: () => Promise<Outcome>;
}

/** Each answers the session as the first process has it, and as the second has. */
const KINDS: Readonly<Record<string, (cores: readonly [Core, Core]) => Promise<readonly [Session, Session]>>> = {
  async parts(cores) {
    const [{ uploads, objects }] = cores;
    const session = await uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const part = await uploads.putPart(bucket, session, 1, await objects.receive(bucket, bytesOf(BODY), {}));
    return bothOf(cores, (core) => ({
      complete: () => outcomeOf(core.uploads.complete(bucket, session, [part], {}, {}, ACTOR)),
      abort: () => outcomeOf(core.uploads.abort(bucket, 'k', session.uploadId, ACTOR)),
    }));
  },
  async ranges(cores) {
    const [{ ranges }] = cores;
    const session = await ranges.begin(bucket, 'k', { attributes: PLAIN, mode: 'parallel', length: BODY.length }, ACTOR);
    await ranges.write(bucket, session, { offset: 0, bytes: bytesOf(BODY) });
    return bothOf(cores, (core) => ({
      complete: () => outcomeOf(core.ranges.complete(bucket, session, { conditions: {}, actor: ACTOR })),
      abort: () => outcomeOf(core.ranges.abort(bucket, session, ACTOR)),
    }));
  },
};

function bothOf([one, other]: readonly [Core, Core], session: (core: Core) => Session): readonly [Session, Session] {
  return [session(one), session(other)];
}

const TERMS = { grace: GRACE, uploadLife: 2 * GRACE, doneLife: GRACE, wait: 0 };

/** The name is whole or not there, has no version too many, and nothing else stays. */
async function isWhole(test: TestCore, versions: number, what: string): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    test.pass(3 * GRACE);
    await test.core.collection.collect(new AbortController().signal);
  }
  const page = await test.core.objects.listVersions(bucket, { prefix: '', limit: 10 });
  assert.equal(page.versions.length, versions, what);
  for (const { versionId } of page.versions) assert.equal(await test.text(bucket, 'k', versionId), BODY.toString(), what);
  const digests = await test.store.records.scan({ prefix: 'digest/', limit: 10 });
  const held = digests.flatMap((item) => ('value' in item ? (item.value as unknown as DigestRecord).segments : []));
  assert.equal((await test.store.blobs.list(undefined, 10)).length, held.length, what);
  for (const left of ['intent/', 'garbage/', 'upload/', 'ranges/', 'part/', 'done/']) assert.deepEqual(await test.keys(left), [], what);
}

for (const [kind, begin] of Object.entries(KINDS)) {
  describe(`core: the end of an upload of ${kind}, asked for twice over a store without transactions`, () => {
    /** Runs `other` before each step of `one` in turn, on sessions of their own. */
    async function atEveryStep(
      one: keyof Session,
      other: keyof Session,
      check: (test: TestCore, outcomes: readonly [Outcome, Outcome], what: string) => Promise<void>,
    ): Promise<void> {
      for (let step = 0; ; step += 1) {
        const { store, interrupt } = steppedStore();
        const test = testCore({ store, terms: TERMS });
        const [here, there] = await begin([test.core, testCore({ store, terms: TERMS }).core]);
        let between = 'ConcurrentChange' as Outcome;
        const reached = interrupt(step, async () => void (between = await there[other]()));
        const outcome = await here[one]();
        if (!reached()) return assert.ok(step > 3, `it has ${step} steps`);
        // Who was in the way comes again.
        if (between === 'ConcurrentChange') between = await there[other]();
        await check(test, [outcome, between], `${one} with ${other} before step ${step}: ${outcome}, ${between}`);
      }
    }

    it('names the bytes or removes them, when one completes and one aborts', () =>
      atEveryStep('complete', 'abort', async (test, [completed, aborted], what) => {
        assert.notEqual(completed, aborted, what);
        await isWhole(test, completed === 'done' ? 1 : 0, what);
      }));

    it('names the bytes or removes them, when one aborts and one completes', () =>
      atEveryStep('abort', 'complete', async (test, [aborted, completed], what) => {
        assert.notEqual(completed, aborted, what);
        await isWhole(test, completed === 'done' ? 1 : 0, what);
      }));

    it('names the bytes once, when two complete', () =>
      atEveryStep('complete', 'complete', async (test, outcomes, what) => {
        assert.deepEqual(outcomes, ['done', 'done'], what);
        await isWhole(test, 1, what);
      }));

    it('is taken over from a process that died, and names the bytes', async () => {
      const { store, interrupt } = steppedStore();
      const test = testCore({ store, terms: TERMS });
      for (let step = 0; ; step += 1) {
        const [session] = await begin([test.core, test.core]);
        const reached = interrupt(step, async () => Promise.reject(new Error('it died')));
        await session.complete().catch(() => undefined);
        if (!reached()) break;
        test.pass(11_000);
        assert.equal(await session.complete(), 'done');
      }
    });
  });
}
