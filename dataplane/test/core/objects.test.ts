import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { isError } from '../../src/errors.ts';
import type { Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, admit, bucketNamed, bytesOf, collectBytes, PLAIN, testCore } from './core.fixture.ts';

const big = randomBytes(3_000_001);

describe('core: naming bytes', () => {
  it('names small, large and empty bytes, and gives them back', async () => {
    const { put, core } = testCore();
    const bucket = bucketNamed('b');
    for (const body of [Buffer.alloc(0), Buffer.from('hello'), big]) {
      const version = await put(bucket, 'k', body);
      assert.equal(version.size, body.length);
      assert.equal(version.etag, createHash('md5').update(body).digest('hex'));
      assert.equal(version.digest, `sha256:${createHash('sha256').update(body).digest('hex')}`);
      assert.deepEqual(await collectBytes(core.objects.open(bucket, admit(version.digest))), body);
    }
  });

  it('asks no more for large bytes that were taken, and removes those that were there already', async () => {
    const inner = openMemoryStore();
    const asked: string[] = [];
    const get = async (key: string): ReturnType<Store['records']['get']> => (asked.push(key.split('/')[0]!), inner.records.get(key));
    const { put } = testCore({ store: { ...inner, records: { ...inner.records, get } } });
    const bucket = bucketNamed('b');
    await put(bucket, 'k', big);
    assert.deepEqual([asked.filter((kind) => kind === 'digest').length, asked.includes('intent')], [1, false]);
    await put(bucket, 'l', big);
    assert.equal((await inner.blobs.list(undefined, 10)).length, 1);
  });

  it('opens any range', async () => {
    const { put, core } = testCore();
    const bucket = bucketNamed('b');
    const { digest } = await put(bucket, 'k', big);
    for (const [offset, length] of [
      [0, 1],
      [0, 0],
      [262_143, 2],
      [2_999_990, 11],
      [1_000_000, 1_234_567],
    ] as const) {
      const got = await collectBytes(core.objects.open(bucket, admit(digest), { offset, length }));
      assert.deepEqual(got, big.subarray(offset, offset + length));
    }
  });

  it('stores nothing of bytes that are not what was promised', async () => {
    const { core, store, keys } = testCore();
    const bucket = bucketNamed('b');
    const sha256 = createHash('sha256').update(big).digest('hex');
    const wrong = '0'.repeat(64);
    const cases = [
      [{ sha256: { hex: wrong, signed: false } }, 'DigestMismatch'],
      [{ sha256: { hex: wrong, signed: true } }, 'PayloadMismatch'],
      [{ md5: '0'.repeat(32) }, 'DigestMismatch'],
      [{ size: big.length + 1 }, 'BodyIncomplete'],
      [{ maxSize: big.length - 1 }, 'BodyTooLarge'],
      [{ minSize: big.length + 1 }, 'InvalidArgument'],
      [{ checksum: { algorithm: 'CRC32C', value: 'AAAAAA==' } }, 'DigestMismatch'],
      [{ checksum: { algorithm: 'CRC32C', value: () => undefined } }, 'MalformedBody'],
    ] as const;
    for (const [expected, code] of cases) {
      await assert.rejects(core.objects.receive(bucket, bytesOf(big), expected), (error) => isError(error, code), code);
    }
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.deepEqual(await keys('intent/'), []);
    const arrived = await core.objects.receive(bucket, bytesOf(big), { sha256: { hex: sha256, signed: true }, size: big.length });
    assert.equal(arrived.content.size, big.length);
  });

  it('leaves nothing behind when the sender breaks off', async () => {
    const { core, store, keys } = testCore();
    async function* broken(): AsyncGenerator<Uint8Array, void, void> {
      yield big.subarray(0, 2_000_000);
      throw new Error('connection reset');
    }
    await assert.rejects(core.objects.receive(bucketNamed('b'), broken(), {}), /connection reset/);
    assert.deepEqual(await store.blobs.list(undefined, 10), []);
    assert.deepEqual(await keys(), []);
  });

  it('keeps the same bytes once, under however many names', async () => {
    const { put, store, text, core } = testCore();
    const bucket = bucketNamed('b');
    await put(bucket, 'one', big);
    await put(bucket, 'two', big);
    await put(bucketNamed('c'), 'three', big);
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
    await core.objects.delete(bucket, 'one', undefined, {}, ACTOR);
    assert.equal((await text(bucket, 'two')).length, big.toString().length);
  });

  it('copies by reference', async () => {
    const { put, core, store, text } = testCore();
    const bucket = bucketNamed('b');
    const version = await put(bucket, 'one', big);
    const result = await core.objects.copy(
      { bucket, version },
      { bucket: bucketNamed('c'), key: 'copy' },
      { ...PLAIN, metadata: { a: 'b' } },
      {},
      ACTOR,
    );
    assert.equal(result.version.digest, version.digest);
    assert.deepEqual(result.version.metadata, { a: 'b' });
    assert.equal((await store.blobs.list(undefined, 10)).length, 1);
    assert.equal((await text(bucketNamed('c'), 'copy')).length, big.toString().length);
  });

  it('lets exactly one of many create-only writers win, and every unconditional one succeed', async () => {
    const { put, text } = testCore();
    const bucket = bucketNamed('b');
    const results = await Promise.allSettled(Array.from({ length: 32 }, (_, n) => put(bucket, 'k', `body ${n}`, { ifNoneMatch: ['*'] })));
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    for (const result of results) if (result.status === 'rejected') assert.ok(isError(result.reason, 'PreconditionFailed'));
    const { etag } = await put(bucket, 'k', 'base');
    const swaps = await Promise.allSettled(Array.from({ length: 32 }, (_, n) => put(bucket, 'k', `swap ${n}`, { ifMatch: [etag] })));
    assert.equal(swaps.filter((result) => result.status === 'fulfilled').length, 1);
    await Promise.all(Array.from({ length: 32 }, (_, n) => put(bucket, 'k', `free ${n}`)));
    assert.match(await text(bucket, 'k'), /^free \d+$/);
  });

  it('refuses If-Match on nothing, and a missing name', async () => {
    const { put, core } = testCore();
    const bucket = bucketNamed('b');
    await assert.rejects(put(bucket, 'k', 'x', { ifMatch: ['*'] }), (error) => isError(error, 'NameUnknown'));
    await assert.rejects(core.objects.get(bucket, 'k'), (error) => isError(error, 'NameUnknown'));
    await assert.rejects(core.objects.get(bucket, 'k', 'null'), (error) => isError(error, 'VersionUnknown'));
  });

  it('holds immutable names: created once, never overwritten, deleted or marked', async () => {
    const { put, core, text } = testCore();
    for (const versioning of ['Disabled', 'Enabled'] as const) {
      const bucket = bucketNamed(`b-${versioning.toLowerCase()}`, { versioning, immutability: ['releases/**'] });
      const version = await put(bucket, 'releases/1', 'first');
      await assert.rejects(put(bucket, 'releases/1', 'second'), (error) => isError(error, 'Immutable'));
      await assert.rejects(core.objects.delete(bucket, 'releases/1', undefined, {}, ACTOR), (error) => isError(error, 'Immutable'));
      await assert.rejects(core.objects.delete(bucket, 'releases/1', version.versionId, {}, ACTOR), (error) => isError(error, 'Immutable'));
      await assert.rejects(core.objects.empty(bucket, ACTOR), (error) => isError(error, 'Immutable'));
      await put(bucket, 'other', '1');
      await put(bucket, 'other', '2');
      assert.equal(await text(bucket, 'releases/1'), 'first');
    }
  });

  it('journals every change with who made it', async () => {
    const { put, core } = testCore();
    const bucket = bucketNamed('b');
    await put(bucket, 'k', '1');
    await put(bucket, 'k', '2');
    await core.objects.setTags(bucket, 'k', undefined, { a: 'b' }, ACTOR);
    await core.objects.delete(bucket, 'k', undefined, {}, ACTOR);
    const entries = await core.journal.read({ limit: 10 });
    assert.deepEqual(
      entries.map((entry) => entry.change),
      ['create', 'overwrite', 'tag', 'delete'],
    );
    assert.ok(entries.every((entry) => entry.actor.principal === 'key:TEST' && entry.bucket === 'b' && entry.name === 'k'));
    assert.deepEqual(
      (await core.journal.read({ limit: 2, tail: true })).map((entry) => entry.change),
      ['tag', 'delete'],
    );
    assert.deepEqual(
      (await core.journal.read({ after: entries[1]!.id, limit: 1 })).map((entry) => entry.change),
      ['tag'],
    );
  });
});
