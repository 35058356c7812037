/** Bytes in quarantine, as S3 clients see them. */
import assert from 'node:assert/strict';
import { parseDigest } from '../../../../src/core/digest.ts';
import type { Digest } from '../../../../src/core/digest.ts';
import { blobsOf, ROT, rot } from '../../../core/scrub/rot.ts';
import { ACTOR } from '../../../core/core.fixture.ts';
import { openStage } from './stage.ts';
import type { Ask, Stage } from './stage.ts';

const BODY = Buffer.alloc(100_000, 'abc');

async function digestAt(stage: Stage, target: string): Promise<Digest> {
  const { headers } = await stage.ask({ method: 'HEAD', target });
  const [, base64 = ''] = /^sha-256=:(.*):$/.exec(headers['repr-digest'] ?? '') ?? [];
  return parseDigest(`sha256:${Buffer.from(base64, 'base64').toString('hex')}`);
}

async function stageWithDamage(): Promise<Stage> {
  const stage = openStage();
  await stage.put('/kept/k', BODY);
  const digest = await digestAt(stage, '/kept/k');
  await stage.ask({ method: 'PUT', target: '/plain/copy', headers: { 'x-amz-copy-source': '/kept/k' } });
  await rot(stage.store, (await blobsOf(stage.store, digest))[0]!, ROT.flipped);
  const [examined] = await stage.core.scrub.examine(digest, ACTOR, new AbortController().signal);
  assert.equal(examined?.outcome, 'quarantined');
  return stage;
}

describe('damaged bytes in S3', () => {
  it('leave by no operation, under no name', async () => {
    const stage = await stageWithDamage();
    const upload = (await stage.ask({ method: 'POST', target: '/plain/parts?uploads' })).element('UploadId')!;
    const source = { 'x-amz-copy-source': '/kept/k' };
    const asks: Readonly<Record<string, Ask>> = {
      all: { target: '/kept/k' },
      'the other name': { target: '/plain/copy' },
      'a range': { target: '/kept/k', headers: { range: 'bytes=0-9' } },
      'several ranges': { target: '/kept/k', headers: { range: 'bytes=0-9,50000-50009' } },
      'part 1': { target: '/kept/k?partNumber=1' },
      'looked at': { method: 'HEAD', target: '/kept/k' },
      'a range looked at': { method: 'HEAD', target: '/plain/copy', headers: { range: 'bytes=0-9' } },
      copied: { method: 'PUT', target: '/plain/new', headers: source },
      'copied onto itself': { method: 'PUT', target: '/kept/k', headers: { ...source, 'x-amz-metadata-directive': 'REPLACE' } },
      'copied with another checksum': { method: 'PUT', target: '/plain/new', headers: { ...source, 'x-amz-checksum-algorithm': 'SHA1' } },
      'copied as a part': { method: 'PUT', target: `/plain/parts?partNumber=1&uploadId=${upload}`, headers: source },
    };
    for (const [what, ask] of Object.entries(asks)) {
      const answer = await stage.ask(ask);
      assert.equal(answer.status, 500, `${what}: ${answer.text}`);
      if (ask.method === 'HEAD') continue;
      assert.equal(answer.element('Code'), 'ObjectDamaged', what);
      assert.match(answer.element('Message') ?? '', /Upload the same content again, under any name/);
      assert.ok(!answer.bytes.includes('abcabc'), what);
    }
    assert.equal((await stage.get('/plain/new')).status, 404);
  });

  it('that nobody found yet are found by a copy with another checksum', async () => {
    const stage = openStage();
    await stage.put('/kept/k', BODY);
    await rot(stage.store, (await stage.store.blobs.list(undefined, 10))[0]!, ROT.flipped);
    const headers = { 'x-amz-copy-source': '/kept/k', 'x-amz-checksum-algorithm': 'SHA1' };
    const answer = await stage.ask({ method: 'PUT', target: '/plain/new', headers });
    assert.deepEqual([answer.status, answer.element('Code')], [500, 'ObjectDamaged'], answer.text);
    assert.equal((await stage.get('/plain/new')).status, 404);
    assert.equal((await stage.store.blobs.list(undefined, 10)).length, 1);
  });

  it('can still be described, tagged, overwritten and deleted', async () => {
    const stage = await stageWithDamage();
    const { status, text } = await stage.get('/plain/copy?attributes', { 'x-amz-object-attributes': 'ObjectSize' });
    assert.deepEqual([status, /<ObjectSize>100000</.test(text)], [200, true]);
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
    assert.equal((await stage.put('/plain/copy?tagging', tagging)).status, 200);
    assert.equal((await stage.put('/plain/copy', 'other bytes')).status, 200);
    assert.equal((await stage.get('/plain/copy')).text, 'other bytes');
    assert.equal((await stage.ask({ method: 'DELETE', target: '/kept/k' })).status, 204);
  });

  it('are right again under every name when the same content is put under another', async () => {
    const stage = await stageWithDamage();
    assert.equal((await stage.put('/other/again', BODY)).status, 200);
    for (const target of ['/kept/k', '/plain/copy', '/other/again']) {
      assert.ok((await stage.get(target)).bytes.equals(BODY), target);
      assert.equal((await stage.ask({ method: 'HEAD', target })).status, 200);
    }
  });
});

describe('parts that rotted before they are joined, in S3', () => {
  const FIRST = Buffer.alloc(5 * 1024 * 1024, 'x');

  it('are refused as InvalidPart by their number, and may be uploaded again', async () => {
    const stage = openStage();
    const target = '/plain/big';
    const upload = (await stage.ask({ method: 'POST', target: `${target}?uploads` })).element('UploadId')!;
    const send = (number: number, body: Buffer) =>
      stage.ask({ method: 'PUT', target: `${target}?partNumber=${number}&uploadId=${upload}`, body });
    const etags = [(await send(1, FIRST)).headers.etag!, (await send(2, BODY)).headers.etag!];
    const list = etags
      .map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part>`)
      .join('');
    const complete = () =>
      stage.ask({
        method: 'POST',
        target: `${target}?uploadId=${upload}`,
        body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`,
      });
    await rot(stage.store, (await stage.store.blobs.list(undefined, 10))[1]!, ROT.flipped);
    const { status, element, text } = await complete();
    assert.deepEqual([status, element('Code'), element('PartNumber'), element('UploadId')], [400, 'InvalidPart', '2', upload], text);
    assert.match(element('Message') ?? '', /Part 2 was damaged in storage after it came\. Upload this part again/);
    assert.equal((await stage.get(target)).status, 404);
    const listed = async () => (await stage.get(`${target}?uploadId=${upload}`)).elements('PartNumber');
    assert.deepEqual(await listed(), ['1'], 'a client that resumes sends the other again');
    assert.equal((await complete()).element('PartNumber'), '2');
    assert.equal((await send(2, BODY)).status, 200);
    assert.deepEqual(await listed(), ['1', '2']);
    assert.equal((await complete()).status, 200);
    assert.ok((await stage.get(target)).bytes.equals(Buffer.concat([FIRST, BODY])));
  });

  it('are not listed when they are damaged, though others of their number came before', async () => {
    const stage = openStage();
    const target = '/plain/one';
    const upload = (await stage.ask({ method: 'POST', target: `${target}?uploads` })).element('UploadId')!;
    const send = (body: Buffer) => stage.ask({ method: 'PUT', target: `${target}?partNumber=7&uploadId=${upload}`, body });
    await send(FIRST);
    const [earlier] = await stage.store.blobs.list(undefined, 10);
    const { headers } = await send(BODY);
    await rot(
      stage.store,
      (await stage.store.blobs.list(undefined, 10)).find((blob) => blob !== earlier)!,
      ROT.deleted,
    );
    const part = `<Part><PartNumber>7</PartNumber><ETag>${headers.etag!.replaceAll('"', '&quot;')}</ETag></Part>`;
    const body = `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`;
    assert.equal((await stage.ask({ method: 'POST', target: `${target}?uploadId=${upload}`, body })).element('Code'), 'InvalidPart');
    assert.deepEqual((await stage.get(`${target}?uploadId=${upload}`)).elements('PartNumber'), []);
  });

  it('are not made of an object that has rotted, where they are copied from all of it', async () => {
    const stage = openStage();
    await stage.put('/kept/k', BODY);
    await rot(stage.store, (await stage.store.blobs.list(undefined, 10))[0]!, ROT.flipped);
    const upload = (await stage.ask({ method: 'POST', target: '/plain/parts?uploads' })).element('UploadId')!;
    const source: Readonly<Record<string, string>> = { 'x-amz-copy-source': '/kept/k' };
    for (const headers of [source, { ...source, 'x-amz-copy-source-range': `bytes=0-${BODY.length - 1}` }]) {
      const answer = await stage.ask({ method: 'PUT', target: `/plain/parts?partNumber=1&uploadId=${upload}`, headers });
      assert.deepEqual([answer.status, answer.element('Code')], [500, 'ObjectDamaged'], answer.text);
    }
    assert.equal((await stage.store.blobs.list(undefined, 10)).length, 1);
  });
});
