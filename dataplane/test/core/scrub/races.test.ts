import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isError } from '../../../src/errors.ts';
import type { Bytes, Change, Store } from '../../../src/storage/contract.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import { ACTOR, bytesOf, collectBytes, PLAIN } from '../core.fixture.ts';
import { weakStore } from '../weakStore.ts';
import { bodyOf, bucket, WAYS } from './content.ts';
import { blobsOf, GRACE, recordOf, refusedAsDamaged, ROT, rot, rottingCore } from './rot.ts';
import type { RottingCore } from './rot.ts';

const never = new AbortController().signal;

interface Gate {
  readonly store: Store;
  /** Runs something before the n-th call from now on (readings of blobs, reads and writes of records); its own calls do not count. */
  before(step: number, run: () => Promise<unknown>): void;
  /** Whether it ran. */
  readonly ran: () => boolean;
  /** Keys that were read since it ran. */
  readonly readSince: readonly string[];
}

function gatedStore(inner: Store = openMemoryStore()): Gate {
  let left = Infinity;
  let action: () => Promise<unknown> = () => Promise.resolve();
  const gate = async (): Promise<void> => {
    left -= 1;
    if (left !== 0) return;
    left = Infinity;
    await action();
    done = true;
  };
  let done = false;
  const readSince: string[] = [];
  const { records, blobs } = inner;
  return {
    store: {
      ...inner,
      records: {
        ...records,
        get: async (key) => {
          await gate();
          if (done) readSince.push(key);
          return records.get(key);
        },
        scan: async (query) => (await gate(), records.scan(query)),
        write: async (changes: readonly Change[]) => (await gate(), records.write(changes)),
      },
      blobs: {
        ...blobs,
        get: (id, range): Bytes =>
          (async function* () {
            await gate();
            yield* blobs.get(id, range);
          })(),
      },
    },
    before: (step, run) => {
      left = step;
      action = run;
      done = false;
    },
    ran: () => done,
    readSince,
  };
}

/** Tries every step of `work` until it has fewer than that. */
async function atEveryStep(work: (step: number) => Promise<boolean>): Promise<number> {
  for (let step = 1; step < 60; step += 1) if (!(await work(step))) return step - 1;
  throw new Error('there was no end of steps');
}

describe('core: the scrub among others', () => {
  it('never reports a digest that is collected while it is read', async () => {
    const steps = await atEveryStep(async (step) => {
      const gate = gatedStore();
      const test = rottingCore({ store: gate.store });
      const { digest } = await test.put(bucket, 'k', bodyOf(50_000));
      await test.core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
      test.pass(2 * GRACE);
      gate.before(step, () => test.core.collection.collect(never));
      const examined = await test.core.scrub.examine(digest, ACTOR, never);
      if (!gate.ran()) return false;
      assert.ok(
        examined.every(({ outcome }) => outcome === 'sound'),
        `step ${step}: ${JSON.stringify(examined)}`,
      );
      assert.deepEqual(await test.journal('quarantine', 'unreadable'), [], `step ${step}`);
      assert.deepEqual(await test.keys('digest/'), [], `step ${step}`);
      return true;
    });
    assert.ok(steps >= 3);
  });

  it('never quarantines bytes that came in the place of wrong ones, whenever they come', async () => {
    for (const way of ['put', 'appended'] as const) {
      const steps = await atEveryStep(async (step) => {
        const gate = gatedStore();
        const test = rottingCore({ store: gate.store });
        const body = bodyOf(50_000);
        const { digest } = await test.put(bucket, 'k', body);
        const [blob] = await blobsOf(test.store, digest);
        await rot(test.store, blob!, ROT.flipped);
        await test.core.scrub.examine(digest, ACTOR, never);
        gate.before(step, () => WAYS[way](test, 'again', body));
        await test.core.scrub.examine(digest, ACTOR, never);
        if (!gate.ran()) return false;
        assert.equal((await recordOf(test.store, digest)).quarantined, undefined, `${way} at step ${step}`);
        assert.ok(Buffer.from(await collectBytes(test.core.objects.open(bucket, { digest } as never))).equals(body));
        assert.deepEqual(await test.findings(), [], `${way} at step ${step}`);
        return true;
      });
      assert.ok(steps >= 4);
    }
  });

  it('quarantines only what it examined, though others found the damage and repaired it meanwhile', async () => {
    const steps = await atEveryStep(async (step) => {
      const gate = gatedStore();
      const test = rottingCore({ store: gate.store });
      const body = bodyOf(50_000);
      const { digest } = await test.put(bucket, 'k', body);
      await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.flipped);
      gate.before(step, async () => {
        await test.core.scrub.examine(digest, ACTOR, never);
        await test.put(bucket, 'again', body);
      });
      await test.core.scrub.examine(digest, ACTOR, never);
      if (!gate.ran()) return false;
      assert.equal((await recordOf(test.store, digest)).quarantined, undefined, `step ${step}`);
      assert.deepEqual(await test.keys('scrub/finding/'), [], `step ${step}`);
      return true;
    });
    assert.ok(steps >= 5);
  });

  it('repairs even when it finds the damage in the middle of an upload of the same bytes', async () => {
    for (const way of ['put', 'appended'] as const) {
      for (const open of [openMemoryStore, weakStore]) {
        const steps = await atEveryStep(async (step) => {
          const gate = gatedStore(open());
          const test = rottingCore({ store: gate.store });
          const body = bodyOf(50_000);
          const { digest } = await test.put(bucket, 'k', body);
          await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.flipped);
          gate.before(step, async () => {
            const [examined] = await test.core.scrub.examine(digest, ACTOR, never);
            assert.ok(examined?.outcome === 'quarantined' || examined?.outcome === 'sound');
          });
          await WAYS[way](test, 'again', body);
          if (!gate.ran()) return false;
          const looks = gate.readSince.filter((key) => key === `digest/${digest.slice('sha256:'.length)}`).length;
          // The removal of a session's remains looks at the digest once more, when all is over.
          const looked = looks > (way === 'put' ? 0 : 1);
          // An upload that looked at the digest for the last time before the damage was found relied on the old bytes: the next one repairs.
          if ((await recordOf(test.store, digest)).quarantined !== undefined) {
            assert.ok(!looked, `${way}, step ${step}: the upload saw the quarantine`);
            await WAYS[way](test, 'once more', body);
          }
          assert.ok((await collectBytes(test.core.objects.open(bucket, { digest } as never))).equals(body), `${way}, step ${step}`);
          assert.deepEqual(await test.findings(), []);
          return true;
        });
        assert.ok(steps >= 6);
      }
    }
  });

  it('says nothing of bytes that were wrong once', async () => {
    const inner = openMemoryStore();
    let wrong = 1;
    const blobs = {
      ...inner.blobs,
      get: (id: string): Bytes =>
        (async function* () {
          for await (const chunk of inner.blobs.get(id)) yield wrong-- > 0 ? Buffer.from(chunk).fill(7, 0, 1) : chunk;
        })(),
    };
    const test = rottingCore({ store: { ...inner, blobs } });
    await test.put(bucket, 'k', Buffer.alloc(50_000, 3));
    const pass = await test.scrub();
    assert.equal(pass.damaged, 0);
    assert.deepEqual(
      test.told.examined.map(({ examination }) => [examination.outcome, examination.fault?.kind]),
      [['unsteady', 'differs']],
    );
    assert.deepEqual(await test.findings(), []);
  });
});

async function collectLater(test: RottingCore): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    test.pass(3 * GRACE);
    await test.core.collection.collect(never);
  }
}

describe('core: a repair that is cut off', () => {
  for (const way of ['put', 'appended'] as const) {
    it(`leaves the digest in quarantine or repaired, wherever that is (${way})`, async () => {
      let cuts = 0;
      for (let cut = 0; cut < 40; cut += 1) {
        let left = Infinity;
        const store = weakStore(() => {
          if (left <= 0) throw new Error('cut');
          left -= 1;
        });
        const test = rottingCore({ store });
        const body = randomBytes(50_000);
        const { digest } = await test.put(bucket, 'k', body);
        await rot(store, (await blobsOf(store, digest))[0]!, ROT.truncated);
        await test.core.scrub.examine(digest, ACTOR, never);
        left = cut;
        const finished = await WAYS[way](test, 'again', body).then(
          () => true,
          () => false,
        );
        left = Infinity;
        const right = async (): Promise<boolean> =>
          (
            await collectBytes(test.core.objects.open(bucket, { digest } as never)).catch((error: unknown) => {
              assert.ok(isError(error, 'BytesDamaged'));
              return Buffer.alloc(0);
            })
          ).equals(body);
        if (!(await right())) {
          await refusedAsDamaged(test.text(bucket, 'k'), `cut ${cut}`);
          // Nobody comes again for a long time: what is in quarantine may still be put right in its place.
          if (cut % 2 === 0) await collectLater(test);
          const held = await blobsOf(store, digest);
          for (const blob of held) assert.notEqual(await store.blobs.head(blob), undefined, `cut ${cut}: ${blob} is kept`);
        }
        if (!finished) await WAYS[way](test, 'again', body);
        assert.ok(await right(), `cut after ${cut} changes, and sent again`);
        await test.scrub();
        await collectLater(test);
        assert.ok(await right(), `cut after ${cut} changes, collected`);
        assert.deepEqual(await test.findings(), []);
        assert.deepEqual(await test.keys('scrub/finding/'), []);
        assert.deepEqual(await store.blobs.list(undefined, 100), await blobsOf(store, digest), `cut after ${cut} changes: stray bytes`);
        for (const left of ['intent/', 'garbage/', 'part/', 'done/', 'ranges/']) assert.deepEqual(await test.keys(left), [], left);
        if (finished) break;
        cuts += 1;
      }
      assert.ok(cuts >= 8 && cuts < 40, `${cuts} places to cut`);
    });
  }
});

describe('core: bytes that are read', () => {
  it('end where they come up short, and never go on with what stands behind', async () => {
    const test = rottingCore();
    const body = Buffer.concat([Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2)]);
    const { digest } = await WAYS.appended(test, 'k', body);
    await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.truncated);
    const got: Buffer[] = [];
    await refusedAsDamaged(
      (async () => {
        for await (const chunk of test.core.objects.open(bucket, { digest } as never)) got.push(Buffer.from(chunk));
      })(),
      'not known yet to be damaged',
    );
    assert.ok(Buffer.concat(got).equals(body.subarray(0, 69_999)));
  });

  it('are refused before the first when their blob is gone', async () => {
    const test = rottingCore();
    const { digest } = await test.put(bucket, 'k', bodyOf(70_000));
    await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.deleted);
    await refusedAsDamaged(collectBytes(test.core.objects.open(bucket, { digest } as never)), 'gone');
  });

  it('have no address at the storage server either', async () => {
    const presign = { presignGet: async (blob: string) => `https://storage.test/${blob}` };
    const test = rottingCore({ store: { ...openMemoryStore(), presign } });
    const version = await test.put(bucket, 'k', bodyOf(70_000));
    const { digest } = version;
    const giving = { address: { expiresSeconds: 60, responseHeaders: {} }, version, actor: ACTOR };
    const address = () => test.core.objects.locate(bucket, { digest } as never, giving);
    const [blob] = await blobsOf(test.store, digest);
    assert.equal(await address(), `https://storage.test/${blob}`);
    await rot(test.store, blob!, ROT.flipped);
    await test.scrub();
    await refusedAsDamaged(address(), 'an address');
  });

  it('are not taken back by a completion that was cut off before it named them', async () => {
    let left = Infinity;
    const store = weakStore(() => {
      if (left <= 0) throw new Error('cut');
      left -= 1;
    });
    const test = rottingCore({ store });
    const { ranges } = test.core;
    const body = bodyOf(60_000);
    const session = await ranges.begin(bucket, 'k', { attributes: PLAIN, mode: 'sequential', length: body.length }, ACTOR);
    await ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body) });
    const complete = () => {
      // Whoever was cut off before is taken for dead.
      test.pass(10_000);
      return ranges.complete(bucket, session, { conditions: {}, actor: ACTOR });
    };
    const adopted = async () => (await test.keys('digest/')).length > 0;
    // The first completion ends right behind the change that makes the pieces the digest's.
    for (let cut = 1; !(await adopted()); cut += 1) {
      left = cut;
      await assert.rejects(complete());
      left = Infinity;
    }
    const digest = `sha256:${(await test.keys('digest/'))[0]!.slice('digest/'.length)}` as const;
    const [blob] = await blobsOf(store, digest);
    const restore = await rot(store, blob!, ROT.flipped);
    await test.core.scrub.examine(digest, ACTOR, never);
    await restore();
    await refusedAsDamaged(complete(), 'the same pieces again');
    await test.put(bucket, 'k', body);
    assert.ok((await collectBytes(test.core.objects.open(bucket, { digest } as never))).equals(body));
  });

  it('are collected when nothing names them any more, with all that was noted about them', async () => {
    const test = rottingCore();
    const { digest } = await WAYS.appended(test, 'k', bodyOf(70_000));
    await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.flipped);
    await test.scrub();
    await test.core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    for (let round = 0; round < 3; round += 1) {
      test.pass(2 * GRACE);
      await test.core.collection.collect(never);
    }
    assert.deepEqual(await test.store.blobs.list(undefined, 10), []);
    for (const left of ['digest/', 'garbage/', 'scrub/finding/']) assert.deepEqual(await test.keys(left), [], left);
  });

  it('are not named by a repetition of the very upload whose bytes are in quarantine', async () => {
    let left = Infinity;
    const store = weakStore(() => {
      if (left <= 0) throw new Error('cut');
      left -= 1;
    });
    const test = rottingCore({ store });
    const { objects } = test.core;
    await test.put(bucket, 'before', '');
    const body = bodyOf(60_000);
    const arrived = await objects.receive(bucket, bytesOf(body), {});
    // The fence and the digest's record are made, and no name.
    left = 2;
    const naming = objects.put(bucket, 'k', arrived, PLAIN, {}, ACTOR);
    await assert.rejects(naming);
    left = Infinity;
    const { digest } = arrived.content;
    await rot(store, (await blobsOf(store, digest))[0]!, ROT.flipped);
    await test.core.scrub.examine(digest, ACTOR, never);
    await refusedAsDamaged(objects.put(bucket, 'k', arrived, PLAIN, {}, ACTOR), 'the same arrival again');
    await test.put(bucket, 'k', body);
    assert.ok((await collectBytes(objects.open(bucket, { digest } as never))).equals(body));
  });
});
