import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/openConfig.ts';
import { isError, type ErrorCode } from '../../src/errors.ts';
import { bucketText, createWorkshop, type Workshop } from './workshop.ts';

const DENY = JSON.stringify({
  Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::builds/*' }],
});

describe('changes through the API', () => {
  let shop: Workshop;
  let config: Config;
  let other: Config;
  beforeEach(async () => {
    shop = await createWorkshop();
    await shop.write('theirs.yaml', bucketText('theirs'));
    config = await shop.open();
    other = await shop.open();
  });
  afterEach(() => shop.close());

  const bucket = (name: string) => other.current().bucketsByName.get(name);
  const policies = (name: string) => other.current().policiesByBucket.get(name) ?? [];
  const refused = (work: Promise<void>, code: ErrorCode, expected = /./): Promise<void> =>
    assert.rejects(work, (error) => {
      assert.ok(isError(error, code), String(error));
      assert.match(error.message, expected);
      return true;
    });

  describe('that create a bucket', () => {
    it('are a manifest, and in force in every process when they are done', async () => {
      await config.writer.createBucket('builds', 'team-a', { tags: { a: 'b' } });
      assert.deepEqual(bucket('builds')?.origin, { managedBy: 'api', owner: 'api/team-a/bucket-builds.yaml' });
      assert.deepEqual([bucket('builds')?.namespace, bucket('builds')?.tags], ['team-a', { a: 'b' }]);
      const text = await readFile(join(shop.manifests, 'api/team-a/bucket-builds.yaml'), 'utf8');
      assert.match(text, /^apiVersion: bonded\.dev\/v1alpha1\nkind: Bucket\n/);
      assert.match(text, /\n {4}bonded\.dev\/origin: api\n/);
    });

    it('survive the loss of everything but the manifests', async () => {
      await config.writer.createBucket('builds', 'team-a');
      const again = await shop.open({ data: join(shop.folder, 'other-data') });
      assert.deepEqual([...again.current().bucketsByName.keys()], ['builds', 'theirs']);
    });

    it('refuse names that are taken or that no bucket may have', async () => {
      await config.writer.createBucket('builds', 'team-a');
      await refused(other.writer.createBucket('builds', 'team-a'), 'BucketTaken');
      await refused(config.writer.createBucket('builds', 'team-b'), 'BucketTaken');
      await refused(config.writer.createBucket('theirs', 'team-b'), 'BucketTaken');
      await refused(config.writer.createBucket('Builds', 'team-a'), 'InvalidBucketName', /lower-case/);
      await refused(config.writer.createBucket('helm', 'team-a'), 'InvalidBucketName', /reserved/);
      await refused(config.writer.createBucket('../evil', 'team-a'), 'InvalidBucketName');
      await refused(config.writer.createBucket('good', '../evil'), 'InvalidArgument', /namespace/);
    });

    it('refuse a name that a Bucket which is not in force has claimed before, leaving nothing', async () => {
      await shop.write('far.yaml', bucketText('far', '{ name: claimed, location: moon }'));
      await config.reload();
      await refused(config.writer.createBucket('claimed', 'team-b'), 'BucketTaken');
      assert.deepEqual(await readdir(join(shop.manifests, 'api/team-b')), []);
      assert.deepEqual(config.status().problems, []);
    });

    it('do not find the policy of an earlier bucket of the name', async () => {
      await config.writer.createBucket('builds', 'team-a');
      await config.writer.putPolicy('builds', DENY);
      const policy = await readFile(join(shop.manifests, 'api/team-a/bucketpolicy-builds.yaml'), 'utf8');
      await config.writer.deleteBucket('builds');
      await shop.write('api/team-a/bucketpolicy-builds.yaml', policy);
      await config.writer.createBucket('builds', 'team-a');
      assert.deepEqual(policies('builds'), []);
    });
  });

  describe('that change or delete a bucket', () => {
    beforeEach(() => config.writer.createBucket('builds', 'team-a', { versioning: 'Enabled' }));

    it('replace what they name and keep the rest, also what people wrote into the manifest', async () => {
      const file = join(shop.manifests, 'api/team-a/bucket-builds.yaml');
      await writeFile(file, (await readFile(file, 'utf8')).replace('spec:\n', 'spec:\n  immutability:\n    - match: "r/**"\n'));
      const cors = [{ allowedOrigins: ['*'], allowedMethods: ['GET'] }];
      await config.writer.updateBucket('builds', { cors, tags: { a: '1' } });
      await other.writer.updateBucket('builds', { tags: { b: '2' } });
      const { versioning, immutability, cors: rules, tags } = bucket('builds') ?? {};
      assert.deepEqual([versioning, immutability, rules, tags], ['Enabled', ['r/**'], cors, { b: '2' }]);
      await config.writer.updateBucket('builds', { cors: [], tags: {}, versioning: 'Suspended' });
      assert.deepEqual([bucket('builds')?.cors, bucket('builds')?.tags, bucket('builds')?.versioning], [[], {}, 'Suspended']);
    });

    it('refuse what the schema refuses, leaving all as it was', async () => {
      const before = bucket('builds');
      await refused(config.writer.updateBucket('builds', { tags: { 'aws:x': '1' } }), 'InvalidArgument', /^spec\.tags/);
      await refused(
        config.writer.updateBucket('builds', { cors: [{ allowedOrigins: ['*'], allowedMethods: ['FLY'] }] }),
        'InvalidArgument',
      );
      assert.deepEqual(bucket('builds'), before);
    });

    it('delete the bucket with its policy', async () => {
      await config.writer.putPolicy('builds', DENY);
      await config.writer.deleteBucket('builds');
      assert.equal(bucket('builds'), undefined);
      assert.deepEqual(await readdir(join(shop.manifests, 'api/team-a')), []);
      await refused(config.writer.deleteBucket('builds'), 'BucketUnknown');
      await refused(config.writer.updateBucket('builds', {}), 'BucketUnknown');
    });

    it('refuse what others manage, and name them', async () => {
      await refused(config.writer.updateBucket('theirs', { tags: {} }), 'ManagedElsewhere', /theirs\.yaml:1/);
      await refused(config.writer.deleteBucket('theirs'), 'ManagedElsewhere', /theirs\.yaml:1/);
      const file = join(shop.manifests, 'api/team-a/bucket-builds.yaml');
      await writeFile(file, `${await readFile(file, 'utf8')}---\n${bucketText('added')}`);
      await refused(config.writer.deleteBucket('builds'), 'ManagedElsewhere', /more than one resource/);
      assert.ok(bucket('added') && bucket('builds'));
    });
  });

  describe('of a policy', () => {
    beforeEach(() => config.writer.createBucket('builds', 'team-a'));

    it('replace it, and give it back as it was sent', async () => {
      await config.writer.putPolicy('builds', DENY);
      const longer = DENY.replace('DeleteObject', 'DeleteObject*');
      await other.writer.putPolicy('builds', longer);
      assert.deepEqual(
        policies('builds').map(({ source, origin }) => [source, origin.managedBy]),
        [[longer, 'api']],
      );
      await config.writer.deletePolicy('builds');
      assert.deepEqual(policies('builds'), []);
      await config.writer.deletePolicy('builds');
    });

    it('refuse what is no policy of the bucket', async () => {
      await refused(config.writer.putPolicy('builds', '{}'), 'InvalidPolicy', /Statement/);
      await refused(config.writer.putPolicy('builds', DENY.replace('builds', 'other')), 'InvalidPolicy', /arn:aws:s3:::builds/);
      await refused(config.writer.putPolicy('missing', DENY.replace('builds', 'missing')), 'BucketUnknown');
    });

    it('are for buckets that others manage too, unless their policy is managed there', async () => {
      await config.writer.putPolicy('theirs', DENY.replace('builds', 'theirs'));
      assert.equal(policies('theirs').length, 1);
      const manifest = `apiVersion: bonded.dev/v1alpha1\nkind: BucketPolicy\nmetadata: { name: mine, namespace: team-a }\nspec:\n  bucket: builds\n  document: ${DENY}\n`;
      await shop.write('policy.yaml', manifest);
      await refused(config.writer.putPolicy('builds', DENY), 'ManagedElsewhere', /policy\.yaml:1/);
      await refused(config.writer.deletePolicy('builds'), 'ManagedElsewhere', /policy\.yaml:1/);
    });

    it("leave the platform's alone and stand beside it", async () => {
      const manifest = `apiVersion: bonded.dev/v1alpha1\nkind: BucketPolicy\nmetadata: { name: all, namespace: bonded-system }\nspec:\n  bucket: builds\n  document: ${DENY}\n`;
      await shop.write('policy.yaml', manifest);
      await config.writer.putPolicy('builds', DENY);
      assert.equal(policies('builds').length, 2);
      await config.writer.deletePolicy('builds');
      assert.deepEqual(
        policies('builds').map(({ namespace }) => namespace),
        ['bonded-system'],
      );
    });
  });

  it('are refused while a manifest is broken, with its place, and leave nothing behind', async () => {
    await config.writer.createBucket('builds', 'team-a');
    await shop.write('broken.yaml', 'a: [');
    await refused(config.writer.createBucket('late', 'team-a'), 'Unavailable', /broken\.yaml:\d/);
    await refused(config.writer.deleteBucket('builds'), 'Unavailable');
    await refused(config.writer.putPolicy('builds', DENY), 'Unavailable');
    assert.deepEqual(await readdir(join(shop.manifests, 'api/team-a')), ['bucket-builds.yaml']);
    assert.ok(bucket('builds'));
  });

  it('of many at once in one process are all made', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `bucket-${at}`);
    await Promise.all(names.map((name, at) => (at % 2 === 0 ? config : other).writer.createBucket(name, 'team-a')));
    await Promise.all([
      config.writer.updateBucket('bucket-0', { versioning: 'Enabled' }),
      other.writer.updateBucket('bucket-0', { tags: { a: 'b' } }),
    ]);
    assert.ok(names.every((name) => bucket(name)));
    assert.deepEqual([bucket('bucket-0')?.versioning, bucket('bucket-0')?.tags], ['Enabled', { a: 'b' }]);
  });

  describe('of several processes', () => {
    const children: ChildProcess[] = [];
    afterEach(() => children.splice(0).forEach((child) => child.kill()));

    it('have just one winner for a name, and lose nothing', async function () {
      this.timeout(30_000);
      const tags = ['a', 'b', 'c'];
      for (const tag of tags)
        children.push(fork(fileURLToPath(import.meta.resolve('./writerProcess.ts')), [shop.data, shop.manifests, tag]));
      await Promise.all(children.map((child) => once(child, 'message')));
      const results = children.map(async (child) => ((await once(child, 'message')) as [readonly string[]])[0]);
      for (const child of children) child.send('shared-name');
      const outcomes = await Promise.all(results);
      assert.deepEqual(outcomes.map(([created]) => created).toSorted(), ['BucketTaken', 'BucketTaken', 'done']);
      assert.deepEqual(
        outcomes.flatMap(([, ...rest]) => rest),
        Array(18).fill('done'),
      );
      for (const tag of tags) assert.deepEqual(bucket(`own-${tag}-2`)?.tags, { by: tag });
      const winner = tags[outcomes.findIndex(([created]) => created === 'done')];
      assert.equal(bucket('shared-name')?.namespace, `tenant-${winner}`);
      await Promise.all(children.map((child) => (child.send('close'), once(child, 'exit'))));
    });

    it('go on when one of them dies while it is changing something', async function () {
      this.timeout(30_000);
      const child = fork(fileURLToPath(import.meta.resolve('./writerProcess.ts')), [shop.data, shop.manifests, 'x']);
      children.push(child);
      await once(child, 'message');
      child.send('shared-name');
      await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await config.writer.createBucket('afterwards', 'team-a');
      assert.ok(bucket('afterwards'));
      assert.deepEqual(config.status().problems, []);
    });
  });
});
