import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { openStage } from './stage.ts';
import type { Asker, Stage } from './stage.ts';

describe('GetObjectAttributes', () => {
  const ask = (stage: Stage, wanted: string, asker: Asker = {}) =>
    stage.get('/plain/k?attributes', { 'x-amz-object-attributes': wanted }, asker);

  it('answers what is asked for, and nothing else', async () => {
    const stage = openStage();
    await stage.put('/plain/k', 'hello');
    const all = await ask(stage, 'ETag,Checksum,ObjectParts,StorageClass,ObjectSize');
    assert.equal(all.element('ETag'), createHash('md5').update('hello').digest('hex'), 'without quotes here');
    assert.equal(all.element('ChecksumCRC64NVME'), await checksumOf('CRC64NVME', Buffer.from('hello')));
    assert.equal(all.element('ChecksumType'), 'FULL_OBJECT');
    assert.deepEqual([all.element('StorageClass'), all.element('ObjectSize')], ['STANDARD', '5']);
    assert.ok(!all.text.includes('ObjectParts'));
    assert.ok(all.headers['last-modified']);
    const size = await ask(stage, 'ObjectSize');
    assert.match(size.text, /<GetObjectAttributesResponse[^>]*><ObjectSize>5<\/ObjectSize><\/GetObjectAttributesResponse>$/);
  });

  it('refuses unknown attributes, and callers without either right', async () => {
    const stage = openStage();
    await stage.put('/plain/k', 'hello');
    for (const wanted of ['', 'Owner', 'ETag,Owner']) assert.equal((await ask(stage, wanted)).element('Code'), 'InvalidArgument', wanted);
    assert.equal((await ask(stage, 'ETag', { denied: ['s3:GetObject'] })).status, 403);
    assert.equal((await ask(stage, 'ETag', { denied: ['s3:GetObjectAttributes'] })).status, 403);
    assert.equal((await stage.get('/plain/none?attributes', { 'x-amz-object-attributes': 'ETag' })).status, 404);
    const bad = await stage.get('/plain/k?attributes', { 'x-amz-object-attributes': 'ETag', 'x-amz-max-parts': 'many' });
    assert.equal(bad.element('Code'), 'InvalidArgument');
  });
});

describe('object tagging', () => {
  const tagging = (tags: Record<string, string>) =>
    `<Tagging><TagSet>${Object.entries(tags)
      .map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
      .join('')}</TagSet></Tagging>`;

  it('sets, gets and removes tags of the current and of older versions', async () => {
    const stage = openStage();
    const old = (await stage.put('/kept/k', '1')).headers['x-amz-version-id']!;
    await stage.put('/kept/k', '2');
    const set = await stage.ask({ method: 'PUT', target: `/kept/k?tagging&versionId=${old}`, body: tagging({ a: '1' }) });
    assert.deepEqual([set.status, set.headers['x-amz-version-id']], [200, old]);
    assert.deepEqual((await stage.get('/kept/k?tagging')).elements('Key'), []);
    assert.deepEqual((await stage.get(`/kept/k?tagging&versionId=${old}`)).elements('Value'), ['1']);
    const removed = await stage.ask({ method: 'DELETE', target: `/kept/k?tagging&versionId=${old}` });
    assert.equal(removed.status, 204);
    assert.deepEqual((await stage.get(`/kept/k?tagging&versionId=${old}`)).elements('Key'), []);
  });

  it('replaces all of them, and keeps the bytes and their time', async () => {
    const stage = openStage();
    await stage.put('/plain/k', 'x', { 'x-amz-tagging': 'a=1&b=2' });
    const before = await stage.get('/plain/k');
    await stage.ask({ method: 'PUT', target: '/plain/k?tagging', body: tagging({ c: '3' }) });
    assert.deepEqual((await stage.get('/plain/k?tagging')).elements('Key'), ['c']);
    const after = await stage.get('/plain/k');
    assert.deepEqual([after.headers.etag, after.headers['last-modified']], [before.headers.etag, before.headers['last-modified']]);
  });

  const refusals: readonly (readonly [what: string, body: string, asker: Asker, code: string])[] = [
    ['eleven tags', tagging(Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, 'v']))), {}, 'BadRequest'],
    ['aws: tags', tagging({ 'aws:x': '1' }), {}, 'InvalidTag'],
    ['no XML', 'a=1', {}, 'MalformedXML'],
    ['a publisher', tagging({ a: '1' }), { as: 'publisher' }, 'AccessDenied'],
  ];
  for (const [what, body, asker, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const stage = openStage();
      await stage.put('/plain/k', 'x');
      assert.equal((await stage.ask({ method: 'PUT', target: '/plain/k?tagging', body, ...asker })).element('Code'), code);
      assert.deepEqual((await stage.get('/plain/k?tagging')).elements('Key'), []);
    });
  }

  it('of nothing and of markers is refused as S3 does', async () => {
    const stage = openStage();
    assert.equal((await stage.get('/plain/none?tagging')).element('Code'), 'NoSuchKey');
    assert.equal((await stage.get('/plain/none?tagging', {}, { as: 'fetcher' })).element('Code'), 'AccessDenied');
    await stage.put('/kept/k', '1');
    const marker = (await stage.ask({ method: 'DELETE', target: '/kept/k' })).headers['x-amz-version-id']!;
    assert.equal(
      (await stage.ask({ method: 'PUT', target: `/kept/k?tagging&versionId=${marker}`, body: tagging({ a: '1' }) })).status,
      405,
    );
  });
});

describe('object ACLs', () => {
  it('show the owner alone, and accept no other', async () => {
    const stage = openStage();
    await stage.put('/plain/k', 'x');
    const acl = await stage.get('/plain/k?acl');
    assert.deepEqual(acl.elements('Permission'), ['FULL_CONTROL']);
    const put = (headers: Record<string, string>) => stage.ask({ method: 'PUT', target: '/plain/k?acl', headers, body: '' });
    assert.equal((await put({ 'x-amz-acl': 'bucket-owner-full-control' })).status, 200);
    assert.equal((await put({ 'x-amz-acl': 'public-read' })).element('Code'), 'AccessControlListNotSupported');
    assert.equal((await stage.get('/plain/none?acl')).status, 404);
    assert.equal((await stage.get('/plain/k?acl', {}, { denied: ['s3:GetObjectAcl'] })).status, 403);
  });
});
