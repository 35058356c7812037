import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isError } from '../../src/errors.ts';
import { invertId, isId, newId, timeOfId, timePrefix } from '../../src/core/ids.ts';
import type { ListVersionsPage } from '../../src/core/object.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { weakStore } from './weakStore.ts';
import { ACTOR, bucketNamed, testCore } from './core.fixture.ts';

const enabled = bucketNamed('b', { versioning: 'Enabled' });
const suspended = bucketNamed('b', { versioning: 'Suspended' });
const disabled = bucketNamed('b');

describe('core: versions', () => {
  it('keeps every version, newest first, and finds each by its id', async () => {
    const { put, core, text } = testCore();
    const ids: string[] = [];
    for (const body of ['1', '2', '3']) ids.push((await put(enabled, 'k', body)).versionId);
    assert.equal(await text(enabled, 'k'), '3');
    for (const [index, id] of ids.entries()) assert.equal(await text(enabled, 'k', id), String(index + 1));
    const page = await core.objects.listVersions(enabled, { prefix: '', limit: 10 });
    assert.deepEqual(
      page.versions.map((version) => version.versionId),
      [...ids].reverse(),
    );
    assert.deepEqual(
      page.versions.map((version) => version.isLatest),
      [true, false, false],
    );
  });

  it('hides a name behind a delete marker, and shows it again when the marker goes', async () => {
    const { put, core, text } = testCore();
    await put(enabled, 'k', '1');
    const marker = await core.objects.delete(enabled, 'k', undefined, {}, ACTOR);
    assert.equal(marker.deleteMarker, true);
    assert.equal((await core.objects.get(enabled, 'k')).deleteMarker, true);
    assert.deepEqual((await core.objects.list(enabled, { prefix: '', limit: 10 })).objects, []);
    assert.deepEqual((await core.objects.list(enabled, { prefix: '', delimiter: 'k', limit: 10 })).prefixes, []);
    await core.objects.delete(enabled, 'k', marker.versionId, {}, ACTOR);
    assert.equal(await text(enabled, 'k'), '1');
  });

  it('makes a delete marker even where nothing is, as S3 does, and none where versioning never was', async () => {
    const { core, keys } = testCore();
    assert.equal((await core.objects.delete(enabled, 'nothing', undefined, {}, ACTOR)).deleteMarker, true);
    assert.equal((await core.objects.delete(bucketNamed('plain'), 'nothing', undefined, {}, ACTOR)).deleteMarker, false);
    assert.equal((await keys('head/')).length, 1);
  });

  it('replaces only the null version while suspended', async () => {
    const { put, core, text } = testCore();
    await put(disabled, 'k', 'before');
    const kept = await put(enabled, 'k', 'versioned');
    await put(suspended, 'k', 'null 1');
    await put(suspended, 'k', 'null 2');
    const page = await core.objects.listVersions(suspended, { prefix: '', limit: 10 });
    assert.deepEqual(
      page.versions.map((version) => version.versionId),
      ['null', kept.versionId],
    );
    assert.equal(await text(suspended, 'k', 'null'), 'null 2');
    const marker = await core.objects.delete(suspended, 'k', undefined, {}, ACTOR);
    assert.equal(marker.versionId, 'null');
    await core.objects.delete(suspended, 'k', 'null', {}, ACTOR);
    assert.equal(await text(suspended, 'k'), 'versioned');
  });

  it('replaces a null version that another one stood before for a while', async () => {
    const { put, core, keys } = testCore();
    await put(suspended, 'k', 'null 1');
    const before = await put(enabled, 'k', 'versioned');
    await core.objects.delete(enabled, 'k', before.versionId, {}, ACTOR);
    await put(suspended, 'k', 'null 2');
    const { versions } = await core.objects.listVersions(suspended, { prefix: '', limit: 10 });
    assert.deepEqual(
      versions.map(({ versionId, isLatest }) => ({ versionId, isLatest })),
      [{ versionId: 'null', isLatest: true }],
    );
    assert.deepEqual(await keys('past/'), []);
  });

  it('finds the null version in the past', async () => {
    const { put, core, text } = testCore();
    await put(disabled, 'k', 'null');
    await put(enabled, 'k', '2');
    await put(enabled, 'k', '3');
    assert.equal(await text(enabled, 'k', 'null'), 'null');
    await core.objects.delete(enabled, 'k', 'null', {}, ACTOR);
    await assert.rejects(core.objects.get(enabled, 'k', 'null'), (error) => isError(error, 'VersionUnknown'));
    assert.equal((await core.objects.listVersions(enabled, { prefix: '', limit: 10 })).versions.length, 2);
  });

  it('tags any version, and never a delete marker', async () => {
    const { put, core } = testCore();
    const old = await put(enabled, 'k', '1');
    await put(enabled, 'k', '2');
    await core.objects.setTags(enabled, 'k', old.versionId, { stage: 'old' }, ACTOR);
    await core.objects.setTags(enabled, 'k', undefined, { stage: 'new' }, ACTOR);
    const [first, second] = [await core.objects.get(enabled, 'k', old.versionId), await core.objects.get(enabled, 'k')];
    assert.deepEqual([!first.deleteMarker && first.tags, !second.deleteMarker && second.tags], [{ stage: 'old' }, { stage: 'new' }]);
    await core.objects.delete(enabled, 'k', undefined, {}, ACTOR);
    await assert.rejects(core.objects.setTags(enabled, 'k', undefined, {}, ACTOR), (error) => isError(error, 'DeleteMarkerFound'));
  });

  for (const [what, open] of Object.entries({ 'with transactions': openMemoryStore, 'without transactions': weakStore })) {
    it(`survives racing writers and deleters of one name with every version accounted for (${what})`, async () => {
      const { put, core, keys, pass } = testCore({ store: open(), terms: { grace: 60_000 } });
      await Promise.all(
        Array.from({ length: 24 }, (_, n) =>
          n % 3 === 2 ? core.objects.delete(enabled, 'k', undefined, {}, ACTOR) : put(enabled, 'k', `${n}`),
        ),
      );
      const page = await core.objects.listVersions(enabled, { prefix: '', limit: 100 });
      assert.equal(page.versions.length, 24);
      assert.equal(new Set(page.versions.map((version) => version.id)).size, 24);
      // Some are removed while others come, and each of those stands when all is over.
      const [, ...removed] = page.versions;
      const [added] = await Promise.all([
        Promise.all(Array.from({ length: 8 }, (_, n) => put(enabled, 'k', `later ${n}`))),
        ...removed.map((version) => core.objects.delete(enabled, 'k', version.versionId, {}, ACTOR)),
      ]);
      const left = (await core.objects.listVersions(enabled, { prefix: '', limit: 100 })).versions;
      assert.deepEqual(
        left.map(({ id }) => id),
        [
          ...added
            .map(({ id }) => id)
            .toSorted()
            .reverse(),
          page.versions[0]!.id,
        ],
      );
      await Promise.all(left.map((version) => core.objects.delete(enabled, 'k', version.versionId, {}, ACTOR)));
      assert.deepEqual(await keys('head/'), []);
      // Who loses a race where batches are made in part leaves the rest to the collector.
      if (what === 'with transactions') assert.deepEqual([...(await keys('ref/')), ...(await keys('past/'))], []);
      for (let round = 0; round < 3; round += 1) {
        pass(120_000);
        await core.collection.collect(new AbortController().signal);
      }
      for (const kind of ['ref/', 'past/', 'garbage/', 'digest/']) assert.deepEqual(await keys(kind), [], kind);
      const entries = await core.journal.read({ limit: 1000 });
      assert.equal(entries.filter(({ change }) => change === 'delete').length, 24 + 8, 'every removal is in the journal');
    });
  }

  it('pages through versions exactly once each, with any page size', async () => {
    const { put, core } = testCore();
    for (const key of ['a', 'a/1', 'a/2', 'b', 'c']) for (const body of ['1', '2', '3']) await put(enabled, key, body);
    await core.objects.delete(enabled, 'b', undefined, {}, ACTOR);
    for (const delimiter of [undefined, '/']) {
      const whole = await core.objects.listVersions(enabled, { prefix: '', limit: 1000, delimiter });
      for (const limit of [1, 2, 3, 5, 16]) {
        const versions: ListVersionsPage['versions'][number][] = [];
        const prefixes: string[] = [];
        for (let next: ListVersionsPage['next'] | 'start' = 'start'; next !== undefined;) {
          const from = next === 'start' ? {} : { after: next.key, afterVersion: next.versionId };
          const page: ListVersionsPage = await core.objects.listVersions(enabled, { prefix: '', limit, delimiter, ...from });
          versions.push(...page.versions);
          prefixes.push(...page.prefixes);
          next = page.next;
        }
        assert.deepEqual(
          versions.map((version) => version.id),
          whole.versions.map((version) => version.id),
        );
        assert.deepEqual(prefixes, whole.prefixes);
      }
    }
  });
});

describe('core: ids', () => {
  it('are ordered by time, invertible, and in order within one process', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 44 }), (ms) => {
        const id = newId(undefined, ms);
        return isId(id) && timeOfId(id) === ms && invertId(invertId(id)) === id && id.startsWith(timePrefix(ms)) && id < newId(id, ms);
      }),
    );
    const ids = Array.from({ length: 5000 }, () => newId());
    assert.deepEqual([...ids].sort(), ids);
  });
});
