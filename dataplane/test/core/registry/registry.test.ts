import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Store } from '../../../src/storage/contract.ts';
import type { TestCore } from '../core.fixture.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore } from '../core.fixture.ts';
import type { Pushes } from './push.ts';
import { OCI_IMAGE, pushesTo, sha256 } from './push.ts';

const GRACE = 60_000;
const bucket = bucketNamed('b');
const never = new AbortController().signal;
const fails =
  (...codes: ErrorCode[]) =>
  (error: unknown): boolean =>
    isError(error, ...codes);

describe('core: a registry', () => {
  let test: TestCore;
  let push: Pushes;
  beforeEach(() => {
    test = testCore({ terms: { grace: GRACE } });
    push = pushesTo(test, bucket);
  });

  const collect = async (rounds = 3): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      await test.core.collection.collect(never);
      test.pass(2 * GRACE);
    }
    await test.core.collection.collect(never);
  };
  const blobs = async (): Promise<number> => (await test.keys('digest/')).length;

  it('finds what was pushed, by tag and by digest, and shows none of it among the keys of the bucket', async () => {
    const { registry, objects } = test.core;
    const layer = await push.blob('layer');
    const digest = await push.manifest([layer]);
    await push.tag('1.2', digest);
    for (const reference of [{ tag: '1.2' }, { digest }]) {
      const found = await registry.findManifest(bucket, 'app', reference);
      assert.deepEqual([found.digest, found.mediaType], [digest, OCI_IMAGE]);
    }
    assert.equal((await registry.findBlob(bucket, { repository: 'app', digest: layer })).size, 5);
    assert.deepEqual((await registry.tags(bucket, 'app', { limit: 10 })).names, ['1.2']);
    assert.deepEqual((await objects.list(bucket, { prefix: '', limit: 10 })).objects, []);
    assert.equal(await objects.isEmpty(bucket), false, 'a bucket with images is not empty');
    const journal = await test.core.journal.read({ limit: 10 });
    assert.deepEqual(
      journal.map(({ change, name }) => [change, name]),
      [
        ['create', `app@${layer}`],
        ['create', `app@${digest}`],
        ['create', 'app:1.2'],
      ],
    );
  });

  it('keeps another repository apart, also in the same bucket', async () => {
    const { registry } = test.core;
    const layer = await push.blob('layer');
    const digest = await push.manifest([layer]);
    await push.tag('1', digest);
    for (const repository of ['ap', 'app2', 'app/sub']) {
      await assert.rejects(registry.findBlob(bucket, { repository, digest: layer }), fails('NameUnknown'));
      await assert.rejects(registry.findManifest(bucket, repository, { digest }), fails('NameUnknown'));
      await assert.rejects(registry.findManifest(bucket, repository, { tag: '1' }), fails('NameUnknown'));
      await assert.rejects(registry.tags(bucket, repository, { limit: 10 }), fails('NameUnknown'));
    }
    await assert.rejects(pushesTo(test, bucket, 'app2').manifest([layer]), fails('DigestUnknown'));
  });

  it('names every blob and child that is missing, and keeps nothing of the manifest', async () => {
    const there = await push.blob('there');
    const missing = [sha256('one'), sha256('two')];
    const child = sha256('child');
    await assert.rejects(push.manifest([there, ...missing], { children: [child] }), (error) => {
      assert.ok(isError(error, 'DigestUnknown'));
      assert.equal(error.details['missing'], [...missing, child].join(' '));
      return true;
    });
    assert.deepEqual(await test.keys('uses/'), []);
    assert.deepEqual((await test.core.registry.repositories(bucket, { limit: 10 })).names, []);
  });

  it('deletes a manifest with the tags that point at it, and no other', async () => {
    const { registry } = test.core;
    const [one, two] = [await push.manifest([]), await push.manifest([])];
    for (const tag of ['a', 'b']) await push.tag(tag, one);
    await push.tag('c', two);
    await push.tag('b', two);
    await registry.deleteManifest(bucket, { repository: 'app', digest: one }, ACTOR);
    assert.deepEqual((await registry.tags(bucket, 'app', { limit: 10 })).names, ['b', 'c']);
    await assert.rejects(registry.deleteManifest(bucket, { repository: 'app', digest: one }, ACTOR), fails('NameUnknown'));
    await registry.untag(bucket, 'app', 'c', ACTOR);
    await assert.rejects(registry.untag(bucket, 'app', 'c', ACTOR), fails('NameUnknown'));
    assert.equal((await registry.findManifest(bucket, 'app', { tag: 'b' })).digest, two);
  });

  it('moves a tag for those alone who may, and lets everybody push what is there already', async () => {
    const [one, two] = [await push.manifest([]), await push.manifest([])];
    await push.tag('1', one, false);
    await push.tag('1', one, false);
    await assert.rejects(push.tag('1', two, false), fails('AccessDenied'));
    await push.tag('1', two, true);
    assert.equal((await test.core.registry.findManifest(bucket, 'app', { tag: '1' })).digest, two);
  });

  it('never changes a tag that the bucket holds immutable, nor deletes its manifest', async () => {
    const held = bucketNamed('held', { immutability: ['app:v*'] });
    const { registry } = test.core;
    const pushes = pushesTo(test, held);
    const [one, two] = [await pushes.manifest([]), await pushes.manifest([])];
    await pushes.tag('v1', one);
    await pushes.tag('v1', one);
    await pushes.tag('latest', one);
    await pushes.tag('latest', two);
    await assert.rejects(pushes.tag('v1', two), fails('Immutable'));
    await assert.rejects(registry.untag(held, 'app', 'v1', ACTOR), fails('Immutable'));
    await assert.rejects(registry.deleteManifest(held, { repository: 'app', digest: one }, ACTOR), fails('Immutable'));
    await assert.rejects(test.core.objects.empty(held, ACTOR), fails('Immutable'));
    assert.equal((await registry.findManifest(held, 'app', { tag: 'v1' })).digest, one);
    await registry.deleteManifest(held, { repository: 'app', digest: two }, ACTOR);
  });

  it('lists tags, repositories and referrers in pages, each entry once and in order', async () => {
    const { registry } = test.core;
    const subject = await push.manifest([]);
    const tags = Array.from({ length: 25 }, (_, n) => `t${String(n).padStart(2, '0')}`);
    for (const tag of tags) await push.tag(tag, subject);
    const repositories = ['a', 'a-b', 'a/b', 'a/b/c', 'app', 'z'];
    for (const repository of repositories) {
      const other = pushesTo(test, bucket, repository);
      for (let n = 0; n < 3; n += 1) await other.tag(`x${n}`, await other.manifest([]));
    }
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      const about = {
        digest: subject,
        descriptor: { mediaType: OCI_IMAGE, digest: sha256(`r${n}`), size: 1, artifactType: `type/${n % 2}` },
      };
      made.push(await push.manifest([], { subject: about }));
    }
    const all = async (page: (after: string | undefined) => Promise<{ readonly next?: string; readonly got: readonly string[] }>) => {
      const found: string[] = [];
      for (let after: string | undefined; ;) {
        const { got, next } = await page(after);
        found.push(...got);
        if (next === undefined) return found;
        after = next;
      }
    };
    const listed = await all(async (after) => {
      const { names, next } = await registry.tags(bucket, 'app', { after, limit: 4 });
      return { got: names, ...(next === undefined ? {} : { next }) };
    });
    assert.deepEqual(listed, [...tags, 'x0', 'x1', 'x2'].sort());
    const named = await all(async (after) => {
      const { names, next } = await registry.repositories(bucket, { after, limit: 2 });
      return { got: names, ...(next === undefined ? {} : { next }) };
    });
    assert.deepEqual([...named].sort(), [...repositories].sort());
    for (const [artifactType, count] of [
      [undefined, 7],
      ['type/0', 4],
      ['type/1', 3],
      ['type/2', 0],
    ] as const) {
      const found = await all(async (after) => {
        const { descriptors, next } = await registry.referrers(
          bucket,
          { repository: 'app', digest: subject },
          { after, limit: 2, artifactType },
        );
        return { got: descriptors.map(({ digest }) => digest), ...(next === undefined ? {} : { next }) };
      });
      assert.equal(new Set(found).size, count);
      assert.equal(found.length, count);
    }
    assert.equal(made.length, 7);
  });

  it('forgets a referrer with its manifest', async () => {
    const { registry } = test.core;
    const subject = sha256('not here yet');
    const body = 'a signature';
    const about = { digest: subject, descriptor: { mediaType: OCI_IMAGE, digest: sha256(body), size: body.length } };
    const arrived = await test.core.objects.receive(bucket, bytesOf(body), {});
    await push.manifest([], { digest: sha256(body), arrived, subject: about });
    const listed = async () => (await registry.referrers(bucket, { repository: 'app', digest: subject }, { limit: 10 })).descriptors;
    assert.deepEqual(await listed(), [about.descriptor]);
    await registry.deleteManifest(bucket, { repository: 'app', digest: sha256(body) }, ACTOR);
    assert.deepEqual(await listed(), []);
  });

  it('mounts without copying, and keeps the bytes as long as one repository has them', async () => {
    const { registry, objects } = test.core;
    const body = Buffer.alloc(100_000, 'm');
    const digest = await push.blob(body);
    await registry.mountBlob({ bucket, repository: 'app' }, { bucket, place: { repository: 'two', digest } }, ACTOR);
    assert.equal((await test.store.blobs.list(undefined, 10)).length, 1);
    await registry.deleteBlob(bucket, { repository: 'app', digest }, ACTOR);
    await pushesTo(test, bucket, 'two').manifest([digest]);
    await collect();
    assert.equal((await registry.findBlob(bucket, { repository: 'two', digest })).size, body.length);
    await objects.checkSound(bucket, await registry.findBlob(bucket, { repository: 'two', digest }));
  });

  it('mounts what the caller may read anywhere, and asks of nothing else', async () => {
    const { registry } = test.core;
    const digest = await push.blob('somewhere');
    await test.put(bucket, 'key', 'as a key');
    const asked: string[] = [];
    const mayRead =
      (answer: boolean) =>
      async ({ key, realm }: { readonly key: string; readonly realm: string | undefined }): Promise<boolean> => {
        asked.push(`${realm ?? 'keys'} ${key}`);
        return answer;
      };
    const place = { repository: 'two', digest };
    assert.equal(await registry.mountKnown(bucket, place, mayRead(false), ACTOR), false);
    await assert.rejects(registry.findBlob(bucket, place), fails('NameUnknown'));
    assert.equal(await registry.mountKnown(bucket, place, mayRead(true), ACTOR), true);
    assert.equal(await registry.mountKnown(bucket, { repository: 'two', digest: sha256('as a key') }, mayRead(true), ACTOR), true);
    assert.equal(await registry.mountKnown(bucket, { repository: 'two', digest: sha256('nowhere') }, mayRead(true), ACTOR), false);
    assert.deepEqual(asked, [`registry l/app@${digest}`, `registry l/app@${digest}`, 'keys key']);
  });

  it('calls bytes by sha512 where a client does', async () => {
    const body = 'long digests';
    const digest = `sha512:${createHash('sha512').update(body).digest('hex')}` as const;
    const place = { repository: 'app', digest };
    const arrived = await test.core.objects.receive(bucket, bytesOf(body), { sha512: digest.slice(7) });
    await test.core.registry.putBlob(bucket, place, arrived, ACTOR);
    assert.equal((await test.core.registry.findBlob(bucket, place)).digest, sha256(body));
    await push.manifest([digest]);
    await assert.rejects(test.core.objects.receive(bucket, bytesOf(body), { sha512: 'a'.repeat(128) }), fails('DigestMismatch'));
    for (const early of [true, false]) {
      const options = { attributes: PLAIN, mode: 'sequential', withSha512: early } as const;
      for (const [hex, right] of [
        [digest.slice(7), true],
        ['a'.repeat(128), false],
      ] as const) {
        const session = await test.core.ranges.begin(bucket, `k${early}${right}`, options, ACTOR);
        await test.core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body) });
        const done = test.core.ranges.complete(bucket, session, { sha512: hex, conditions: {}, actor: ACTOR });
        if (right) assert.equal((await done).version.digest, sha256(body));
        else await assert.rejects(done, fails('DigestMismatch'));
      }
    }
  });

  it('computes a sha512 that is asked for at the start while the bytes come, and reads none again', async () => {
    const body = Buffer.alloc(300_000, 'long');
    const digest = createHash('sha512').update(body).digest('hex');
    let reads = 0;
    const get: Store['blobs']['get'] = (id, range) => {
      reads += 1;
      return test.store.blobs.get(id, range);
    };
    const { core } = testCore({ store: { ...test.store, blobs: { ...test.store.blobs, get } } });
    for (const withSha512 of [true, false]) {
      reads = 0;
      const session = await core.ranges.begin(bucket, `k${withSha512}`, { attributes: PLAIN, mode: 'sequential', withSha512 }, ACTOR);
      await core.ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body) });
      await core.ranges.complete(bucket, session, { sha512: digest, conditions: {}, actor: ACTOR });
      assert.equal(reads === 0, withSha512);
    }
  });

  describe('collection', () => {
    it('removes blobs that no manifest names when the grace time is over, and keeps those that one does', async () => {
      const { registry } = test.core;
      const [used, unused] = [await push.blob('used'), await push.blob('unused')];
      const digest = await push.manifest([used]);
      await test.core.collection.collect(never);
      await registry.findBlob(bucket, { repository: 'app', digest: unused });
      await collect();
      await assert.rejects(registry.findBlob(bucket, { repository: 'app', digest: unused }), fails('NameUnknown'));
      await registry.findBlob(bucket, { repository: 'app', digest: used });
      assert.equal(await blobs(), 2);
      await assert.rejects(registry.deleteBlob(bucket, { repository: 'app', digest: used }, ACTOR), fails('Held'));
      await registry.deleteManifest(bucket, { repository: 'app', digest }, ACTOR);
      await registry.findBlob(bucket, { repository: 'app', digest: used });
      await collect();
      assert.deepEqual([await blobs(), await test.keys('garbage/'), await test.keys('uses/')], [0, [], []]);
    });

    it('keeps a blob that two manifests name until both are gone', async () => {
      const { registry } = test.core;
      const layer = await push.blob('shared');
      const [one, two] = [await push.manifest([layer]), await push.manifest([layer])];
      await registry.deleteManifest(bucket, { repository: 'app', digest: one }, ACTOR);
      await collect();
      await registry.findBlob(bucket, { repository: 'app', digest: layer });
      await registry.deleteManifest(bucket, { repository: 'app', digest: two }, ACTOR);
      await collect();
      assert.equal(await blobs(), 0);
    });

    it('gives a blob the time again that somebody asks for before pushing its manifest', async () => {
      const { registry } = test.core;
      const digest = await push.blob('asked for');
      const place = { repository: 'app', digest };
      for (let n = 0; n < 5; n += 1) {
        test.pass(GRACE * 0.8);
        await registry.findBlob(bucket, place, true);
        await test.core.collection.collect(never);
      }
      await push.manifest([digest]);
      await collect();
      await registry.findBlob(bucket, place);
    });

    it('empties what a retired bucket had in its registry', async () => {
      const dropped = bucketNamed('dropped', { deletionPolicy: 'Delete' });
      const claimed = new Set(['dropped']);
      test = testCore({ terms: { grace: GRACE }, claimed: () => claimed });
      const pushes = pushesTo(test, dropped);
      const layer = await pushes.blob('layer');
      await pushes.tag(
        '1',
        await pushes.manifest([layer], { subject: { digest: layer, descriptor: { mediaType: '', digest: layer, size: 1 } } }),
      );
      claimed.clear();
      await collect(5);
      const left = (await test.keys()).filter((key) => !key.startsWith('journal/') && !key.startsWith('gone/'));
      assert.deepEqual(left, []);
    });

    it('empties the registry with its bucket, which cannot be deleted before', async () => {
      test.resources.set('b', 'team-a');
      const layer = await push.blob('layer');
      await push.tag('1', await push.manifest([layer]));
      await assert.rejects(test.core.configuration.deleteBucket(bucket, ACTOR), fails('BucketNotEmpty'));
      await test.core.objects.empty(bucket, ACTOR);
      assert.equal(await test.core.objects.isEmpty(bucket), true);
      assert.deepEqual([await test.keys('uses/'), await test.keys('referrer/')], [[], []]);
    });
  });
});
