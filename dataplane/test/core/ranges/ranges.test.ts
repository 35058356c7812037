import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Holder, RangeOptions, RangeSession } from '../../../src/core/ranges/contract.ts';
import { isError } from '../../../src/errors.ts';
import type { Bytes } from '../../../src/storage/contract.ts';
import type { TestCore } from '../core.fixture.ts';
import { ACTOR, admit, bucketNamed, bytesOf, collectBytes, PLAIN, testCore } from '../core.fixture.ts';

const bucket = bucketNamed('b');
const MIB = 1024 * 1024;
const GRACE = 60_000;
const naming = { conditions: {}, actor: ACTOR };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function begin({ core }: TestCore, options: Partial<RangeOptions> = {}): Promise<RangeSession> {
  return core.ranges.begin(bucket, 'k', { attributes: PLAIN, mode: 'sequential', ...options }, ACTOR);
}

async function* breakingOff(bytes: Uint8Array): Bytes & AsyncGenerator<Uint8Array> {
  yield* bytesOf(bytes);
  throw new Error('the line is dead');
}

async function content({ core }: TestCore, key = 'k'): Promise<Buffer> {
  const version = await core.objects.get(bucket, key);
  assert.ok(!version.deleteMarker);
  return collectBytes(core.objects.open(bucket, admit(version.digest)));
}

/** Counts reads of stored bytes from now on. */
function countReads({ store }: TestCore): () => number {
  const { get } = store.blobs as { get: (this: void, ...args: Parameters<typeof store.blobs.get>) => Bytes };
  let reads = 0;
  Object.assign(store.blobs, { get: (...args: Parameters<typeof get>) => ((reads += 1), get(...args)) });
  return () => reads;
}

async function nothingLeft(test: TestCore, blobs: number): Promise<void> {
  for (const left of ['ranges/', 'part/', 'intent/', 'garbage/']) assert.deepEqual(await test.keys(left), [], left);
  assert.equal((await test.store.blobs.list(undefined, 100)).length, blobs);
}

describe('core: sequential sessions of ranges', () => {
  it('append over requests, and name the whole without copying it', async () => {
    const test = testCore();
    const whole = randomBytes(33 * MIB + 5);
    const session = await begin(test, { length: whole.length, sha256: sha256(whole) });
    const cut = 17 * MIB + 3;
    const first = await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(whole.subarray(0, cut)) });
    assert.equal(first.offset, cut);
    const second = await test.core.ranges.append(bucket, session, { offset: cut, bytes: bytesOf(whole.subarray(cut)) });
    assert.equal(second.offset, whole.length);
    const { version, created } = await test.core.ranges.complete(bucket, session, naming);
    assert.equal(created, true);
    assert.equal(version.digest, `sha256:${sha256(whole)}`);
    assert.ok(whole.equals(await content(test)));
    assert.deepEqual(
      await test.core.ranges.complete(bucket, session, naming),
      { version, created: false },
      'a repetition answers the same',
    );
    await nothingLeft(test, 4);
  });

  it('keep what came of a body that broke off', async () => {
    const test = testCore();
    const whole = randomBytes(2 * MIB + 77);
    const session = await begin(test);
    await assert.rejects(test.core.ranges.append(bucket, session, { offset: 0, bytes: breakingOff(whole.subarray(0, MIB + 1)) }), /dead/);
    assert.equal((await test.core.ranges.seize(bucket, session)).offset, MIB + 1);
    assert.ok(whole.subarray(5, 100).equals(await collectBytes(await test.core.ranges.read(bucket, session, { offset: 5, length: 95 }))));
    await test.core.ranges.append(bucket, session, { offset: MIB + 1, bytes: bytesOf(whole.subarray(MIB + 1)) });
    await test.core.ranges.complete(bucket, session, naming);
    assert.ok(whole.equals(await content(test)));
  });

  it('refuse another offset, more than the length, and another length', async () => {
    const test = testCore();
    const session = await begin(test, { length: 10 });
    await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf('01234') });
    await assert.rejects(test.core.ranges.append(bucket, session, { offset: 4, bytes: bytesOf('4') }), (error) => {
      assert.ok(isError(error, 'ConcurrentChange'));
      assert.deepEqual({ ...error.details }, { reason: 'offset', expectedOffset: 5, providedOffset: 4 });
      return true;
    });
    const more = { offset: 5, bytes: bytesOf('56789X') };
    await assert.rejects(test.core.ranges.append(bucket, session, more), (error) => isError(error, 'BodyTooLarge'));
    await assert.rejects(test.core.ranges.append(bucket, session, { ...more, size: 6 }), (error) => isError(error, 'BodyTooLarge'));
    const other = { offset: 5, length: 11, bytes: bytesOf('5') };
    await assert.rejects(test.core.ranges.append(bucket, session, other), (error) => isError(error, 'InvalidRequest'));
    await assert.rejects(
      test.core.ranges.complete(bucket, session, naming),
      (error) => isError(error, 'InvalidRequest') && /5-9/.test(error.message),
    );
  });

  it('end a request that still waits for its sender when a later one comes, and keep what it had', async () => {
    const test = testCore();
    const session = await begin(test);
    let release: () => void = () => undefined;
    const stuck = (async function* () {
      yield Buffer.from('first ');
      await new Promise<void>((resolve) => (release = resolve));
      yield Buffer.from('late');
    })();
    const older = test.core.ranges.append(bucket, session, { offset: 0, bytes: stuck });
    const outcome = assert.rejects(older, (error) => isError(error, 'ConcurrentChange') && error.details.reason === 'superseded');
    await sleep(20);
    const { offset } = await test.core.ranges.seize(bucket, session);
    assert.equal(offset, 6);
    await outcome;
    release();
    await test.core.ranges.append(bucket, session, { offset, bytes: bytesOf('second') });
    await test.core.ranges.complete(bucket, session, naming);
    assert.equal((await content(test)).toString(), 'first second');
  });

  it('shut out a request of another process that was taken over', async () => {
    const test = testCore();
    const other = testCore({ store: test.store });
    const session = await begin(test);
    let go: () => void = () => undefined;
    const going = new Promise<void>((resolve) => (go = resolve));
    const slow = (async function* () {
      await going;
      yield randomBytes(100);
    })();
    const older = test.core.ranges.append(bucket, session, { offset: 0, bytes: slow });
    await sleep(20);
    assert.equal((await other.core.ranges.seize(bucket, session)).offset, 0);
    go();
    await assert.rejects(older, (error) => isError(error, 'ConcurrentChange'));
    await other.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf('mine') });
    await other.core.ranges.complete(bucket, session, naming);
    assert.equal((await content(other)).toString(), 'mine');
    await nothingLeft(other, 1);
  });

  it('keep nothing of a request whose content has another digest', async () => {
    const test = testCore();
    const session = await begin(test);
    const body = randomBytes(100_000);
    const check = { algorithm: 'SHA1' as const, value: createHash('sha1').update(body).digest() };
    const wrong = { ...check, value: randomBytes(20) };
    await assert.rejects(test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body), checks: [check, wrong] }), (error) =>
      isError(error, 'DigestMismatch'),
    );
    assert.equal((await test.core.ranges.find(bucket, session)).offset, 0);
    await assert.rejects(test.core.ranges.append(bucket, session, { offset: 0, bytes: breakingOff(body), checks: [check] }), /dead/);
    assert.equal((await test.core.ranges.find(bucket, session)).offset, 0);
    assert.deepEqual(await test.store.blobs.list(undefined, 10), []);
    assert.equal(
      (await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body), checks: [check] })).offset,
      body.length,
    );
  });

  it('end with nothing named when the whole has another digest than was stated', async () => {
    const test = testCore();
    const session = await begin(test, { sha256: sha256(Buffer.from('meant')) });
    await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf('came') });
    await assert.rejects(test.core.ranges.complete(bucket, session, naming), (error) => isError(error, 'DigestMismatch'));
    await assert.rejects(test.core.ranges.find(bucket, session), (error) => isError(error, 'UploadUnknown'));
    await assert.rejects(test.core.objects.get(bucket, 'k'), (error) => isError(error, 'NameUnknown'));
    await nothingLeft(test, 0);
  });

  it('expire, and leave nothing', async () => {
    const test = testCore({ terms: { grace: GRACE, uploadLife: 2 * GRACE } });
    const session = await begin(test);
    await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(randomBytes(MIB)) });
    test.pass(2 * GRACE + 1);
    await assert.rejects(test.core.ranges.seize(bucket, session), (error) => isError(error, 'UploadUnknown'));
    await test.core.collection.collect(new AbortController().signal);
    await nothingLeft(test, 0);
  });

  it('are not seen among sessions of parts, and go with their bucket', async () => {
    const test = testCore();
    const session = await begin(test);
    assert.deepEqual((await test.core.uploads.list(bucket, { prefix: '', limit: 10 })).uploads, []);
    await assert.rejects(test.core.uploads.find(bucket, 'k', session.uploadId), (error) => isError(error, 'UploadUnknown'));
    await assert.rejects(test.core.uploads.abort(bucket, 'k', session.uploadId, ACTOR), (error) => isError(error, 'UploadUnknown'));
    await test.core.objects.empty(bucket, ACTOR);
    await assert.rejects(test.core.ranges.find(bucket, session), (error) => isError(error, 'UploadUnknown'));
  });

  it('that are partial join into one name without being copied', async () => {
    const test = testCore();
    const bodies = [randomBytes(100_000), Buffer.from('x'), randomBytes(50_000)];
    const partials: RangeSession[] = [];
    for (const body of bodies) {
      const session = await begin(test, { partial: true, length: body.length });
      await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body) });
      partials.push(session);
    }
    const { uploadId, result } = await test.core.ranges.join(bucket, 'whole', partials, PLAIN, naming);
    assert.ok(Buffer.concat(bodies).equals(await content(test, 'whole')));
    assert.deepEqual((await test.core.ranges.finished(bucket, { key: 'whole', uploadId }))?.version, result.version);
    await nothingLeft(test, 3);
  });
});

describe('core: parallel sessions of ranges', () => {
  const whole = randomBytes(40 * MIB + 9);
  const put = ({ core }: TestCore, session: RangeSession, start: number, end: number): Promise<void> =>
    core.ranges.write(bucket, session, { offset: start, bytes: bytesOf(whole.subarray(start, end)), size: end - start });

  it('take ranges in any order, tell what is there, and name the whole', async () => {
    const test = testCore();
    const session = await begin(test, { mode: 'parallel', length: whole.length, sha256: sha256(whole) });
    await put(test, session, 20 * MIB, whole.length);
    assert.deepEqual(await test.core.ranges.spans(bucket, session), [[20 * MIB, whole.length]]);
    await assert.rejects(
      test.core.ranges.complete(bucket, session, naming),
      (error) => isError(error, 'InvalidRequest') && /0-20971519/.test(error.message),
    );
    await Promise.all([put(test, session, 10 * MIB, 20 * MIB), put(test, session, 0, 10 * MIB)]);
    const { version } = await test.core.ranges.complete(bucket, session, naming);
    assert.equal(version.digest, `sha256:${sha256(whole)}`);
    assert.ok(whole.equals(await content(test)));
    for (const left of ['ranges/', 'part/', 'intent/', 'garbage/']) assert.deepEqual(await test.keys(left), [], left);
  });

  it('take a range again, and let the newest bytes count', async () => {
    const test = testCore();
    const session = await begin(test, { mode: 'parallel', length: 300_000, sha256: sha256(whole.subarray(0, 300_000)) });
    await test.core.ranges.write(bucket, session, { offset: 0, bytes: bytesOf(randomBytes(200_000)) });
    await put(test, session, 200_000, 300_000);
    await assert.rejects(test.core.ranges.complete(bucket, session, naming), (error) => isError(error, 'DigestMismatch'));
    await put(test, session, 0, 200_000);
    const { version } = await test.core.ranges.complete(bucket, session, naming);
    assert.equal(version.digest, `sha256:${sha256(whole.subarray(0, 300_000))}`);
  });

  it('refuse ranges that overlap without meeting, and name them', async () => {
    const test = testCore();
    const session = await begin(test, { mode: 'parallel', length: 300 });
    await put(test, session, 0, 200);
    await put(test, session, 100, 300);
    await assert.rejects(
      test.core.ranges.complete(bucket, session, naming),
      (error) => isError(error, 'InvalidRequest') && error.details.reason === 'overlap' && error.details.overlaps === '100-199',
    );
    await put(test, session, 200, 300);
    await test.core.ranges.complete(bucket, session, naming);
    assert.ok(whole.subarray(0, 300).equals(await content(test)));
  });

  it('do not read again what was hashed while it came', async () => {
    const test = testCore();
    const session = await begin(test, { mode: 'parallel', length: whole.length, sha256: sha256(whole) });
    await put(test, session, 0, 20 * MIB);
    await put(test, session, 20 * MIB, whole.length);
    await sleep(200);
    const reads = countReads(test);
    await test.core.ranges.complete(bucket, session, naming);
    assert.equal(reads(), 0);
  });
});

describe('core: bytes that are known', () => {
  it('are named at once for a caller who may read them, and for nobody else', async () => {
    const test = testCore();
    await test.put(bucket, 'secret', 'the bytes');
    const wanted = { sha256: sha256(Buffer.from('the bytes')), length: 9, attributes: PLAIN };
    const asked: string[] = [];
    const no = async ({ bucket: name, namespace, key }: Holder): Promise<boolean> => (asked.push(`${namespace}: ${name}/${key}`), false);
    assert.equal(await test.core.ranges.known(bucket, 'copy', wanted, no, naming), undefined);
    assert.deepEqual(asked, ['team-a: b/secret']);
    assert.equal(await test.core.ranges.known(bucket, 'copy', { ...wanted, length: 8 }, async () => true, naming), undefined);
    const named = await test.core.ranges.known(bucket, 'copy', wanted, async () => true, naming);
    assert.equal(named?.version.digest, `sha256:${wanted.sha256}`);
    assert.equal(await test.text(bucket, 'copy'), 'the bytes');
    await test.core.objects.delete(bucket, 'secret', undefined, {}, ACTOR);
    await test.core.objects.delete(bucket, 'copy', undefined, {}, ACTOR);
    assert.equal(await test.core.ranges.known(bucket, 'copy', wanted, async () => true, naming), undefined);
  });
});

describe('core: many small requests', () => {
  it('become few pieces, in which no byte is lost, and leave none behind', async () => {
    const test = testCore();
    const whole = randomBytes(700 * 1000);
    const session = await begin(test, { length: whole.length, sha256: sha256(whole) });
    for (let at = 0; at < whole.length; at += 1000) {
      await test.core.ranges.append(bucket, session, { offset: at, bytes: bytesOf(whole.subarray(at, at + 1000)), size: 1000 });
    }
    assert.ok((await test.store.blobs.list(undefined, 1000)).length < 30);
    const reads = countReads(test);
    await test.core.ranges.complete(bucket, session, naming);
    assert.equal(reads(), 0, 'the hash went on across pieces that were put together');
    assert.ok(whole.equals(await content(test)));
    for (const left of ['ranges/', 'part/', 'intent/', 'garbage/']) assert.deepEqual(await test.keys(left), [], left);
  });
});
