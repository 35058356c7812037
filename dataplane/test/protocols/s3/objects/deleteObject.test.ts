import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { isError } from '../../../../src/errors.ts';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { readDeletions } from '../../../../src/protocols/s3/objects/deleteObjects.ts';
import { parseXml } from '../../../../src/protocols/s3/xml.ts';
import { turnsOf, work } from '../../../turns.ts';
import { BUCKETS, openStage } from './stage.ts';
import type { Asker, Stage } from './stage.ts';

const remove = (stage: Stage, target: string, headers: Record<string, string> = {}, asker: Asker = {}) =>
  stage.ask({ method: 'DELETE', target, headers, ...asker });

describe('DeleteObject', () => {
  it('removes a name; removing nothing succeeds too', async () => {
    const stage = openStage();
    await stage.put('/plain/k', '1');
    for (let again = 0; again < 2; again++) {
      const answer = await remove(stage, '/plain/k');
      assert.deepEqual([answer.status, answer.headers], [204, {}]);
    }
    assert.equal((await stage.get('/plain/k')).status, 404);
  });

  it('makes a delete marker where versions are kept, and removes versions and markers for good', async () => {
    const stage = openStage();
    const version = (await stage.put('/kept/k', '1')).headers['x-amz-version-id']!;
    const marked = await remove(stage, '/kept/k');
    assert.deepEqual([marked.status, marked.headers['x-amz-delete-marker']], [204, 'true']);
    const marker = marked.headers['x-amz-version-id']!;
    const unmarked = await remove(stage, `/kept/k?versionId=${marker}`);
    assert.deepEqual([unmarked.headers['x-amz-delete-marker'], unmarked.headers['x-amz-version-id']], ['true', marker]);
    assert.equal((await stage.get('/kept/k')).text, '1');
    const gone = await remove(stage, `/kept/k?versionId=${version}`);
    assert.deepEqual([gone.status, gone.headers['x-amz-version-id'], gone.headers['x-amz-delete-marker']], [204, version, undefined]);
    assert.equal((await stage.get('/kept/k')).status, 404);
  });

  it('holds to its conditions', async () => {
    const stage = openStage();
    const { headers } = await stage.put('/plain/k', '12345');
    assert.equal((await remove(stage, '/plain/k', { 'if-match': '"other"' })).status, 412);
    assert.equal((await remove(stage, '/plain/k', { 'x-amz-if-match-size': '4' })).status, 412);
    assert.equal((await remove(stage, '/plain/k', { 'x-amz-if-match-last-modified-time': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 412);
    assert.equal((await remove(stage, '/plain/k', { 'x-amz-if-match-size': 'five' })).element('Code'), 'InvalidArgument');
    assert.equal((await remove(stage, '/plain/none', { 'if-match': '*' })).status, 404);
    const modified = (await stage.get('/plain/k')).headers['last-modified']!;
    const all = { 'if-match': headers.etag!, 'x-amz-if-match-size': '5', 'x-amz-if-match-last-modified-time': modified };
    assert.equal((await remove(stage, '/plain/k', all)).status, 204);
  });

  it('needs the right to delete, and to read where a condition asks for the content', async () => {
    const stage = openStage();
    await stage.put('/plain/k', '1');
    assert.equal((await remove(stage, '/plain/k', {}, { as: 'publisher' })).status, 403);
    assert.equal((await remove(stage, '/plain/k', { 'if-match': '"guess"' }, { denied: ['s3:GetObject'] })).status, 403);
    assert.equal((await remove(stage, '/plain/k?versionId=null', {}, { denied: ['s3:DeleteObjectVersion'] })).status, 403);
    assert.equal((await remove(stage, '/plain/k', { 'if-match': '*' }, { denied: ['s3:GetObject'] })).status, 204);
  });

  it('leaves what is immutable', async () => {
    const stage = openStage();
    await stage.put('/fixed/releases/1', '1');
    assert.equal((await remove(stage, '/fixed/releases/1')).status, 403);
    assert.equal((await stage.get('/fixed/releases/1')).status, 200);
  });
});

const document = (lines: readonly string[], more = '') =>
  `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${more}${lines.map((line) => `<Object>${line}</Object>`).join('')}</Delete>`;

async function removeMany(stage: Stage, body: string, headers?: Record<string, string>, asker: Asker = {}) {
  const md5 = createHash('md5').update(body).digest('base64');
  return stage.ask({ method: 'POST', target: '/plain?delete', body, headers: headers ?? { 'content-md5': md5 }, ...asker });
}

describe('DeleteObjects', () => {
  it('answers each name on its own', async () => {
    const stage = openStage();
    await Promise.all(['a', 'b', 'c & d', 'fixed'].map((name) => stage.put(`/plain/${encodeURIComponent(name)}`, name)));
    const etag = `"${createHash('md5').update('a').digest('hex')}"`;
    const lines = [
      `<Key>a</Key><ETag>${etag}</ETag>`,
      '<Key>b</Key><ETag>"other"</ETag>',
      '<Key>c &amp; d</Key><Size>5</Size>',
      '<Key>none</Key>',
      '<Key>fixed</Key><VersionId>null</VersionId>',
    ];
    const answer = await removeMany(stage, document(lines), undefined, { denied: ['s3:DeleteObjectVersion'] });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.text.match(/<Deleted>.*?<\/Deleted>/g), [
      '<Deleted><Key>a</Key></Deleted>',
      '<Deleted><Key>c &amp; d</Key></Deleted>',
      '<Deleted><Key>none</Key></Deleted>',
    ]);
    assert.deepEqual(answer.elements('Code'), ['PreconditionFailed', 'AccessDenied']);
    const left = await Promise.all(['a', 'b', 'c%20%26%20d', 'fixed'].map(async (name) => (await stage.get(`/plain/${name}`)).status));
    assert.deepEqual(left, [404, 200, 404, 200]);
  });

  it('Quiet hides successes only', async () => {
    const stage = openStage();
    await stage.put('/plain/a', '1');
    const answer = await removeMany(stage, document(['<Key>a</Key>', '<Key>a</Key><ETag>"x"</ETag>'], '<Quiet>true</Quiet>'));
    assert.ok(!answer.text.includes('<Deleted>'));
    assert.equal(answer.elements('Error').length + (answer.text.match(/<Error>/g) ?? []).length, 1);
  });

  it('tells of markers', async () => {
    const stage = openStage();
    await stage.put('/kept/k', '1');
    const body = document(['<Key>k</Key>']);
    const headers = { 'x-amz-checksum-crc32': await checksumOf('CRC32', Buffer.from(body)), 'x-amz-sdk-checksum-algorithm': 'CRC32' };
    const answer = await stage.ask({ method: 'POST', target: '/kept?delete', body, headers });
    assert.equal(answer.element('DeleteMarker'), 'true');
    const marker = answer.element('DeleteMarkerVersionId')!;
    const again = document([`<Key>k</Key><VersionId>${marker}</VersionId>`]);
    const removed = await stage.ask({
      method: 'POST',
      target: '/kept?delete',
      body: again,
      headers: { 'content-md5': createHash('md5').update(again).digest('base64') },
    });
    assert.deepEqual(
      [removed.element('VersionId'), removed.element('DeleteMarker'), removed.element('DeleteMarkerVersionId')],
      [marker, 'true', marker],
    );
    assert.equal((await stage.get('/kept/k')).text, '1');
  });

  it('a condition on the content needs the right to read it', async () => {
    const stage = openStage();
    await stage.put('/plain/a', '1');
    const guess = document(['<Key>a</Key><ETag>"guess"</ETag>', '<Key>a</Key><Size>1</Size>']);
    const answer = await removeMany(stage, guess, undefined, { denied: ['s3:GetObject'] });
    assert.deepEqual(answer.elements('Code'), ['AccessDenied', 'AccessDenied']);
    assert.equal((await stage.get('/plain/a')).status, 200);
  });

  it('a caller without rights is told so name by name', async () => {
    const stage = openStage();
    const answer = await removeMany(stage, document(['<Key>a</Key>', '<Key>b</Key>']), undefined, { as: 'reader' });
    assert.deepEqual(answer.elements('Code'), ['AccessDenied', 'AccessDenied']);
  });

  it('whether the bucket is there is told only to those who may delete something', async () => {
    const stage = openStage();
    const body = document(['<Key>a</Key>', '<Key>b</Key>']);
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const ask = (bucket: string, as: string, more: Record<string, string> = {}) =>
      stage.ask({ method: 'POST', target: `/${bucket}?delete`, body, headers: { ...headers, ...more }, as });
    const withoutId = (text: string) => text.replace(/<RequestId>.*?<\/RequestId>/, '');
    const variants: readonly Record<string, string>[] = [{}, { 'x-amz-expected-bucket-owner': 'somebody' }];
    for (const more of variants) {
      const [there, absent] = [await ask('plain', 'fetcher', more), await ask('nowhere', 'fetcher', more)];
      assert.deepEqual([absent.status, withoutId(absent.text)], [there.status, withoutId(there.text)]);
      assert.deepEqual(absent.elements('Code'), ['AccessDenied', 'AccessDenied']);
    }
    assert.equal((await ask('nowhere', 'maintainer')).element('Code'), 'NoSuchBucket');
  });

  const good = document(['<Key>a</Key>']);
  const refusals: readonly (readonly [what: string, body: string, headers: Record<string, string> | undefined, code: string])[] = [
    ['no digest', good, {}, 'InvalidRequest'],
    ['another digest', good, { 'content-md5': createHash('md5').digest('base64') }, 'BadDigest'],
    ['no XML', 'key=a', undefined, 'MalformedXML'],
    ['nothing', '', undefined, 'MissingRequestBodyError'],
    ['no names', document([]), undefined, 'MalformedXML'],
    ['an empty name', document(['<Key></Key>']), undefined, 'MalformedXML'],
    ['a line without name', document(['<VersionId>null</VersionId>']), undefined, 'MalformedXML'],
    ['an element nobody knows', document(['<Key>a</Key><Force>true</Force>']), undefined, 'MalformedXML'],
    ['1,001 names', document(Array.from({ length: 1001 }, (_, n) => `<Key>${n}</Key>`)), undefined, 'MalformedXML'],
    ['more than 2 MiB', document([`<Key>${'x'.repeat(2 * 1024 * 1024)}</Key>`]), undefined, 'MaxMessageLengthExceeded'],
  ];
  for (const [what, body, headers, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const stage = openStage();
      await stage.put('/plain/a', '1');
      const answer = await removeMany(stage, body, headers);
      assert.deepEqual([answer.status, answer.element('Code')], [400, code]);
      assert.equal((await stage.get('/plain/a')).status, 200);
    });
  }

  it('deletes 1,000 names at once', async () => {
    const stage = openStage();
    const names = Array.from({ length: 1000 }, (_, n) => `n${n}`);
    await Promise.all(names.map((name) => stage.put(`/plain/${name}`, name)));
    const answer = await removeMany(stage, document(names.map((name) => `<Key>${name}</Key>`)));
    assert.deepEqual(answer.elements('Key'), names);
    assert.equal((await stage.core.objects.list(BUCKETS[0]!, { prefix: '', limit: 1 })).objects.length, 0);
  });

  it('a name that is too long is refused alone', async () => {
    const stage = openStage();
    const answer = await removeMany(stage, document([`<Key>${'x'.repeat(1025)}</Key>`, '<Key>b</Key>']));
    assert.deepEqual([answer.element('Code'), answer.text.includes('<Deleted><Key>b</Key>')], ['KeyTooLongError', true]);
  });

  it('judges names in slices, and others have turns meanwhile', async () => {
    const stage = openStage();
    const names = document(Array.from({ length: 200 }, (_, n) => `<Key>${n}</Key>`));
    /** A policy that takes its time, and allows what is asked first, or nothing. */
    const policy = (allowed: number): readonly string[] => {
      let asked = 0;
      const includes = () => {
        work(0.2);
        return (asked += 1) > allowed;
      };
      return Object.assign(['s3:DeleteObject'], { includes });
    };
    for (const allowed of [0, 1]) {
      let answer = await stage.get('/plain/0');
      const turns = await turnsOf(async () => (answer = await removeMany(stage, names, undefined, { denied: policy(allowed) })));
      assert.equal(answer.elements('Code').filter((code) => code === 'AccessDenied').length, 200);
      assert.ok(turns >= 40, `${turns} of ${allowed}`);
    }
  });

  it('any document is deletions or a refusal', async () => {
    const line = fc.record({ tag: fc.constantFrom('Key', 'VersionId', 'ETag', 'Size', 'LastModifiedTime', 'Other'), text: fc.string() });
    const xml = fc
      .array(fc.array(line, { maxLength: 4 }), { maxLength: 4 })
      .map((objects) =>
        document(objects.map((lines) => lines.map(({ tag, text }) => `<${tag}>${text.replace(/[&<>]/g, '')}</${tag}>`).join(''))),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(xml, fc.string()), async (text) => {
        try {
          assert.ok((await readDeletions(parseXml(Buffer.from(text), ['Delete']))).every(({ key }) => key !== ''));
        } catch (error) {
          assert.ok(isError(error, 'MalformedBody', 'InvalidArgument'), String(error));
        }
      }),
    );
  });
});
