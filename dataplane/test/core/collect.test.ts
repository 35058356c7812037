import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isError } from '../../src/errors.ts';
import type { Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore } from './core.fixture.ts';
import { gatedStore } from './gatedStore.ts';

const GRACE = 60_000;
const bucket = bucketNamed('b');
const body = randomBytes(100_000);
const terms = { grace: GRACE, uploadLife: 10 * GRACE, doneLife: 10 * GRACE };
const never = new AbortController().signal;

describe('core: collection', () => {
  it('keeps what is named, and what lost its last name until the grace time is over', async () => {
    const { put, core, store, pass } = testCore({ terms });
    const { digest } = await put(bucket, 'one', body);
    await put(bucket, 'two', body);
    await core.objects.delete(bucket, 'one', undefined, {}, ACTOR);
    pass(2 * GRACE);
    assert.equal((await core.collection.collect(never)).digests, 0);
    assert.deepEqual(
      (await core.collection.explain(digest)).names.map((name) => name.key),
      ['two'],
    );
    await core.objects.delete(bucket, 'two', undefined, {}, ACTOR);
    assert.equal((await core.collection.collect(never)).digests, 0);
    const keep = await core.collection.explain(digest);
    assert.ok(keep.stored && keep.names.length === 0 && keep.condemned !== undefined);
    pass(2 * GRACE);
    const round = await core.collection.collect(never);
    assert.deepEqual([round.digests, round.blobs, round.bytes], [1, 1, body.length]);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.equal((await core.collection.explain(digest)).stored, false);
  });

  it('leaves a digest alone that was named again', async () => {
    const { put, core, pass, text } = testCore({ terms });
    await put(bucket, 'k', body);
    await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    pass(2 * GRACE);
    await put(bucket, 'again', body);
    assert.equal((await core.collection.collect(never)).digests, 0);
    assert.equal((await text(bucket, 'again')).length, body.toString().length);
  });

  it('never takes a digest from under a writer that comes to name it at the same moment', async () => {
    for (let at = 1; at <= 6; at += 1) {
      const gate = gatedStore();
      const { put, core, pass, text } = testCore({ terms, store: gate.store });
      await put(bucket, 'k', body);
      await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
      pass(2 * GRACE);
      // The collector stops before a step, and a whole write happens there. Its first six steps look at no digest.
      const done = gate.before(at + 6, () => put(bucket, 'again', body));
      await core.collection.collect(never);
      await done();
      assert.equal((await text(bucket, 'again')).length, body.toString().length, `writer at step ${at}`);
      pass(2 * GRACE);
      await core.collection.collect(never);
      assert.equal((await text(bucket, 'again')).length, body.toString().length, `writer at step ${at}, next round`);
    }
  });

  it('never lets a writer name a digest that a whole round of collection removes before any of its steps', async () => {
    for (let at = 1; at <= 8; at += 1) {
      const gate = gatedStore();
      const { put, core, pass, text } = testCore({ terms, store: gate.store });
      await put(bucket, 'k', body);
      await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
      pass(2 * GRACE);
      const done = gate.before(at, () => core.collection.collect(never));
      await put(bucket, 'again', body);
      await done();
      assert.equal((await text(bucket, 'again')).length, body.toString().length, `collection before step ${at}`);
    }
  });

  it('removes the bytes of a removal that was cut off, whatever comes of the digest before it goes on', async () => {
    const inner = openMemoryStore();
    let broken = true;
    const remove: Store['blobs']['delete'] = async (id) => (broken ? Promise.reject(new Error('cut')) : inner.blobs.delete(id));
    const { put, core, pass } = testCore({ terms, store: { ...inner, blobs: { ...inner.blobs, delete: remove } } });
    const putAndDelete = async (): Promise<void> => {
      await put(bucket, 'k', body);
      await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    };
    await putAndDelete();
    pass(2 * GRACE);
    await assert.rejects(core.collection.collect(never), /cut/);
    broken = false;
    await putAndDelete();
    assert.equal((await inner.blobs.list(undefined, 10)).length, 2);
    for (let round = 0; round < 3; round += 1) {
      pass(2 * GRACE);
      await core.collection.collect(never);
    }
    assert.deepEqual(await inner.blobs.list(undefined, 10), []);
  });

  it('goes on with a removal that an earlier release noted and did not finish', async () => {
    const { core, store, pass, keys } = testCore({ terms });
    await store.blobs.put('old', bytesOf(body));
    const note = `garbage/digest/${'a'.repeat(64)}`;
    await store.records.write([{ put: note, value: { since: 0, removing: [['old', body.length]] } }]);
    await core.collection.collect(never);
    pass(2 * GRACE);
    await core.collection.collect(never);
    assert.deepEqual([await store.blobs.list(undefined, 10), await keys('garbage/')], [[], []]);
  });

  it('keeps the note of content that came and went while its earlier bytes were removed', async () => {
    const inner = openMemoryStore();
    let during: (() => Promise<void>) | undefined;
    const remove: Store['blobs']['delete'] = async (id) => {
      const work = during;
      during = undefined;
      await work?.();
      await inner.blobs.delete(id);
    };
    const { put, core, pass } = testCore({ terms, store: { ...inner, blobs: { ...inner.blobs, delete: remove } } });
    const putAndDelete = async (): Promise<void> => {
      await put(bucket, 'k', body);
      await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    };
    await putAndDelete();
    during = putAndDelete;
    for (let round = 0; round < 3; round += 1) {
      pass(2 * GRACE);
      await core.collection.collect(never);
    }
    assert.equal(during, undefined);
    assert.deepEqual(await inner.blobs.list(undefined, 10), []);
  });

  it('gives up bytes that arrived and were never named, and refuses to name them afterwards', async () => {
    const { core, store, pass, keys } = testCore({ terms });
    const arrived = await core.objects.receive(bucket, bytesOf(body), {});
    assert.equal((await core.collection.collect(never)).blobs, 0);
    pass(2 * GRACE);
    assert.equal((await core.collection.collect(never)).blobs, 1);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    await assert.rejects(core.objects.put(bucket, 'late', arrived, PLAIN, {}, ACTOR), (error) => isError(error, 'Unavailable'));
    assert.deepEqual(await keys('head/'), []);
  });

  it('aborts sessions that nobody completes', async () => {
    const { core, store, pass, keys } = testCore({ terms });
    const session = await core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    await core.uploads.putPart(bucket, session, 1, await core.objects.receive(bucket, bytesOf(body), {}));
    pass(5 * GRACE);
    assert.equal((await core.collection.collect(never)).uploads, 0);
    pass(6 * GRACE);
    const round = await core.collection.collect(never);
    assert.deepEqual([round.uploads, round.blobs], [1, 1]);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.deepEqual(await keys('upload/'), []);
    assert.deepEqual(await keys('part/'), []);
  });

  it('empties a bucket whose resource is gone only when its policy is Delete, and only after the grace time', async () => {
    const claimed = new Set(['kept', 'dropped']);
    const { put, core, store, pass, text } = testCore({ terms, claimed: () => claimed });
    const kept = bucketNamed('kept');
    await put(kept, 'k', body);
    await put(bucketNamed('dropped', { deletionPolicy: 'Delete' }), 'k', randomBytes(90_000));
    claimed.clear();
    for (let round = 0; round < 4; round += 1) {
      await core.collection.collect(never);
      if (round === 0) assert.equal((await store.blobs.list(undefined, 10)).length, 2);
      pass(2 * GRACE);
    }
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
    assert.equal((await text(kept, 'k')).length, body.toString().length);
  });

  it('deletes empty buckets only, and shows nothing of the old one to a new one of the same name', async () => {
    const { put, core, keys, resources } = testCore({ terms });
    resources.set('b', 'team-a');
    await put(bucket, 'k', 'x');
    await assert.rejects(core.configuration.deleteBucket(bucket, ACTOR), (error) => isError(error, 'BucketNotEmpty'));
    assert.ok(resources.has('b'));
    await put(bucket, 'k2', 'x');
    await core.objects.empty(bucket, ACTOR);
    await core.uploads.begin(bucket, 'open', PLAIN, undefined, ACTOR);
    await core.configuration.deleteBucket(bucket, ACTOR);
    assert.equal(resources.has('b'), false);
    await core.configuration.createBucket('b', 'team-a', ACTOR);
    assert.deepEqual((await core.uploads.list(bucket, { prefix: '', limit: 10 })).uploads, []);
    await core.collection.collect(never);
    assert.deepEqual(await keys('upload/'), []);
  });

  it('never acknowledges a write into a bucket that is being deleted', async () => {
    const { put, core, resources } = testCore({ terms });
    resources.set('b', 'team-a');
    await put(bucket, 'k', 'x');
    await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    const arrived = await Promise.all(Array.from({ length: 20 }, () => core.objects.receive(bucket, bytesOf('x'), {})));
    const writes = Promise.allSettled(arrived.map((one, n) => core.objects.put(bucket, `k${n}`, one, PLAIN, {}, ACTOR)));
    const deletion = await core.configuration.deleteBucket(bucket, ACTOR).then(
      () => true,
      () => false,
    );
    const acknowledged = (await writes).filter((write) => write.status === 'fulfilled').length;
    if (deletion) assert.equal(acknowledged, 0);
    else assert.ok(resources.has('b'));
  });
});
