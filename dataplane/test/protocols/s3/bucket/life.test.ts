import assert from 'node:assert/strict';
import { bucket, perform, recordingConfiguration, REGION, snapshot, TEAM_A, textOf } from '../fakes.ts';
import type { Request, World } from '../fakes.ts';

const codeOf = async (answer: ReturnType<typeof perform>) => textOf((await answer).body, 'Code');

describe('CreateBucket', () => {
  const create = async (request: Request = {}, world: World = {}) => {
    const { configuration, told } = recordingConfiguration();
    const answer = await perform({ ...world, core: { configuration } }, 'PUT', '/builds', request);
    return { ...answer, told };
  };
  const configured = (inner: string): Request => ({
    body: `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</CreateBucketConfiguration>`,
  });

  it('makes it in the tenant that the credential comes from', async () => {
    const { status, headers, told } = await create({}, { principal: TEAM_A });
    assert.deepEqual([status, headers.location], [200, '/builds']);
    assert.deepEqual(told, [['createBucket', 'builds', 'team-a', {}]]);
    assert.deepEqual((await create()).told, [['createBucket', 'builds', 'bonded-system', {}]]);
  });

  it('is told apart: yours already, or another tenant has the name', async () => {
    const world = { snapshot: snapshot(bucket('builds', { namespace: 'team-a' })) };
    const mine = await create({}, { ...world, principal: TEAM_A });
    assert.deepEqual([mine.status, textOf(mine.body, 'Code'), textOf(mine.body, 'BucketName')], [409, 'BucketAlreadyOwnedByYou', 'builds']);
    const other = await create({}, { ...world, may: ({ s3Action }) => s3Action === 's3:CreateBucket' });
    assert.deepEqual([other.status, textOf(other.body, 'Code')], [409, 'BucketAlreadyExists']);
    assert.deepEqual([...mine.told, ...other.told], []);
    assert.equal(textOf((await create({}, world)).body, 'Code'), 'BucketAlreadyOwnedByYou', 'to who administers it');
  });

  it('takes the region that this is, and no other', async () => {
    for (const inner of ['', '<LocationConstraint/>', `<LocationConstraint>${REGION}</LocationConstraint>`])
      assert.equal((await create(configured(inner))).status, 200);
    const elsewhere = await create(configured('<LocationConstraint>us-west-2</LocationConstraint>'));
    assert.deepEqual(
      [elsewhere.status, textOf(elsewhere.body, 'Code'), elsewhere.told.length],
      [400, 'IllegalLocationConstraintException', 0],
    );
    assert.equal(textOf((await create(configured('<LocationConstraint>a b</LocationConstraint>'))).body, 'Code'), 'InvalidArgument');
  });

  it('takes first tags', async () => {
    const { told } = await create(configured('<Tags><Tag><Key>team</Key><Value>a</Value></Tag></Tags>'));
    assert.deepEqual(told, [['createBucket', 'builds', 'bonded-system', { tags: { team: 'a' } }]]);
  });

  it('refuses what it cannot give, instead of leaving it out', async () => {
    const refused: readonly (readonly [request: Request, status: number, code: string])[] = [
      [{ headers: { 'x-amz-bucket-object-lock-enabled': 'true' } }, 501, 'NotImplemented'],
      [{ headers: { 'x-amz-object-ownership': 'ObjectWriter' } }, 501, 'NotImplemented'],
      [{ headers: { 'x-amz-object-ownership': 'X' } }, 400, 'InvalidArgument'],
      [{ headers: { 'x-amz-acl': 'public-read' } }, 400, 'InvalidBucketAclWithObjectOwnership'],
      [{ headers: { 'x-amz-grant-read': 'id=x' } }, 400, 'InvalidBucketAclWithObjectOwnership'],
      [{ headers: { 'x-amz-acl': 'nonsense' } }, 400, 'InvalidArgument'],
      [configured('<Bucket><Type>Directory</Type></Bucket>'), 501, 'NotImplemented'],
      [configured('<Unheard/>'), 400, 'MalformedXML'],
      [{ body: '<Other/>' }, 400, 'MalformedXML'],
      [{ body: 'junk' }, 400, 'MalformedXML'],
    ];
    for (const [request, status, code] of refused) {
      const answer = await create(request);
      assert.deepEqual([answer.status, textOf(answer.body, 'Code'), answer.told.length], [status, code, 0], JSON.stringify(request));
    }
    const harmless = {
      'x-amz-bucket-object-lock-enabled': 'false',
      'x-amz-object-ownership': 'BucketOwnerEnforced',
      'x-amz-acl': 'private',
    };
    assert.equal((await create({ headers: harmless })).status, 200);
  });

  it('needs administer', async () => {
    const { status, told } = await create({}, { may: ({ action }) => action !== 'administer' });
    assert.deepEqual([status, told.length], [403, 0]);
  });
});

describe('HeadBucket and GetBucketLocation', () => {
  const world = { snapshot: snapshot(bucket('builds')) };

  it('say that it is there, and where', async () => {
    const { status, headers, body } = await perform(world, 'HEAD', '/builds');
    assert.deepEqual([status, headers['x-amz-bucket-region'], body], [200, REGION, '']);
    assert.equal(textOf((await perform(world, 'GET', '/builds?location')).body, 'LocationConstraint'), REGION);
  });

  it('say NoSuchBucket only to who may know', async () => {
    assert.equal(await codeOf(perform(world, 'GET', '/nothing?location')), 'NoSuchBucket');
    const nobody = { ...world, may: () => false };
    for (const name of ['builds', 'nothing']) assert.equal(await codeOf(perform(nobody, 'GET', `/${name}?location`)), 'AccessDenied');
  });

  it('hold to the owner that the request expects', async () => {
    const expecting = (owner: string) => perform(world, 'HEAD', '/builds', { headers: { 'x-amz-expected-bucket-owner': owner } });
    assert.equal((await expecting('team-a')).status, 200);
    assert.equal((await expecting('123456789012')).status, 403);
  });
});

describe('DeleteBucket', () => {
  const FORCE = { headers: { 'x-bonded-force-delete': 'true' } };
  const remove = async (world: World, request: Request) => {
    const { configuration, told } = recordingConfiguration();
    const emptied: string[] = [];
    const objects = { empty: async ({ name }: { name: string }) => void emptied.push(name) };
    const answer = await perform(
      { snapshot: snapshot(bucket('builds')), ...world, core: { configuration, objects } },
      'DELETE',
      '/builds',
      request,
    );
    return { ...answer, told, emptied };
  };

  it('leaves it to the configuration to refuse one that is not empty', async () => {
    const { status, told, emptied } = await remove({}, {});
    assert.deepEqual([status, told, emptied], [204, [['deleteBucket', 'builds']], []]);
  });

  it('empties it first when forced', async () => {
    const { status, told, emptied } = await remove({}, FORCE);
    assert.deepEqual([status, told, emptied], [204, [['deleteBucket', 'builds']], ['builds']]);
  });

  it('removes nothing unless every way of deleting every name is allowed', async () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload']) {
      const { status, told, emptied } = await remove({ may: ({ s3Action }) => s3Action !== action }, FORCE);
      assert.deepEqual([status, told, emptied], [403, [], []], action);
    }
    assert.equal((await remove({ may: ({ action }) => action !== 'delete' }, {})).status, 204, 'an empty one needs none of them');
  });

  it('removes nothing of what is managed elsewhere', async () => {
    const managed = await remove({ snapshot: snapshot(bucket('builds', { origin: { managedBy: 'manifests', owner: 'argocd' } })) }, FORCE);
    assert.deepEqual([managed.status, textOf(managed.body, 'Code'), managed.emptied], [409, 'InvalidBucketState', []]);
    assert.match(managed.body, /argocd/);
  });

  it('takes only true or false for an answer', async () => {
    assert.equal((await remove({}, { headers: { 'x-bonded-force-delete': 'yes' } })).failed, 'InvalidArgument');
    assert.deepEqual((await remove({}, { headers: { 'x-bonded-force-delete': 'false' } })).emptied, []);
  });
});
