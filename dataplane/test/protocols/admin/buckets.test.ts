import assert from 'node:assert/strict';
import { bucketNamed, createStage, NO_ACCESS, objectNamed } from './stage.ts';
import type { Answer } from './stage.ts';

const names = (answer: Answer) => answer.json.buckets.map(({ name }) => name);

describe('buckets in the JSON API', () => {
  it('lists in pages, in order of name, only what the caller may list', async () => {
    const stage = createStage();
    stage.buckets.push(...['delta', 'alpha', 'secret', 'charlie', 'bravo'].map((name) => bucketNamed(name)));
    stage.may = ({ resource }) => resource.bucket !== 'secret';
    const first = await stage.send('GET', '/api/v1/buckets?limit=2');
    assert.deepEqual(names(first), ['alpha', 'bravo']);
    const second = await stage.send('GET', `/api/v1/buckets?limit=2&cursor=${first.json.next}`);
    assert.deepEqual(names(second), ['charlie', 'delta']);
    assert.equal(second.json.next, undefined);
    assert.deepEqual(names(await stage.send('GET', '/api/v1/buckets?prefix=ch')), ['charlie']);
  });

  it('refuses the cursor of another question', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('aaa'), bucketNamed('aab'));
    const { json } = await stage.send('GET', '/api/v1/buckets?limit=1&prefix=aa');
    assert.equal((await stage.send('GET', `/api/v1/buckets?limit=1&cursor=${json.next}`)).json.code, 'InvalidArgument');
  });

  it('shows settings, and cors and tags to those who may read them', async () => {
    const stage = createStage();
    const cors = [{ allowedOrigins: ['*'], allowedMethods: ['GET'] }];
    stage.buckets.push(bucketNamed('builds', { versioning: 'Enabled', immutability: ['releases/**'], cors, tags: { team: 'a' } }));
    const whole = (await stage.send('GET', '/api/v1/buckets/builds')).json;
    assert.deepEqual(whole, {
      name: 'builds',
      namespace: 'team-a',
      location: 'default',
      versioning: 'Enabled',
      immutability: ['releases/**'],
      deletionPolicy: 'Retain',
      origin: { managedBy: 'api', owner: 'api' },
      created: '2026-11-01T00:00:00.000Z',
      cors,
      tags: { team: 'a' },
    });
    stage.may = ({ action }) => action !== 'administer';
    const part = (await stage.send('GET', '/api/v1/buckets/builds')).json;
    assert.deepEqual([part.name, part.cors, part.tags], ['builds', undefined, undefined]);
  });

  it('tells nobody without list whether a bucket exists', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds'));
    stage.may = ({ resource }) => resource.bucket === undefined;
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const [there, absent] = [await stage.send(method, '/api/v1/buckets/builds'), await stage.send(method, '/api/v1/buckets/absent')];
      assert.deepEqual(there.json, absent.json, method);
      assert.equal(there.status, 403);
    }
    stage.may = () => true;
    assert.equal((await stage.send('GET', '/api/v1/buckets/absent')).json.code, 'BucketUnknown');
  });

  it('creates a bucket with its settings in one step', async () => {
    const stage = createStage();
    const answer = await stage.send('PUT', '/api/v1/buckets/builds', { body: { versioning: 'Enabled', tags: { team: 'a' } } });
    assert.deepEqual([answer.status, answer.headers.location], [201, '/api/v1/buckets/builds']);
    assert.deepEqual([answer.json.namespace, answer.json.versioning, answer.json.tags], ['team-a', 'Enabled', { team: 'a' }]);
    assert.deepEqual(stage.done, ['create builds in team-a']);
  });

  it('changes just the settings that the body holds', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds', { versioning: 'Enabled', tags: { keep: 'me' } }));
    const answer = await stage.send('PUT', '/api/v1/buckets/builds', { body: { versioning: 'Suspended' } });
    assert.deepEqual([answer.status, answer.json.versioning, answer.json.tags], [200, 'Suspended', { keep: 'me' }]);
    assert.deepEqual(stage.done, ['update builds versioning']);
    await stage.send('PUT', '/api/v1/buckets/builds');
    assert.equal(stage.done.length, 1, 'nothing to change, nothing done');
  });

  it('asks for the S3 action of every setting before it changes any', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds'));
    stage.may = ({ s3Action }) => s3Action !== 's3:PutBucketTagging';
    const answer = await stage.send('PUT', '/api/v1/buckets/builds', { body: { versioning: 'Enabled', tags: {} } });
    assert.deepEqual([answer.status, stage.done], [403, []]);
    assert.equal((await stage.send('PUT', '/api/v1/buckets/builds', { body: { versioning: 'Enabled' } })).status, 200);
  });

  it('does not read the body of who may change nothing', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds'));
    stage.may = ({ action }) => action !== 'administer';
    assert.equal((await stage.send('PUT', '/api/v1/buckets/builds', { rawBody: '{' })).json.code, 'AccessDenied');
    assert.equal((await stage.send('PUT', '/api/v1/buckets/absent', { rawBody: '{' })).json.code, 'AccessDenied');
  });

  it('refuses to move a bucket to another namespace', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds'));
    const answer = await stage.send('PUT', '/api/v1/buckets/builds', { body: { namespace: 'team-b' } });
    assert.deepEqual([answer.status, answer.json.code], [409, 'Conflict']);
  });

  it('deletes; with force, what is in it first', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('builds'));
    assert.equal((await stage.send('DELETE', '/api/v1/buckets/builds')).status, 204);
    assert.deepEqual(stage.done, ['delete builds']);
    assert.equal((await stage.send('DELETE', '/api/v1/buckets/builds?force=true')).status, 204);
    assert.deepEqual(stage.done, ['delete builds', 'empty builds', 'delete builds']);
  });

  it('removes nothing when something must stay', async () => {
    const stage = createStage();
    stage.buckets.push(
      bucketNamed('git', { origin: { managedBy: 'manifests', owner: 'team-a.yaml' } }),
      bucketNamed('kept', { immutability: ['r/**'] }),
      bucketNamed('mixed'),
    );
    for (const bucket of ['git', 'kept', 'mixed']) stage.objects.set(bucket, [objectNamed('a'), objectNamed('r/1')]);
    stage.may = ({ s3Action, resource }) =>
      !(s3Action === 's3:DeleteObjectVersion' && resource.bucket === 'mixed' && resource.name === 'r/1');
    const codes = [];
    for (const bucket of ['git', 'kept', 'mixed'])
      codes.push((await stage.send('DELETE', `/api/v1/buckets/${bucket}?force=true`)).json.code);
    assert.deepEqual(codes, ['ManagedElsewhere', 'Immutable', 'AccessDenied']);
    assert.deepEqual(stage.done, []);
  });

  it('passes on what the configuration refuses', async () => {
    const stage = createStage({ access: NO_ACCESS });
    assert.equal((await stage.send('PUT', '/api/v1/buckets/builds')).json.detail, 'No binding lets you create a bucket of this name.');
  });

  it('creates in another namespace for who owns the installation only', async () => {
    const stage = createStage();
    await stage.send('PUT', '/api/v1/buckets/one', { body: { namespace: 'team-b' } });
    stage.may = ({ resource, action }) => resource.bucket !== undefined || action === 'list';
    assert.equal((await stage.send('PUT', '/api/v1/buckets/two', { body: { namespace: 'team-b' } })).json.code, 'AccessDenied');
    await stage.send('PUT', '/api/v1/buckets/two', { body: { namespace: 'team-a' } });
    assert.deepEqual(stage.done, ['create one in team-b', 'create two in team-a']);
  });
});
