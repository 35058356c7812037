import assert from 'node:assert/strict';
import { ownerOf } from '../../../../src/protocols/s3/owner.ts';
import { grantsOthers, refuseGrants } from '../../../../src/protocols/s3/acl.ts';
import { bucket, head, perform, snapshot, textOf } from '../fakes.ts';
import type { Request } from '../fakes.ts';

const world = { snapshot: snapshot(bucket('builds')) };
const owner = ownerOf('team-a').id;
const put = (request: Request) => perform(world, 'PUT', '/builds?acl', request);
const grant = (id: string, permission = 'FULL_CONTROL') =>
  `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${id}</ID></Grantee><Permission>${permission}</Permission></Grant>`;
const policy = (grants: string, ownerId = owner) =>
  `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>${ownerId}</ID></Owner><AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`;

describe('Bucket ACLs', () => {
  it('show the owner with full control, and may be put back as they were shown', async () => {
    const { status, body } = await perform(world, 'GET', '/builds?acl');
    assert.equal(status, 200);
    assert.match(body, /<Grantee xmlns:xsi="[^"]+" xsi:type="CanonicalUser"><ID>[0-9a-f]{64}<\/ID>/);
    assert.equal(textOf(body, 'Permission'), 'FULL_CONTROL');
    assert.equal((await put({ body })).status, 200);
  });

  it('accept what is so already', async () => {
    for (const canned of ['private', 'bucket-owner-full-control'])
      assert.equal((await put({ headers: { 'x-amz-acl': canned } })).status, 200);
    assert.equal((await put({ headers: { 'x-amz-grant-full-control': `id="${owner}"` } })).status, 200);
  });

  it('refuse whatever gives somebody else something', async () => {
    const refused: readonly Request[] = [
      { headers: { 'x-amz-acl': 'public-read' } },
      { headers: { 'x-amz-acl': 'authenticated-read' } },
      { headers: { 'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' } },
      { headers: { 'x-amz-grant-full-control': 'id="somebody"' } },
      { headers: { 'x-amz-grant-full-control': `id="${owner}"`, 'x-amz-grant-read': `id="${owner}"` } },
      { body: policy(grant('somebody')) },
      { body: policy(grant(owner) + grant('somebody', 'READ')) },
      { body: policy(grant(owner, 'READ')) },
      { body: policy('') },
      { body: policy(grant(owner), 'somebody') },
    ];
    for (const request of refused) {
      const { status, body } = await put(request);
      assert.deepEqual([status, textOf(body, 'Code')], [400, 'AccessControlListNotSupported'], JSON.stringify(request));
    }
  });

  it('refuse what is no ACL, none, or two at once', async () => {
    assert.equal(textOf((await put({ headers: { 'x-amz-acl': 'everyone' } })).body, 'Code'), 'InvalidArgument');
    assert.equal(textOf((await put({})).body, 'Code'), 'MissingSecurityHeader');
    assert.equal(textOf((await put({ body: '<AccessControlPolicy/>' })).body, 'Code'), 'MalformedXML');
    assert.equal(
      textOf((await put({ headers: { 'x-amz-acl': 'private' }, body: policy(grant(owner)) })).body, 'Code'),
      'UnexpectedContent',
    );
    assert.equal(textOf((await put({ headers: { 'x-amz-acl': 'private', 'x-amz-grant-read': 'id=x' } })).body, 'Code'), 'InvalidRequest');
  });

  it('on writes are judged by the same rule, in the query of a presigned URL too', () => {
    assert.equal(grantsOthers(head('PUT', '/b/k')), false);
    assert.equal(grantsOthers(head('PUT', '/b/k', { headers: { 'x-amz-acl': 'private' } })), false);
    assert.throws(() => refuseGrants(head('PUT', '/b/k', { headers: { 'x-amz-acl': 'public-read' } })), { code: 'AclUnsupported' });
    assert.throws(() => refuseGrants(head('PUT', '/b/k', { headers: { 'x-amz-grant-read': 'id=x' } })), { code: 'AclUnsupported' });
    assert.throws(() => refuseGrants(head('PUT', '/b/k?x-amz-acl=public-read&X-Amz-Signature=x')), { code: 'AclUnsupported' });
  });
});

describe('Object ownership', () => {
  const ownership = (value: string) => `<OwnershipControls><Rule><ObjectOwnership>${value}</ObjectOwnership></Rule></OwnershipControls>`;

  it('is enforced for the bucket owner, and stays so', async () => {
    assert.equal(textOf((await perform(world, 'GET', '/builds?ownershipControls')).body, 'ObjectOwnership'), 'BucketOwnerEnforced');
    assert.equal((await perform(world, 'PUT', '/builds?ownershipControls', { body: ownership('BucketOwnerEnforced') })).status, 200);
    assert.equal((await perform(world, 'DELETE', '/builds?ownershipControls')).status, 204);
  });

  it('of another kind is refused', async () => {
    for (const [value, code] of [
      ['ObjectWriter', 'NotImplemented'],
      ['BucketOwnerPreferred', 'NotImplemented'],
      ['Nobody', 'InvalidArgument'],
    ] as const) {
      const { body } = await perform(world, 'PUT', '/builds?ownershipControls', { body: ownership(value) });
      assert.equal(textOf(body, 'Code'), code);
    }
    assert.equal(
      textOf((await perform(world, 'PUT', '/builds?ownershipControls', { body: '<OwnershipControls/>' })).body, 'Code'),
      'MalformedXML',
    );
  });
});
