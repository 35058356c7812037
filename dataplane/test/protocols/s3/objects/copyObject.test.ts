import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { openStage } from './stage.ts';
import type { Ask, Stage } from './stage.ts';

const BODY = 'source bytes';

async function stageWithSource(): Promise<Stage> {
  const stage = openStage();
  await stage.put('/plain/from', BODY, {
    'content-type': 'text/plain',
    'x-amz-meta-a': '1',
    'x-amz-tagging': 'team=a',
    'x-amz-storage-class': 'STANDARD_IA',
    'x-amz-website-redirect-location': '/x',
  });
  return stage;
}

const copy = (stage: Stage, target: string, headers: Record<string, string> = {}, more: Partial<Ask> = {}) =>
  stage.ask({ method: 'PUT', target, headers: { 'x-amz-copy-source': '/plain/from', ...headers }, body: '', ...more });

describe('CopyObject', () => {
  it('names the same bytes, with metadata and tags but without class and redirect', async () => {
    const stage = await stageWithSource();
    const blobsBefore = await stage.keys('digest/');
    const answer = await copy(stage, '/other/to');
    assert.equal(answer.status, 200);
    assert.equal(answer.element('ETag'), `"${createHash('md5').update(BODY).digest('hex')}"`);
    assert.equal(answer.element('ChecksumCRC64NVME'), await checksumOf('CRC64NVME', Buffer.from(BODY)));
    assert.match(answer.element('LastModified')!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    const read = await stage.get('/other/to');
    assert.equal(read.text, BODY);
    assert.equal(read.headers['content-type'], 'text/plain');
    assert.equal(read.headers['x-amz-meta-a'], '1');
    assert.equal(read.headers['x-amz-tagging-count'], '1');
    assert.equal(read.headers['x-amz-storage-class'], undefined);
    assert.equal(read.headers['x-amz-website-redirect-location'], undefined);
    assert.deepEqual(await stage.keys('digest/'), blobsBefore, 'no byte was stored again');
  });

  it('REPLACE takes everything from the request', async () => {
    const stage = await stageWithSource();
    const directives = { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-tagging-directive': 'REPLACE' };
    await copy(stage, '/plain/to', {
      ...directives,
      'content-type': 'a/b',
      'x-amz-meta-b': '2',
      'x-amz-tagging': 'x=1&y=2',
      'x-amz-storage-class': 'ONEZONE_IA',
    });
    const { headers } = await stage.get('/plain/to');
    assert.equal(headers['content-type'], 'a/b');
    assert.equal(headers['x-amz-meta-a'], undefined);
    assert.equal(headers['x-amz-meta-b'], '2');
    assert.equal(headers['x-amz-tagging-count'], '2');
    assert.equal(headers['x-amz-storage-class'], 'ONEZONE_IA');
  });

  it('onto itself needs a change', async () => {
    const stage = await stageWithSource();
    const same = await copy(stage, '/plain/from', { 'x-amz-storage-class': 'STANDARD_IA' });
    assert.deepEqual([same.status, same.element('Code')], [400, 'InvalidRequest']);
    assert.equal((await copy(stage, '/plain/from', { 'x-amz-metadata-directive': 'REPLACE' })).status, 200);
    assert.equal((await copy(stage, '/plain/from', { 'x-amz-storage-class': 'GLACIER_IR' })).status, 200);
  });

  it('brings an old version back', async () => {
    const stage = openStage();
    const old = (await stage.put('/kept/k', 'old')).headers['x-amz-version-id']!;
    await stage.put('/kept/k', 'new');
    const answer = await copy(stage, '/kept/k', { 'x-amz-copy-source': `kept/k?versionId=${old}` });
    assert.equal(answer.headers['x-amz-copy-source-version-id'], old);
    assert.notEqual(answer.headers['x-amz-version-id'], old);
    assert.equal((await stage.get('/kept/k')).text, 'old');
  });

  it('computes another checksum when asked', async () => {
    const stage = await stageWithSource();
    const answer = await copy(stage, '/plain/to', { 'x-amz-checksum-algorithm': 'SHA256' });
    assert.equal(answer.element('ChecksumSHA256'), await checksumOf('SHA256', Buffer.from(BODY)));
    assert.equal(
      (await stage.get('/plain/to', { 'x-amz-checksum-mode': 'ENABLED' })).headers['x-amz-checksum-sha256'],
      answer.element('ChecksumSHA256'),
    );
    assert.equal((await copy(stage, '/plain/to', { 'x-amz-checksum-algorithm': 'MD5' })).element('Code'), 'InvalidRequest');
  });

  it('a publisher copies to new names only', async () => {
    const stage = await stageWithSource();
    assert.equal((await copy(stage, '/plain/to', {}, { as: 'publisher' })).status, 200);
    assert.equal((await copy(stage, '/plain/to', {}, { as: 'publisher' })).status, 403);
    assert.equal((await copy(stage, '/plain/to', { 'x-amz-checksum-algorithm': 'SHA1' }, { as: 'publisher' })).status, 403);
  });

  it('lets no held bytes out under another name', async () => {
    const stage = await stageWithSource();
    stage.held.add(`sha256:${createHash('sha256').update(BODY).digest('hex')}`);
    assert.equal((await copy(stage, '/plain/to')).status, 403);
    assert.equal((await stage.get('/plain/to')).status, 404);
  });

  const etag = `"${createHash('md5').update(BODY).digest('hex')}"`;
  const past = 'Thu, 01 Jan 2015 00:00:00 GMT';
  const refusals: readonly (readonly [what: string, headers: Record<string, string>, more: Partial<Ask>, status: number, code: string])[] =
    [
      ['a source that is not there', { 'x-amz-copy-source': 'plain/none' }, {}, 404, 'NoSuchKey'],
      ['the same for one who sees nothing', { 'x-amz-copy-source': 'plain/none' }, { denied: ['s3:ListBucket'] }, 403, 'AccessDenied'],
      ['a source bucket that is not there', { 'x-amz-copy-source': 'nowhere/k' }, {}, 404, 'NoSuchBucket'],
      ['a malformed source', { 'x-amz-copy-source': 'plain' }, {}, 400, 'InvalidArgument'],
      ['a source that may not be read', {}, { as: 'dropper' }, 403, 'AccessDenied'],
      [
        'a version that may not be read',
        { 'x-amz-copy-source': 'plain/from?versionId=null' },
        { denied: ['s3:GetObjectVersion'] },
        403,
        'AccessDenied',
      ],
      ['tags that may not be read', {}, { denied: ['s3:GetObjectTagging'] }, 403, 'AccessDenied'],
      ['tags that may not be set', {}, { denied: ['s3:PutObjectTagging'] }, 403, 'AccessDenied'],
      ['an unknown metadata directive', { 'x-amz-metadata-directive': 'MERGE' }, {}, 400, 'InvalidArgument'],
      ['an unknown tagging directive', { 'x-amz-tagging-directive': 'copy' }, {}, 400, 'InvalidArgument'],
      ['another source owner', { 'x-amz-source-expected-bucket-owner': '1' }, {}, 403, 'AccessDenied'],
      ['a source with another ETag', { 'x-amz-copy-source-if-match': '"x"' }, {}, 412, 'PreconditionFailed'],
      ['a source with this ETag', { 'x-amz-copy-source-if-none-match': etag }, {}, 412, 'PreconditionFailed'],
      ['a source modified since', { 'x-amz-copy-source-if-unmodified-since': past }, {}, 412, 'PreconditionFailed'],
      [
        'a source not modified since',
        { 'x-amz-copy-source-if-modified-since': new Date(Date.now() + 86_400_000).toUTCString() },
        {},
        412,
        'PreconditionFailed',
      ],
      ['a target with another ETag', { 'if-match': '"x"' }, {}, 404, 'NoSuchKey'],
      ['encryption', { 'x-amz-server-side-encryption': 'AES256' }, {}, 501, 'NotImplemented'],
      ['an ACL for others', { 'x-amz-acl': 'public-read' }, {}, 400, 'AccessControlListNotSupported'],
    ];
  for (const [what, headers, more, status, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const stage = await stageWithSource();
      const answer = await copy(stage, '/plain/to', headers, more);
      assert.deepEqual([answer.status, answer.element('Code')], [status, code], answer.text);
      assert.equal((await stage.get('/plain/to')).status, 404);
    });
  }

  it('takes conditions that hold', async () => {
    const stage = await stageWithSource();
    const holding = { 'x-amz-copy-source-if-match': etag, 'x-amz-copy-source-if-unmodified-since': past, 'if-none-match': '*' };
    assert.equal((await copy(stage, '/plain/to', holding)).status, 200);
    assert.equal((await copy(stage, '/plain/to', holding)).status, 412, 'it exists now');
  });

  it('refuses delete markers, as S3 words it', async () => {
    const stage = openStage();
    await stage.put('/kept/k', '1');
    const marker = (await stage.ask({ method: 'DELETE', target: '/kept/k' })).headers['x-amz-version-id']!;
    assert.equal((await copy(stage, '/plain/to', { 'x-amz-copy-source': 'kept/k' })).element('Code'), 'NoSuchKey');
    assert.equal((await copy(stage, '/plain/to', { 'x-amz-copy-source': `kept/k?versionId=${marker}` })).element('Code'), 'InvalidRequest');
  });
});
