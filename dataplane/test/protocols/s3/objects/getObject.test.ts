import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const BODY = '0123456789';
const ETAG = `"${createHash('md5').update(BODY).digest('hex')}"`;

async function stageWithObject(headers: Record<string, string> = {}): Promise<Stage> {
  const stage = openStage();
  await stage.put('/plain/k', BODY, headers);
  return stage;
}

describe('GetObject and HeadObject', () => {
  it('HEAD answers just what GET does, without the bytes', async () => {
    const { get, ask } = await stageWithObject({
      'content-type': 'text/plain',
      'x-amz-meta-a': 'b',
      'cache-control': 'no-cache',
      'x-amz-tagging': 'x=y',
    });
    const [read, looked] = [await get('/plain/k'), await ask({ method: 'HEAD', target: '/plain/k' })];
    assert.equal(read.status, 200);
    assert.equal(read.text, BODY);
    assert.deepEqual(looked.headers, read.headers);
    assert.equal(looked.bytes.length, 0);
    const { headers } = read;
    assert.equal(headers['content-length'], '10');
    assert.equal(headers.etag, ETAG);
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers['x-amz-tagging-count'], '1');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['repr-digest'], `sha-256=:${createHash('sha256').update(BODY).digest('base64')}:`);
    assert.match(headers['last-modified']!, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    for (const absent of ['x-amz-version-id', 'x-amz-storage-class', 'x-amz-checksum-crc64nvme', 'x-amz-mp-parts-count', 'content-range']) {
      assert.equal(headers[absent], undefined, absent);
    }
  });

  it('counts tags only for those who may see them', async () => {
    const { get } = await stageWithObject({ 'x-amz-tagging': 'x=y' });
    assert.equal((await get('/plain/k', {}, { denied: ['s3:GetObjectTagging'] })).headers['x-amz-tagging-count'], undefined);
  });

  it('serves one range as 206', async () => {
    const { get } = await stageWithObject();
    const part = await get('/plain/k', { range: 'bytes=2-4' });
    assert.deepEqual(
      [part.status, part.text, part.headers['content-range'], part.headers['content-length']],
      [206, '234', 'bytes 2-4/10', '3'],
    );
    const tail = await get('/plain/k', { range: 'bytes=-3' });
    assert.deepEqual([tail.status, tail.text], [206, '789']);
    const beyond = await get('/plain/k', { range: 'bytes=10-' });
    assert.deepEqual([beyond.status, beyond.element('Code'), beyond.headers['content-range']], [416, 'InvalidRange', 'bytes */10']);
  });

  it('If-Range decides between the part and the whole', async () => {
    const { get } = await stageWithObject();
    assert.equal((await get('/plain/k', { range: 'bytes=2-4', 'if-range': ETAG })).status, 206);
    assert.equal((await get('/plain/k', { range: 'bytes=2-4', 'if-range': '"other"' })).text, BODY);
    assert.equal((await get('/plain/k', { range: 'bytes=99-', 'if-range': '"other"' })).status, 200);
  });

  it('answers conditions, 304 with what caches go by', async () => {
    const { get, ask } = await stageWithObject({ 'cache-control': 'max-age=5' });
    const same = await get('/plain/k', { 'if-none-match': ETAG });
    assert.deepEqual([same.status, same.headers.etag, same.headers['cache-control'], same.text], [304, ETAG, 'max-age=5', '']);
    assert.ok(same.headers['last-modified']);
    assert.equal((await ask({ method: 'HEAD', target: '/plain/k', headers: { 'if-none-match': ETAG } })).status, 304);
    const other = await get('/plain/k', { 'if-match': '"other"' });
    assert.deepEqual([other.status, other.element('Condition')], [412, 'If-Match']);
    assert.equal((await get('/plain/k', { 'if-modified-since': new Date(Date.now() + 60_000).toUTCString() })).status, 304);
    assert.equal((await get('/plain/k', { 'if-unmodified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 412);
  });

  it('gives the checksum when asked, of the whole only', async () => {
    const { get } = await stageWithObject({ 'x-amz-checksum-sha256': await checksumOf('SHA256', Buffer.from(BODY)) });
    const asked = { 'x-amz-checksum-mode': 'ENABLED' };
    const whole = await get('/plain/k', asked);
    assert.equal(whole.headers['x-amz-checksum-sha256'], await checksumOf('SHA256', Buffer.from(BODY)));
    assert.equal(whole.headers['x-amz-checksum-type'], 'FULL_OBJECT');
    assert.equal((await get('/plain/k', { ...asked, range: 'bytes=0-3' })).headers['x-amz-checksum-sha256'], undefined);
    assert.equal(
      (await get('/plain/k', { ...asked, range: 'bytes=0-' })).headers['x-amz-checksum-sha256'],
      whole.headers['x-amz-checksum-sha256'],
    );
  });

  it('what was put at once is part 1 of itself', async () => {
    const { get, put } = await stageWithObject();
    const part = await get('/plain/k?partNumber=1');
    assert.deepEqual(
      [part.status, part.text, part.headers['content-range'], part.headers['x-amz-mp-parts-count']],
      [206, BODY, 'bytes 0-9/10', undefined],
    );
    const second = await get('/plain/k?partNumber=2');
    assert.deepEqual([second.status, second.element('Code'), second.element('ActualPartCount')], [416, 'InvalidPartNumber', '1']);
    assert.equal((await get('/plain/k?partNumber=0')).element('Code'), 'InvalidArgument');
    assert.equal((await get('/plain/k?partNumber=1', { range: 'bytes=0-1' })).element('Code'), 'InvalidRequest');
    await put('/plain/empty', '');
    assert.equal((await get('/plain/empty?partNumber=1')).status, 200);
  });

  it('overrides headers for those who signed for it', async () => {
    const { get } = await stageWithObject({ 'content-type': 'text/plain', 'content-language': 'de' });
    const query =
      'response-content-type=text/html&response-cache-control=private&response-content-disposition=attachment%3B%20filename%3D%22%C3%BC%22&response-expires=0';
    const answer = await get(`/plain/k?${query}`);
    assert.equal(answer.headers['content-type'], 'text/html');
    assert.equal(answer.headers['cache-control'], 'private');
    assert.equal(Buffer.from(answer.headers['content-disposition']!, 'latin1').toString(), 'attachment; filename="ü"');
    assert.equal(answer.headers['content-language'], 'de');
    assert.equal(answer.headers['content-security-policy'], 'sandbox');
    assert.equal((await get(`/plain/k?${query}`, {}, { as: 'anonymous' })).element('Code'), 'InvalidRequest');
    assert.equal((await get('/plain/k?response-content-type=a%0D%0Ab')).element('Code'), 'InvalidArgument');
  });

  it('shows active content in a sandbox, and leaves the rest alone', async () => {
    for (const [type, sandboxed] of [
      ['text/html; charset=utf-8', true],
      ['image/svg+xml', true],
      ['application/xhtml+xml', true],
      ['application/xml', true],
      // browsers take the last of several media types in one field that they know
      ['text/plain,text/html', true],
      ['text/html,x', true],
      ['x , image/svg+xml; charset=utf-8', true],
      // each part has a type of its own
      ['multipart/x-mixed-replace; boundary=b', true],
      ['application/pdf', false],
      ['text/plain', false],
      ['image/png', false],
    ] as const) {
      const { get } = await stageWithObject({ 'content-type': type });
      assert.equal(
        (await get('/plain/k', {}, { as: 'anonymous' })).headers['content-security-policy'],
        sandboxed ? 'sandbox' : undefined,
        type,
      );
    }
  });

  it('tells of absent names only those who may list', async () => {
    const { get, ask } = openStage();
    assert.deepEqual([(await get('/plain/none')).status, (await get('/plain/none', {}, { as: 'fetcher' })).status], [404, 403]);
    assert.equal((await get('/plain/none')).element('Code'), 'NoSuchKey');
    assert.equal((await get('/plain/none?versionId=01ARZ3NDEKTSV4RRFFQ69G5FAV')).element('Code'), 'NoSuchVersion');
    assert.equal((await get('/plain/none?versionId=01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, { as: 'fetcher' })).element('Code'), 'AccessDenied');
    assert.equal((await ask({ method: 'HEAD', target: '/plain/none' })).status, 404);
    assert.equal((await ask({ method: 'HEAD', target: '/plain/none', as: 'fetcher' })).status, 403);
    assert.equal((await get('/plain/none?versionId=')).element('Code'), 'InvalidArgument');
    assert.equal((await get('/plain/none?versionId=../x')).element('Code'), 'InvalidArgument');
  });

  it('asks for the version’s action when a version is asked for', async () => {
    const { get, demands } = await stageWithObject();
    await get('/plain/k?versionId=null', {}, { denied: ['s3:GetObject'] });
    assert.ok(demands.includes('read s3:GetObjectVersion plain/k'));
    assert.equal((await get('/plain/k?versionId=null', {}, { denied: ['s3:GetObjectVersion'] })).status, 403);
  });

  it('knows delete markers', async () => {
    const { put, get, ask } = openStage();
    const first = await put('/kept/k', 'one');
    const { headers } = await ask({ method: 'DELETE', target: '/kept/k' });
    const marker = headers['x-amz-version-id']!;
    const current = await get('/kept/k');
    assert.deepEqual([current.status, current.element('Code'), current.headers['x-amz-delete-marker']], [404, 'NoSuchKey', 'true']);
    const named = await get(`/kept/k?versionId=${marker}`);
    assert.deepEqual([named.status, named.element('Code'), named.headers.allow], [405, 'MethodNotAllowed', 'DELETE']);
    assert.ok(named.headers['last-modified']);
    const old = await get(`/kept/k?versionId=${first.headers['x-amz-version-id']}`);
    assert.deepEqual([old.text, old.headers['x-amz-version-id']], ['one', first.headers['x-amz-version-id']]);
    assert.equal((await get('/kept/k', {}, { as: 'fetcher' })).status, 403);
  });

  it('opens no byte that the door holds, but lets uploaders look', async () => {
    const { put, get, ask, held } = openStage();
    const { headers } = await put('/plain/k', BODY);
    held.add(`sha256:${Buffer.from(headers['repr-digest']!.slice(9, -1), 'base64').toString('hex')}`);
    const answer = await get('/plain/k');
    assert.equal(answer.status, 403);
    assert.ok(!answer.text.includes(BODY));
    assert.equal((await ask({ method: 'HEAD', target: '/plain/k' })).status, 200);
    assert.equal((await get('/plain/k', { 'if-none-match': ETAG })).status, 304);
  });
});
