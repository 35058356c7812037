import assert from 'node:assert/strict';
import { sha256Digest } from '../../src/core/digest.ts';
import { ACTOR, bucketNamed, testCore } from './core.fixture.ts';

const HOUR = 3_600_000;
const STILL = new AbortController().signal;
const OURS = bucketNamed('builds', { namespace: 'team-a', versioning: 'Enabled' });
const THEIRS = bucketNamed('builds', { namespace: 'team-b', versioning: 'Enabled' });

describe('content of a bucket that no resource names any more', () => {
  it('is not what another tenant gets who takes the name', async () => {
    const { core, put, text } = testCore();
    const version = await put(OURS, 'secret', 'ours');
    const session = await core.uploads.begin(
      OURS,
      'up',
      { headers: {}, metadata: {}, tags: {}, storageClass: 'STANDARD' },
      undefined,
      ACTOR,
    );
    await assert.rejects(core.objects.get(THEIRS, 'secret'), { code: 'NameUnknown' });
    await assert.rejects(core.objects.get(THEIRS, 'secret', version.versionId), { code: 'VersionUnknown' });
    await assert.rejects(core.uploads.find(THEIRS, 'up', session.uploadId), { code: 'UploadUnknown' });
    assert.deepEqual((await core.objects.listVersions(THEIRS, { prefix: '', limit: 10 })).versions, []);
    assert.deepEqual((await core.collection.explain(sha256Digest(version.digest.slice('sha256:'.length)))).names, []);

    await put(THEIRS, 'secret', 'theirs');
    await core.objects.empty(THEIRS, ACTOR);
    assert.equal(await text(OURS, 'secret'), 'ours');
    assert.equal((await core.uploads.find(OURS, 'up', session.uploadId)).key, 'up');
    await assert.rejects(core.objects.get(THEIRS, 'secret'), { code: 'NameUnknown' });
  });

  it('waits for its tenant, also while another has the name and gives it up', async () => {
    const { core, put, text, pass } = testCore();
    await put(OURS, 'k', 'ours');
    await core.configuration.createBucket('builds', 'team-b', ACTOR);
    await core.objects.list(THEIRS, { prefix: '', limit: 1 });
    await core.configuration.deleteBucket(THEIRS, ACTOR);
    pass(48 * HOUR);
    await core.collection.collect(STILL);
    assert.equal(await text(OURS, 'k'), 'ours');
  });

  it('goes with deletionPolicy Delete, though another tenant has the name', async () => {
    const { core, put, pass, keys } = testCore({ claimed: () => new Set(['builds']) });
    await put({ ...OURS, deletionPolicy: 'Delete' }, 'k', 'ours');
    await put(THEIRS, 'k', 'theirs');
    for (let round = 0; round < 5; round++) {
      pass(2 * HOUR);
      await core.collection.collect(STILL);
    }
    assert.equal((await keys('head/')).length, 1);
    assert.deepEqual(await keys('kept/'), []);
  });

  it('is never what is in use, whatever an interrupted change of hands left behind', async () => {
    const { core, put, text, pass, store } = testCore();
    const ours = { ...OURS, deletionPolicy: 'Delete' } as const;
    await put(ours, 'k', 'ours');
    const [record] = await store.records.scan({ prefix: 'bucket/', limit: 1 });
    assert.ok(record && 'value' in record);
    await store.records.write([{ put: 'kept/team-a/builds', value: { ...(record.value as object), unclaimed: 1 } }]);
    await core.configuration.createBucket('builds', 'team-a', ACTOR);
    for (let round = 0; round < 3; round++) {
      pass(2 * HOUR);
      await core.collection.collect(STILL);
    }
    assert.equal(await text(ours, 'k'), 'ours');
  });
});
