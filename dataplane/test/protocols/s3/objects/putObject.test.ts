import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { BUCKETS, openStage } from './stage.ts';
import type { Ask } from './stage.ts';

const sha256 = (body: string) => createHash('sha256').update(body).digest();
const md5 = (body: string) => createHash('md5').update(body).digest();

describe('PutObject', () => {
  it('stores bytes, and answers their digests', async () => {
    const { put, get } = openStage();
    const answer = await put('/plain/a/b.txt', 'hello', { 'content-type': 'text/plain', 'x-amz-meta-build': '7' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.etag, `"${md5('hello').toString('hex')}"`);
    assert.equal(answer.headers['repr-digest'], `sha-256=:${sha256('hello').toString('base64')}:`);
    assert.equal(answer.headers['x-amz-checksum-crc64nvme'], await checksumOf('CRC64NVME', Buffer.from('hello')));
    assert.equal(answer.headers['x-amz-checksum-type'], 'FULL_OBJECT');
    assert.equal(answer.headers['x-amz-version-id'], undefined);
    const read = await get('/plain/a/b.txt');
    assert.equal(read.text, 'hello');
    assert.equal(read.headers['content-type'], 'text/plain');
    assert.equal(read.headers['x-amz-meta-build'], '7');
  });

  it('keeps bytes whose buffers are used again, whatever their size', async () => {
    const { put, get } = openStage();
    const body = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 31) % 251));
    assert.equal((await put('/plain/big', body)).status, 200);
    assert.deepEqual((await get('/plain/big')).bytes, body);
  });

  it('answers a version id where versions are kept', async () => {
    const { put } = openStage();
    assert.match((await put('/kept/a', '1')).headers['x-amz-version-id']!, /^[0-9A-Za-z._-]{8,}$/);
    assert.equal((await put('/paused/a', '1')).headers['x-amz-version-id'], 'null');
  });

  it('takes every checksum that it announces, as header and as trailer', async () => {
    const { put, get, ask } = openStage();
    for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
      const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const value = await checksumOf(algorithm, Buffer.from('hello'));
      assert.equal((await put('/plain/h', 'hello', { [name]: value })).headers[name], value);
      const trailing = {
        method: 'PUT',
        target: '/plain/t',
        body: 'hello',
        headers: { 'x-amz-trailer': name, 'x-amz-sdk-checksum-algorithm': algorithm },
      };
      const answer = await ask({ ...trailing, trailers: { [name]: value } });
      assert.equal(answer.headers[name], value);
      const read = await get('/plain/t', { 'x-amz-checksum-mode': 'ENABLED' });
      assert.equal(read.headers[name], value);
      assert.equal(
        (await ask({ ...trailing, trailers: { [name]: await checksumOf(algorithm, Buffer.from('hellp')) } })).element('Code'),
        'BadDigest',
      );
      assert.equal((await ask(trailing)).status, 400, 'the trailer did not come');
    }
  });

  const wrong = sha256('other').toString('base64');
  const refusals: readonly (readonly [what: string, ask: Partial<Ask>, status: number, code: string])[] = [
    ['bad base64 in Content-MD5', { headers: { 'content-md5': 'nonsense' } }, 400, 'InvalidDigest'],
    ['another Content-MD5', { headers: { 'content-md5': md5('other').toString('base64') } }, 400, 'BadDigest'],
    ['another checksum', { headers: { 'x-amz-checksum-sha256': wrong } }, 400, 'BadDigest'],
    ['a checksum of the wrong length', { headers: { 'x-amz-checksum-crc32': wrong } }, 400, 'InvalidRequest'],
    ['two checksums', { headers: { 'x-amz-checksum-sha256': wrong, 'x-amz-checksum-crc32': 'AAAAAA==' } }, 400, 'InvalidRequest'],
    ['an unknown checksum', { headers: { 'x-amz-checksum-xxhash128': wrong } }, 400, 'InvalidRequest'],
    ['an announced algorithm that does not come', { headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32' } }, 400, 'InvalidRequest'],
    ['another Repr-Digest', { headers: { 'repr-digest': `sha-256=:${wrong}:` } }, 400, 'BadDigest'],
    ['another Content-Digest', { headers: { 'content-digest': `sha-256=:${wrong}:` } }, 400, 'BadDigest'],
    ['a Repr-Digest without sha-256', { headers: { 'repr-digest': `sha-512=:${wrong}:` } }, 400, 'InvalidDigest'],
    ['a malformed Repr-Digest', { headers: { 'repr-digest': 'sha-256=abc' } }, 400, 'InvalidDigest'],
    ['another signed SHA-256', { signedSha256: sha256('other').toString('hex') }, 400, 'XAmzContentSHA256Mismatch'],
    [
      'digests that contradict each other',
      { signedSha256: sha256('hello').toString('hex'), headers: { 'repr-digest': `sha-256=:${wrong}:` } },
      400,
      'BadDigest',
    ],
    ['no length', { lengthless: true }, 411, 'MissingContentLength'],
    ['a part of an object', { headers: { 'content-range': 'bytes 0-4/10' } }, 400, 'InvalidArgument'],
    ['5 TiB and a byte', { length: 5 * 1024 ** 4 + 1 }, 400, 'EntityTooLarge'],
    ['fewer bytes than declared', { length: 6 }, 400, 'IncompleteBody'],
    ['an ACL for others', { headers: { 'x-amz-acl': 'public-read' } }, 400, 'AccessControlListNotSupported'],
    ['encryption', { headers: { 'x-amz-server-side-encryption': 'aws:kms' } }, 501, 'NotImplemented'],
    ['an archive class', { headers: { 'x-amz-storage-class': 'GLACIER' } }, 400, 'InvalidStorageClass'],
    ['object lock', { headers: { 'x-amz-object-lock-mode': 'COMPLIANCE' } }, 400, 'InvalidRequest'],
    ['an unknown bucket', { target: '/nowhere/a' }, 404, 'NoSuchBucket'],
    ['another owner', { headers: { 'x-amz-expected-bucket-owner': '111122223333' } }, 403, 'AccessDenied'],
    ['no permission', { as: 'reader' }, 403, 'AccessDenied'],
    ['tags without permission', { headers: { 'x-amz-tagging': 'a=b' }, denied: ['s3:PutObjectTagging'] }, 403, 'AccessDenied'],
    ['If-None-Match with an ETag', { headers: { 'if-none-match': '"a"' } }, 501, 'NotImplemented'],
    ['If-Match on nothing', { headers: { 'if-match': '"a"' } }, 404, 'NoSuchKey'],
    [
      'If-Match on nothing by one who sees nothing',
      { headers: { 'if-match': '"a"' }, as: 'maintainer', denied: ['s3:ListBucket'] },
      403,
      'AccessDenied',
    ],
    ['If-Match by one who may not read', { headers: { 'if-match': '"a"' }, as: 'dropper' }, 403, 'AccessDenied'],
  ];
  for (const [what, more, status, code] of refusals) {
    it(`refuses ${what}, and stores nothing`, async () => {
      const { ask, get, keys } = openStage();
      const answer = await ask({ method: 'PUT', target: '/plain/k', body: 'hello', ...more });
      assert.deepEqual([answer.status, answer.element('Code')], [status, code], answer.text);
      assert.equal((await get('/plain/k')).status, 404);
      assert.deepEqual(await keys('digest/'), []);
    });
  }

  it('accepts digests that are right, beside those it does not know', async () => {
    const { ask } = openStage();
    const right = `sha-512=:AAAA:, sha-256=:${sha256('hello').toString('base64')}:`;
    const headers = { 'repr-digest': right, 'content-digest': right, 'content-md5': md5('hello').toString('base64') };
    assert.equal(
      (await ask({ method: 'PUT', target: '/plain/k', body: 'hello', headers, signedSha256: sha256('hello').toString('hex') })).status,
      200,
    );
  });

  it('a presigned URL carries headers in its query', async () => {
    const { ask, get } = openStage();
    const query = 'X-Amz-Signature=f00&x-amz-meta-a=gr%C3%BCn&x-amz-storage-class=STANDARD_IA&x-amz-sdk-checksum-algorithm=CRC32';
    assert.equal((await ask({ method: 'PUT', target: `/plain/k?${query}`, body: 'x' })).status, 200);
    const read = await get('/plain/k');
    assert.equal(read.headers['x-amz-meta-a'], '=?UTF-8?B?Z3LDvG4=?=');
    assert.equal(read.headers['x-amz-storage-class'], 'STANDARD_IA');
    assert.equal((await ask({ method: 'PUT', target: '/plain/k?x-amz-meta-b=1', body: 'x' })).status, 200);
    assert.equal((await get('/plain/k')).headers['x-amz-meta-b'], undefined, 'nobody signed this query');
    const empty = await checksumOf('CRC32', Buffer.alloc(0));
    const baked = `/plain/k?X-Amz-Signature=f00&x-amz-checksum-crc32=${encodeURIComponent(empty)}`;
    assert.equal((await ask({ method: 'PUT', target: baked, body: 'x' })).element('Code'), 'BadDigest');
  });

  it('If-None-Match: * and If-Match hold', async () => {
    const { put } = openStage();
    const first = await put('/plain/k', '1', { 'if-none-match': '*' });
    assert.equal(first.status, 200);
    const second = await put('/plain/k', '2', { 'if-none-match': '*' });
    assert.deepEqual([second.status, second.element('Condition')], [412, 'If-None-Match']);
    assert.equal((await put('/plain/k', '3', { 'if-match': '"0123"' })).status, 412);
    assert.equal((await put('/plain/k', '4', { 'if-match': first.headers.etag! })).status, 200);
  });

  it('of many conditional creators exactly one wins', async () => {
    const { put } = openStage();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => put('/plain/race', `${n}`, { 'if-none-match': '*' })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 412).length, 19);
  });
});

describe('creating and overwriting', () => {
  it('a publisher may create names, and not overwrite them', async () => {
    const { put, get } = openStage();
    assert.equal((await put('/plain/k', '1', {}, { as: 'publisher' })).status, 200);
    const again = await put('/plain/k', '2', {}, { as: 'publisher' });
    assert.deepEqual([again.status, again.element('Code')], [403, 'AccessDenied']);
    assert.equal((await get('/plain/k')).text, '1');
    assert.equal((await put('/plain/k', '2', {}, { as: 'maintainer' })).status, 200);
  });

  it('his own condition fails as his own', async () => {
    const { put } = openStage();
    await put('/plain/k', '1');
    assert.equal((await put('/plain/k', '2', { 'if-none-match': '*' }, { as: 'publisher' })).status, 412);
    assert.equal((await put('/plain/k', '2', { 'if-match': '*' }, { as: 'publisher' })).status, 403);
  });

  it('where versions are kept he may add one', async () => {
    const { put } = openStage();
    await put('/kept/k', '1');
    assert.equal((await put('/kept/k', '2', {}, { as: 'publisher' })).status, 200);
  });

  it('of many publishers that create one name, one does', async () => {
    const { put } = openStage();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => put('/plain/race', `${n}`, {}, { as: 'publisher' })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 403).length, 19);
  });

  it('where versioning is suspended, a hidden null version is not his to replace', async () => {
    const { put, ask, get } = openStage();
    await put('/paused/k', 'null version');
    const enabled = { buckets: [{ ...BUCKETS.find(({ name }) => name === 'paused')!, versioning: 'Enabled' as const }] };
    assert.equal((await ask({ method: 'DELETE', target: '/paused/k', ...enabled })).headers['x-amz-delete-marker'], 'true');
    assert.equal((await put('/paused/k', 'new', {}, { as: 'publisher' })).status, 403);
    assert.equal((await put('/paused/k', 'new', { 'if-none-match': '*' }, { as: 'publisher' })).status, 403);
    assert.equal((await get('/paused/k?versionId=null')).text, 'null version');
    assert.equal((await put('/paused/other', 'new', {}, { as: 'publisher' })).status, 200);
  });

  it('what is immutable stays', async () => {
    const { put } = openStage();
    assert.equal((await put('/fixed/releases/1', '1')).status, 200);
    assert.equal((await put('/fixed/releases/1', '2')).element('Code'), 'AccessDenied');
    assert.equal((await put('/fixed/nightly/1', '1')).status, 200);
    assert.equal((await put('/fixed/nightly/1', '2')).status, 200);
  });
});
