/** Tags that others come before: they stay with the version that was seen. */
import assert from 'node:assert/strict';
import { isError } from '../../src/errors.ts';
import type { Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, bucketNamed, testCore, type TestCore } from './core.fixture.ts';

const TAGS = { reviewed: 'yes' };

/** A core in which something happens between the first look of a tagging and its first write. */
function interrupted(): TestCore & { before(happens: () => Promise<unknown>): void } {
  const inner = openMemoryStore();
  let happens: (() => Promise<unknown>) | undefined;
  const store: Store = {
    ...inner,
    records: {
      ...inner.records,
      async write(changes) {
        const now = happens;
        happens = undefined;
        await now?.();
        return inner.records.write(changes);
      },
    },
  };
  return { ...testCore({ store }), before: (what) => (happens = what) };
}

const tagsOf = async ({ core }: TestCore, bucket: ReturnType<typeof bucketNamed>, versionId?: string) => {
  const version = await core.objects.get(bucket, 'k', versionId);
  return version.deleteMarker ? undefined : version.tags;
};

describe('core: tags of a name that changes meanwhile', () => {
  const enabled = bucketNamed('b', { versioning: 'Enabled' });
  const plain = bucketNamed('b');

  it('go to the version that was current, though another is now', async () => {
    for (const named of [true, false]) {
      const test = interrupted();
      const first = await test.put(enabled, 'k', 'one');
      test.before(() => test.put(enabled, 'k', 'two'));
      const tagged = await test.core.objects.setTags(enabled, 'k', named ? first.versionId : undefined, TAGS, ACTOR);
      assert.equal(tagged.versionId, first.versionId);
      assert.deepEqual(await tagsOf(test, enabled, first.versionId), TAGS);
      assert.deepEqual(await tagsOf(test, enabled), {});
    }
  });

  it('go to it also behind a delete marker', async () => {
    const test = interrupted();
    const first = await test.put(enabled, 'k', 'one');
    test.before(() => test.core.objects.delete(enabled, 'k', undefined, {}, ACTOR));
    await test.core.objects.setTags(enabled, 'k', undefined, TAGS, ACTOR);
    assert.deepEqual(await tagsOf(test, enabled, first.versionId), TAGS);
  });

  it('are refused, and given to nothing, where it was replaced for good', async () => {
    for (const versionId of [undefined, 'null']) {
      const test = interrupted();
      await test.put(plain, 'k', 'one');
      test.before(() => test.put(plain, 'k', 'two'));
      await assert.rejects(test.core.objects.setTags(plain, 'k', versionId, TAGS, ACTOR), (error) => isError(error, 'ConcurrentChange'));
      assert.deepEqual(await tagsOf(test, plain), {});
    }
  });

  it('find nothing where it was deleted', async () => {
    const test = interrupted();
    await test.put(plain, 'k', 'one');
    test.before(() => test.core.objects.delete(plain, 'k', undefined, {}, ACTOR));
    await assert.rejects(test.core.objects.setTags(plain, 'k', undefined, TAGS, ACTOR), (error) => isError(error, 'NameUnknown'));
  });

  it('take the place of tags that came before', async () => {
    const test = interrupted();
    await test.put(plain, 'k', 'one');
    test.before(() => test.core.objects.setTags(plain, 'k', undefined, { other: 'tag' }, ACTOR));
    await test.core.objects.setTags(plain, 'k', undefined, TAGS, ACTOR);
    assert.deepEqual(await tagsOf(test, plain), TAGS);
  });
});
