/** Bytes of uploads that rot between their coming and the completion: no digest is ever made of them. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type { PartClaim, UploadSession } from '../../src/core/core.ts';
import type { RangeSession } from '../../src/core/ranges/contract.ts';
import type { ChecksumAlgorithm } from '../../src/core/object.ts';
import { createCore } from '../../src/core/createCore.ts';
import type { ArtefactError } from '../../src/errors.ts';
import { isError } from '../../src/errors.ts';
import type { BlobId, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN } from './core.fixture.ts';
import type { RottingCore } from './scrub/rot.ts';
import { ROT, rot, rottingCore } from './scrub/rot.ts';

const bucket = bucketNamed('b');
const naming = { conditions: {}, actor: ACTOR };
const MIB = 1024 * 1024;
const PARTS = [5 * MIB + 1, 5 * MIB, 300].map((size) => randomBytes(size));
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const WAYS = {
  flipped: ROT.flipped,
  'flipped at the start': (bytes: Buffer) => Buffer.concat([Buffer.from([bytes[0]! ^ 128]), bytes.subarray(1)]),
  truncated: ROT.truncated,
  deleted: ROT.deleted,
} as const;
const KINDS = { flipped: 'differs', 'flipped at the start': 'differs', truncated: 'length', deleted: 'missing' } as const;

/** Every blob, by its record of a part or piece. */
async function blobsIn(test: RottingCore, uploadId: string): Promise<BlobId[]> {
  const records = await test.store.records.scan({ prefix: `part/${uploadId}/`, limit: 1000 });
  return records.map((item) => ('value' in item ? (item.value as unknown as { readonly blob: BlobId }).blob : assert.fail()));
}

/** Fails unless it is refused as damaged; answers the error. */
async function refused(work: Promise<unknown>): Promise<ArtefactError> {
  const error: unknown = await work.then(
    () => assert.fail('it was completed'),
    (thrown: unknown) => thrown,
  );
  if (isError(error, 'PartDamaged')) return error;
  throw error;
}

async function nothingIsNamed({ core, keys }: RottingCore, name: string): Promise<void> {
  await assert.rejects(core.objects.get(bucket, name), (error) => isError(error, 'NameUnknown'));
  assert.deepEqual([await keys('digest/'), await keys('ref/'), await keys('head/')], [[], [], []]);
}

/** One line in the journal, and one told to metrics and log. */
async function isReported(test: RottingCore, uploadId: string, kind: string): Promise<void> {
  const [entry, ...others] = await test.journal('upload-damage');
  assert.deepEqual([entry?.bucket, entry?.name, others], ['b', 'k', []]);
  assert.ok(entry?.note?.startsWith(`${kind}: upload ${uploadId}: The blob `), entry?.note);
  assert.deepEqual(
    test.told.uploads.map((damage) => [damage.bucket, damage.key, damage.uploadId, damage.kind]),
    [['b', 'k', uploadId, kind]],
  );
}

async function sendPart({ core }: RottingCore, session: UploadSession, number: number): Promise<PartClaim> {
  const expected = session.checksum === undefined ? {} : { checksum: { algorithm: session.checksum.algorithm } };
  const arrived = await core.objects.receive(bucket, bytesOf(PARTS[number - 1]!), expected);
  const { etag, checksums } = await core.uploads.putPart(bucket, session, number, arrived);
  return { number, etag, checksums };
}

describe('core: parts that rot before they are joined', () => {
  const algorithms: readonly (ChecksumAlgorithm | undefined)[] = [undefined, 'CRC32', 'CRC64NVME', 'SHA256'];
  it('are refused by number, named by nothing, reported, and may be sent again', async () => {
    const way = fc.constantFrom(...(Object.keys(WAYS) as (keyof typeof WAYS)[]));
    await fc.assert(
      fc.asyncProperty(way, fc.nat(2), fc.constantFrom(...algorithms), async (how, index, algorithm) => {
        const test = rottingCore();
        const { uploads, objects } = test.core;
        const checksum = algorithm && ({ algorithm, type: algorithm === 'SHA256' ? 'COMPOSITE' : 'FULL_OBJECT' } as const);
        const session = await uploads.begin(bucket, 'k', PLAIN, checksum, ACTOR);
        const claims = [await sendPart(test, session, 1), await sendPart(test, session, 2), await sendPart(test, session, 3)];
        await rot(test.store, (await blobsIn(test, session.uploadId))[index]!, WAYS[how]);
        const error = await refused(uploads.complete(bucket, session, claims, {}, {}, ACTOR));
        assert.deepEqual(error.details, { uploadId: session.uploadId, partNumber: index + 1, etag: claims[index]!.etag });
        await nothingIsNamed(test, 'k');
        await isReported(test, session.uploadId, KINDS[how]);

        const again = await sendPart(test, session, index + 1);
        const { version } = await uploads.complete(bucket, session, claims.with(index, again), {}, {}, ACTOR);
        assert.equal(version.digest, digestOf(Buffer.concat(PARTS)));
        assert.equal(version.etag.endsWith('-3'), true);
        await objects.delete(bucket, 'k', undefined, {}, ACTOR);
        for (let round = 0; round < 3; round += 1) {
          test.pass(2 * 60_000);
          await test.core.collection.collect(new AbortController().signal);
        }
        assert.deepEqual(await test.store.blobs.list(undefined, 10), []);
      }),
      { numRuns: 12, examples: [['flipped', 0, undefined]] },
    );
  });

  it('are no more than read wrongly when a second reading is right: then the completion may be tried again', async () => {
    const inner = openMemoryStore();
    let wrong = 0;
    const store: Store = {
      ...inner,
      blobs: {
        ...inner.blobs,
        async *get(id, range) {
          for await (const chunk of inner.blobs.get(id, range)) {
            if (wrong > 0) chunk[0]! ^= 1;
            wrong -= 1;
            yield chunk;
          }
        },
      },
    };
    const test = rottingCore({ store });
    const session = await test.core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const claims = [await sendPart(test, session, 1), await sendPart(test, session, 2)];
    wrong = 1;
    const complete = (): Promise<unknown> => test.core.uploads.complete(bucket, session, claims, {}, {}, ACTOR);
    await assert.rejects(complete(), (error) => isError(error, 'Unavailable'));
    assert.deepEqual([await test.journal('upload-damage'), test.told.uploads], [[], []]);
    await complete();
    assert.equal((await test.core.objects.get(bucket, 'k')).versionId, 'null');
  });
});

describe('core: parts that are gone because their upload is', () => {
  it('are no damage', async () => {
    const inner = openMemoryStore();
    let meanwhile: (() => Promise<void>) | undefined;
    const store: Store = {
      ...inner,
      blobs: {
        ...inner.blobs,
        async *get(id, range) {
          await meanwhile?.();
          yield* inner.blobs.get(id, range);
        },
      },
    };
    const test = rottingCore({ store });
    const { uploads } = test.core;
    const session = await uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const claims = [await sendPart(test, session, 1)];
    meanwhile = async () => {
      meanwhile = undefined;
      await uploads.abort(bucket, 'k', session.uploadId, ACTOR);
    };
    await assert.rejects(uploads.complete(bucket, session, claims, {}, {}, ACTOR), (error) => isError(error, 'UploadUnknown'));
    assert.deepEqual([await test.journal('upload-damage'), test.told.uploads], [[], []]);
  });
});

/** The same records and blobs in another process, which has seen none of the bytes. */
function inAnotherProcess(test: RottingCore): RottingCore {
  return rottingCore({ store: test.store });
}

describe('core: pieces that rot before they are named', () => {
  const body = randomBytes(400_000);
  const slices = [body.subarray(0, 150_000), body.subarray(150_000, 150_300), body.subarray(150_300)];
  const offsets = [0, 150_000, 150_300];
  const begin = ({ core }: RottingCore, mode: RangeSession['mode'], more: object = {}): Promise<RangeSession> =>
    core.ranges.begin(bucket, 'k', { attributes: PLAIN, mode, length: body.length, ...more }, ACTOR);
  const cases = fc.tuple(fc.constantFrom(...(Object.keys(WAYS) as (keyof typeof WAYS)[])), fc.nat(2));

  it('may be sent again where ranges come in any order', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([how, index]) => {
        const first = rottingCore();
        const session = await begin(first, 'parallel');
        const send = (test: RottingCore, at: number): Promise<void> =>
          test.core.ranges.write(bucket, session, { offset: offsets[at]!, bytes: bytesOf(slices[at]!) });
        for (const at of [2, 0, 1]) await send(first, at);
        await rot(first.store, (await blobsIn(first, session.uploadId))[index]!, WAYS[how]);
        const test = inAnotherProcess(first);
        const error = await refused(test.core.ranges.complete(bucket, session, naming));
        assert.equal(error.details['range'], `${offsets[index]!}-${offsets[index]! + slices[index]!.length - 1}`);
        await nothingIsNamed(test, 'k');
        await isReported(test, session.uploadId, KINDS[how]);
        await send(test, index);
        const { version } = await test.core.ranges.complete(bucket, session, naming);
        assert.equal(version.digest, digestOf(body));
      }),
      { numRuns: 12 },
    );
  });

  it('end an upload that was appended to, since a client would take it for done', async () => {
    for (const how of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
      const first = rottingCore();
      const session = await begin(first, 'sequential');
      for (const [at, bytes] of slices.entries())
        await first.core.ranges.append(bucket, session, { offset: offsets[at]!, bytes: bytesOf(bytes) });
      await rot(first.store, (await blobsIn(first, session.uploadId))[2]!, WAYS[how]);
      const test = inAnotherProcess(first);
      await refused(test.core.ranges.complete(bucket, session, naming));
      await nothingIsNamed(test, 'k');
      await isReported(test, session.uploadId, KINDS[how]);
      await assert.rejects(test.core.ranges.find(bucket, session), (error) => isError(error, 'UploadUnknown'));
      assert.deepEqual(await test.store.blobs.list(undefined, 10), []);
    }
  });

  it('end just the partial upload that has them, where several are joined', async () => {
    const first = rottingCore();
    const partials: RangeSession[] = [];
    for (const bytes of slices) {
      const partial = await begin(first, 'sequential', { partial: true, length: bytes.length });
      await first.core.ranges.append(bucket, partial, { offset: 0, bytes: bytesOf(bytes) });
      partials.push(partial);
    }
    await rot(first.store, (await blobsIn(first, partials[1]!.uploadId))[0]!, ROT.flipped);
    const test = inAnotherProcess(first);
    await refused(test.core.ranges.join(bucket, 'k', partials, PLAIN, naming));
    await nothingIsNamed(test, 'k');
    await isReported(test, partials[1]!.uploadId, 'differs');
    await assert.rejects(test.core.ranges.find(bucket, partials[1]!), (error) => isError(error, 'UploadUnknown'));
    const again = await begin(test, 'sequential', { partial: true, length: slices[1]!.length });
    await test.core.ranges.append(bucket, again, { offset: 0, bytes: bytesOf(slices[1]!) });
    const { result } = await test.core.ranges.join(bucket, 'k', partials.with(1, again), PLAIN, naming);
    assert.equal(result.version.digest, digestOf(body));
  });

  it('are not made right by being put together with others', async () => {
    const first = rottingCore();
    const session = await begin(first, 'sequential');
    const append = (test: RottingCore, from: number, to: number): Promise<unknown> =>
      test.core.ranges.append(bucket, session, { offset: from, bytes: bytesOf(body.subarray(from, to)) });
    const step = 40_000;
    for (let at = 0; at < 5 * step; at += step) await append(first, at, at + step);
    await rot(first.store, (await blobsIn(first, session.uploadId))[3]!, ROT.flipped);
    const test = inAnotherProcess(first);
    for (let at = 5 * step; at < body.length; at += step) await append(test, at, at + step);
    assert.equal((await blobsIn(test, session.uploadId)).length, 10, 'nothing was put together');
    await refused(test.core.ranges.complete(bucket, session, naming));
    await nothingIsNamed(test, 'k');
  });

  it('are found by the hash that pursues the bytes too', async () => {
    const test = rottingCore();
    const session = await begin(test, 'parallel');
    const send = (at: number): Promise<void> =>
      test.core.ranges.write(bucket, session, { offset: offsets[at]!, bytes: bytesOf(slices[at]!) });
    // Byte 0 starts it; what came before is read from storage when it gets there.
    await send(2);
    await rot(test.store, (await blobsIn(test, session.uploadId))[0]!, ROT.flipped);
    await send(0);
    await send(1);
    await refused(test.core.ranges.complete(bucket, session, naming));
    await send(2);
    assert.equal((await test.core.ranges.complete(bucket, session, naming)).version.digest, digestOf(body));
  });
});

describe('core: copies of bytes that have rotted', () => {
  it('are refused where they are read', async () => {
    const [from, to] = [openMemoryStore(), openMemoryStore()];
    const core = createCore({
      stores: new Map([
        ['default', from],
        ['other', to],
      ]),
      claimedBuckets: () => new Set(),
      writer: {
        createBucket: async () => undefined,
        deleteBucket: async () => undefined,
        updateBucket: async () => undefined,
        putPolicy: async () => undefined,
        deletePolicy: async () => undefined,
      },
    });
    const arrived = await core.objects.receive(bucket, bytesOf(PARTS[0]!), {});
    const { version } = await core.objects.put(bucket, 'k', arrived, PLAIN, {}, ACTOR);
    await rot(from, (await from.blobs.list(undefined, 1))[0]!, ROT.flipped);
    const target = { bucket: bucketNamed('c', { location: 'other' }), key: 'k' };
    await assert.rejects(core.objects.copy({ bucket, version }, target, PLAIN, {}, ACTOR), (error) => isError(error, 'BytesDamaged'));
    assert.deepEqual(await to.blobs.list(undefined, 10), []);
  });
});
