import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isError } from '../../src/errors.ts';
import type { TestCore } from './core.fixture.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore } from './core.fixture.ts';
import { bodies, cutStore, GRACE, isRanges, large, segments, sendRanges, step } from './cutting.ts';
import type { Step } from './cutting.ts';

/** A removal that was cut off once the name had its older version again, and that one is removed too. */
const REMOVED_IN_PART: [Step[], Step, number, boolean] = [
  [
    { do: 'put', key: 'l', body: 1 },
    { do: 'put', key: 'l', body: 2 },
    { do: 'put', key: 'l', body: 2 },
  ],
  { do: 'delete-version', key: 'l' },
  2,
  false,
];

describe('core: over a store without transactions, cut off anywhere', () => {
  const bucket = bucketNamed('b');
  const body = large('z');

  async function collectAll(test: TestCore): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      test.pass(GRACE / 2);
      await test.core.collection.collect(new AbortController().signal);
    }
  }

  it('collects what a completion left that nobody repeats', async () => {
    for (let cut = 0; cut < 14; cut += 1) {
      const { store, cutAfter, heal } = cutStore();
      const test = testCore({ store, terms: { grace: GRACE, uploadLife: 2 * GRACE, doneLife: GRACE, wait: 0 } });
      const { objects, uploads } = test.core;
      const session = await uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
      const part = await uploads.putPart(bucket, session, 1, await objects.receive(bucket, bytesOf(body), {}));
      cutAfter(cut);
      await uploads.complete(bucket, session, [part], {}, {}, ACTOR).catch(() => undefined);
      heal();
      const named = await objects.get(bucket, 'k').then(
        () => 1,
        () => 0,
      );
      await uploads.abort(bucket, 'k', session.uploadId, ACTOR).catch(() => undefined);
      await collectAll(test);
      assert.deepEqual([(await test.keys('digest/')).length, (await test.keys('ref/')).length], [named, named], `cut after ${cut} changes`);
      assert.equal((await store.blobs.list(undefined, 10)).length, named);
    }
  });

  it('looks again at bytes that somebody was about to name when their time was over', async () => {
    for (let cut = 0; cut < 5; cut += 1) {
      const { store, cutAfter, heal } = cutStore();
      const test = testCore({ store, terms: { grace: GRACE } });
      await test.put(bucket, 'k', body);
      await test.core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
      test.pass(GRACE * 0.75);
      const arrived = await test.core.objects.receive(bucket, bytesOf(body), {});
      cutAfter(cut);
      await test.core.objects.put(bucket, 'l', arrived, PLAIN, {}, ACTOR).catch(() => undefined);
      heal();
      const named = await test.core.objects.get(bucket, 'l').then(
        () => 1,
        () => 0,
      );
      await collectAll(test);
      assert.deepEqual([(await test.keys('digest/')).length, (await test.keys('ref/')).length], [named, named], `cut after ${cut} changes`);
    }
  });

  for (const versioning of ['Disabled', 'Enabled', 'Suspended'] as const) {
    it(`keeps what was acknowledged, and collects the rest (versioning ${versioning})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 6 }),
          step,
          fc.nat(70),
          fc.boolean(),
          async (before, last, cut, backwards) => {
            const bucket = bucketNamed('b', { versioning });
            const { store, cutAfter, heal } = cutStore({ backwards });
            const test = testCore({ store, terms: { grace: GRACE, uploadLife: 2 * GRACE, doneLife: GRACE } });
            const run = async (one: Step): Promise<void> => {
              const { objects, uploads } = test.core;
              if (one.do === 'put') return void (await test.put(bucket, one.key, bodies[one.body]!));
              if (one.do === 'upload') {
                const session = await uploads.begin(bucket, one.key, PLAIN, undefined, ACTOR);
                const arrived = await objects.receive(bucket, bytesOf(bodies[one.body]!), {});
                const part = await uploads.putPart(bucket, session, 1, arrived);
                return void (await uploads.complete(bucket, session, [part], {}, {}, ACTOR));
              }
              if (isRanges(one)) return sendRanges(test, bucket, one);
              if (one.do === 'delete') return void (await objects.delete(bucket, one.key, undefined, {}, ACTOR));
              const from = one.do === 'copy' ? one.from : one.key;
              const version = await objects.get(bucket, from).catch(() => undefined);
              if (version === undefined) return;
              if (one.do === 'delete-version') return void (await objects.delete(bucket, from, version.versionId, {}, ACTOR));
              if (version.deleteMarker) return;
              if (one.do === 'tag') return void (await objects.setTags(bucket, from, undefined, { t: '1' }, ACTOR));
              await objects.copy({ bucket, version }, { bucket, key: one.key }, PLAIN, {}, ACTOR);
            };
            const state = async (): Promise<Record<string, string>> => {
              const all: Record<string, string> = {};
              for (const name of ['k', 'l'])
                all[name] = await test
                  .text(bucket, name)
                  .catch((error: Error) =>
                    isError(error, 'NameUnknown') || /marker/.test(error.message) ? 'none' : `broken: ${error.message}`,
                  );
              return all;
            };
            for (const one of before) await run(one);
            const acknowledged = await state();
            cutAfter(cut);
            const finished = await run(last).then(
              () => true,
              () => false,
            );
            heal();
            const now = await state();
            for (const name of ['k', 'l']) {
              assert.ok(!now[name]!.startsWith('broken'), now[name]);
              if (name !== last.key) assert.equal(now[name], acknowledged[name], `${name} is not concerned`);
            }
            // Whatever was cut off, the name is as it was or as it was meant to be; doing it again settles it.
            if (!finished) await run(last);
            const settled = await state();
            for (let round = 0; round < 4; round += 1) {
              test.pass(3 * GRACE);
              await test.core.collection.collect(new AbortController().signal);
            }
            assert.deepEqual(await state(), settled, 'collection changes no name');
            const versions = (await test.core.objects.listVersions(bucket, { prefix: '', limit: 1000 })).versions;
            const named = new Set(versions.flatMap((version) => (version.deleteMarker ? [] : [version.digest])));
            const kept = (await test.keys('digest/')).map((record) => `sha256:${record.slice('digest/'.length)}`);
            assert.deepEqual(new Set(kept), named, 'digests kept are the digests named');
            for (const version of versions) if (!version.deleteMarker) await test.text(bucket, version.key, version.versionId);
            const blobs = await store.blobs.list(undefined, 1000);
            assert.equal(blobs.length, await segments(store), 'no stray bytes');
            for (const left of ['intent/', 'garbage/', 'upload/', 'ranges/', 'part/', 'done/'])
              assert.deepEqual(await test.keys(left), [], left);
          },
        ),
        { numRuns: 300, examples: [REMOVED_IN_PART] },
      );
    });
  }
});
