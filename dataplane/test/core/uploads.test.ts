import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { PartClaim, UploadSession } from '../../src/core/core.ts';
import { checksumOf } from '../../src/core/hashing/checksums.ts';
import { isError } from '../../src/errors.ts';
import type { TestCore } from './core.fixture.ts';
import { ACTOR, admit, bucketNamed, bytesOf, collectBytes, PLAIN, testCore } from './core.fixture.ts';

const bucket = bucketNamed('b');
const MIB = 1024 * 1024;
const one = randomBytes(5 * MIB);
const two = randomBytes(5 * MIB + 17);
const three = Buffer.from('the end');

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

async function send({ core }: TestCore, session: UploadSession, number: number, body: Uint8Array): Promise<PartClaim> {
  const arrived = await core.objects.receive(
    bucket,
    bytesOf(body),
    session.checksum === undefined ? {} : { checksum: { algorithm: session.checksum.algorithm } },
  );
  const { etag, checksums } = await core.uploads.putPart(bucket, session, number, arrived);
  return { number, etag, checksums };
}

describe('core: upload sessions', () => {
  it('join parts that arrived in any order, without keeping their bytes twice', async () => {
    const test = testCore();
    const session = await test.core.uploads.begin(bucket, 'k', { ...PLAIN, metadata: { a: 'b' } }, undefined, ACTOR);
    const [c, a, b] = await Promise.all([send(test, session, 9, three), send(test, session, 1, one), send(test, session, 4, two)]);
    const { version } = await test.core.uploads.complete(
      bucket,
      session,
      [a, b, c],
      { size: one.length + two.length + three.length },
      {},
      ACTOR,
    );
    const whole = Buffer.concat([one, two, three]);
    assert.equal(version.digest, `sha256:${createHash('sha256').update(whole).digest('hex')}`);
    assert.equal(version.etag, `${md5(Buffer.concat([one, two, three].map((part) => Buffer.from(md5(part), 'hex'))))}-3`);
    assert.deepEqual(version.metadata, { a: 'b' });
    assert.deepEqual(await collectBytes(test.core.objects.open(bucket, admit(version.digest))), whole);
    const across = { offset: one.length - 2, length: two.length + 4 };
    assert.deepEqual(
      await collectBytes(test.core.objects.open(bucket, admit(version.digest), across)),
      whole.subarray(across.offset, across.offset + across.length),
    );
    assert.deepEqual(
      (await test.core.objects.parts(bucket, version))?.map((part) => part.size),
      [one.length, two.length, three.length],
    );
    assert.equal((await test.store.blobs.list(undefined, 10)).length, 3);
    for (const left of ['upload/', 'part/', 'intent/', 'garbage/upload/']) assert.deepEqual(await test.keys(left), [], left);
  });

  it('take the newest of a part that was sent twice, and drop the other when done', async () => {
    const test = testCore();
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const old = await send(test, session, 1, one);
    const fresh = await send(test, session, 1, two);
    assert.deepEqual(
      (await test.core.uploads.listParts(bucket, session, 0, 10)).parts.map((part) => part.size),
      [two.length],
    );
    await assert.rejects(test.core.uploads.complete(bucket, session, [old], {}, {}, ACTOR), (error) => isError(error, 'PartUnknown'));
    const { version } = await test.core.uploads.complete(bucket, session, [fresh], {}, {}, ACTOR);
    assert.equal(version.size, two.length);
    assert.equal((await test.store.blobs.list(undefined, 10)).length, 1);
  });

  it('refuse wrong claims, and stay open', async () => {
    const test = testCore();
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const small = await send(test, session, 1, three);
    const large = await send(test, session, 2, one);
    const complete = (claims: readonly PartClaim[], size?: number): Promise<unknown> =>
      test.core.uploads.complete(bucket, session, claims, { size }, {}, ACTOR);
    await assert.rejects(complete([]), (error) => isError(error, 'MalformedBody'));
    await assert.rejects(complete([large, small]), (error) => isError(error, 'PartsOutOfOrder'));
    await assert.rejects(complete([small, small]), (error) => isError(error, 'PartsOutOfOrder'));
    await assert.rejects(complete([small, large]), (error) => isError(error, 'PartTooSmall'));
    await assert.rejects(complete([{ ...large, number: 3 }]), (error) => isError(error, 'PartUnknown'));
    await assert.rejects(complete([{ ...large, etag: 'f'.repeat(32) }]), (error) => isError(error, 'PartUnknown'));
    await assert.rejects(complete([{ ...large, checksums: { SHA256: 'AAAA' } }]), (error) => isError(error, 'PartUnknown'));
    await assert.rejects(complete([large], 1), (error) => isError(error, 'InvalidRequest'));
    await complete([large]);
  });

  it('check whole-object checksums of both types', async () => {
    const test = testCore();
    const whole = Buffer.concat([one, two]);
    const full = await test.core.uploads.begin(bucket, 'full', PLAIN, { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' }, ACTOR);
    const claims = [await send(test, full, 1, one), await send(test, full, 2, two)];
    const value = await checksumOf('CRC64NVME', whole);
    const wrong = { checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: await checksumOf('CRC64NVME', one) } } as const;
    await assert.rejects(test.core.uploads.complete(bucket, full, claims, wrong, {}, ACTOR), (error) => isError(error, 'DigestMismatch'));
    const done = await test.core.uploads.complete(
      bucket,
      full,
      claims,
      { checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value } },
      {},
      ACTOR,
    );
    assert.deepEqual(done.version.checksum, { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value });
    const composite = await test.core.uploads.begin(bucket, 'comp', PLAIN, { algorithm: 'SHA256', type: 'COMPOSITE' }, ACTOR);
    const parts = [await send(test, composite, 1, one), await send(test, composite, 2, two)];
    const sums = Buffer.concat([one, two].map((part) => createHash('sha256').update(part).digest()));
    const { version } = await test.core.uploads.complete(bucket, composite, parts, {}, {}, ACTOR);
    assert.equal(version.checksum?.value, `${createHash('sha256').update(sums).digest('base64')}-2`);
  });

  it('answer a repeated completion as the first, and let one of two racing ones through', async () => {
    const test = testCore();
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const claims = [await send(test, session, 1, one)];
    const results = await Promise.all(Array.from({ length: 4 }, () => test.core.uploads.complete(bucket, session, claims, {}, {}, ACTOR)));
    const again = await test.core.uploads.complete(bucket, session, claims, {}, {}, ACTOR);
    assert.equal(new Set([...results, again].map((result) => result.version.id)).size, 1);
    assert.equal((await test.core.journal.read({ limit: 100 })).filter((entry) => entry.change === 'create').length, 1);
    await assert.rejects(test.core.uploads.complete(bucket, { ...session, key: 'other' }, claims, {}, {}, ACTOR), (error) =>
      isError(error, 'UploadUnknown'),
    );
  });

  it('honour conditions at completion, and stay open when they fail', async () => {
    const test = testCore();
    await test.put(bucket, 'k', 'there');
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const claims = [await send(test, session, 1, one)];
    await assert.rejects(test.core.uploads.complete(bucket, session, claims, {}, { ifNoneMatch: ['*'] }, ACTOR), (error) =>
      isError(error, 'PreconditionFailed'),
    );
    const { version } = await test.core.uploads.complete(bucket, session, claims, {}, { ifMatch: ['*'] }, ACTOR);
    assert.equal(version.size, one.length);
  });

  it('give everything back when aborted, also a part that crosses the abort', async () => {
    const test = testCore({ terms: { grace: 1000 } });
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    await send(test, session, 1, one);
    const late = await test.core.objects.receive(bucket, bytesOf(two), {});
    await test.core.uploads.abort(bucket, 'k', session.uploadId, ACTOR);
    await assert.rejects(test.core.uploads.putPart(bucket, session, 2, late), (error) => isError(error, 'UploadUnknown'));
    await assert.rejects(test.core.uploads.abort(bucket, 'k', session.uploadId, ACTOR), (error) => isError(error, 'UploadUnknown'));
    test.pass(2000);
    await test.core.collection.collect(new AbortController().signal);
    assert.deepEqual(await test.store.blobs.list(undefined, 10), []);
    for (const left of ['upload/', 'part/', 'intent/', 'garbage/']) assert.deepEqual(await test.keys(left), [], left);
  });

  it('list open sessions by key, in pages', async () => {
    const test = testCore();
    const ids: string[] = [];
    for (const key of ['a/1', 'a/2', 'b', 'b', 'c/'])
      ids.push((await test.core.uploads.begin(bucket, key, PLAIN, undefined, ACTOR)).uploadId);
    const seen: string[] = [];
    for (let next: { key: string; uploadId?: string } | undefined = { key: '' }, first = true; next !== undefined; first = false) {
      const from: object = first ? {} : { after: next.key, afterUpload: next.uploadId };
      const page: Awaited<ReturnType<typeof test.core.uploads.list>> = await test.core.uploads.list(bucket, {
        prefix: '',
        limit: 2,
        ...from,
      });
      seen.push(...page.uploads.map((upload) => upload.uploadId));
      next = page.next;
    }
    assert.deepEqual(seen, ids);
    const rolled = await test.core.uploads.list(bucket, { prefix: '', delimiter: '/', limit: 10 });
    assert.deepEqual([rolled.prefixes, rolled.uploads.length], [['a/', 'c/'], 2]);
    const behind = await test.core.uploads.list(bucket, { prefix: '', delimiter: '/', limit: 10, after: 'a/' });
    assert.deepEqual([behind.prefixes, behind.uploads.length], [['c/'], 2]);
    const skipped = await test.core.uploads.list(bucket, { prefix: '', limit: 10, after: 'b' });
    assert.deepEqual(
      skipped.uploads.map((upload) => upload.key),
      ['c/'],
    );
  });
});
