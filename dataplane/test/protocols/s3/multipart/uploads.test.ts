import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import type { ChecksumAlgorithm } from '../../../../src/core/object.ts';
import { openStage } from '../objects/stage.ts';
import type { Answer, Ask, Asker, Stage } from '../objects/stage.ts';

const MIB = 1024 * 1024;
const FIRST = Buffer.alloc(5 * MIB, 'a');
const LAST = Buffer.from('the end');
const WHOLE = Buffer.concat([FIRST, LAST]);
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();
const JOINED = `"${md5(Buffer.concat([md5(FIRST), md5(LAST)])).toString('hex')}-2"`;

async function begin(stage: Stage, target: string, headers: Record<string, string> = {}, asker: Asker = {}): Promise<string> {
  const answer = await stage.ask({ method: 'POST', target: `${target}?uploads`, headers, ...asker });
  assert.equal(answer.status, 200, answer.text);
  return answer.element('UploadId')!;
}

type Place = readonly [target: string, upload: string, number: number];

const part = (stage: Stage, [target, upload, number]: Place, body: string | Uint8Array, more: Partial<Ask> = {}): Promise<Answer> =>
  stage.ask({ method: 'PUT', target: `${target}?partNumber=${number}&uploadId=${upload}`, body, ...more });

interface Line {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: readonly [ChecksumAlgorithm, string];
}

const completion = (lines: readonly Line[]): string =>
  `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${lines
    .map(({ number, etag, checksum }) => {
      const sum = checksum ? `<Checksum${checksum[0]}>${checksum[1]}</Checksum${checksum[0]}>` : '';
      return `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag>${sum}</Part>`;
    })
    .join('')}</CompleteMultipartUpload>`;

const complete = (
  stage: Stage,
  [target, upload]: readonly [target: string, upload: string],
  body: string,
  more: Partial<Ask> = {},
): Promise<Answer> => stage.ask({ method: 'POST', target: `${target}?uploadId=${upload}`, body, ...more });

/** An upload of two parts, ready to be completed. */
async function twoParts(stage: Stage, target: string, headers: Record<string, string> = {}, asker: Asker = {}) {
  const upload = await begin(stage, target, headers, asker);
  const [first, last] = [await part(stage, [target, upload, 1], FIRST, asker), await part(stage, [target, upload, 2], LAST, asker)];
  assert.deepEqual([first.status, last.status], [200, 200], first.text + last.text);
  return { upload, lines: [first, last].map(({ headers: { etag } }, at) => ({ number: at + 1, etag: etag! })), answers: [first, last] };
}

describe('multipart uploads', () => {
  it('become one object with everything that was said at the start', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/kept/a/big', {
      'content-type': 'text/plain',
      'x-amz-meta-a': '1',
      'x-amz-tagging': 'x=y',
    });
    assert.equal((await stage.get('/kept/a/big')).status, 404, 'nothing is named before the end');
    const answer = await complete(stage, ['/kept/a/big', upload], completion(lines));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.element('ETag'), JOINED);
    assert.equal(answer.element('Location'), 'http://store.test/kept/a/big');
    assert.equal(answer.element('ChecksumCRC64NVME'), await checksumOf('CRC64NVME', WHOLE));
    assert.equal(answer.headers['repr-digest'], `sha-256=:${createHash('sha256').update(WHOLE).digest('base64')}:`);
    assert.ok(answer.headers['x-amz-version-id']);
    const read = await stage.get('/kept/a/big');
    assert.ok(read.bytes.equals(WHOLE));
    assert.deepEqual(
      [read.headers['content-type'], read.headers['x-amz-meta-a'], read.headers['x-amz-tagging-count'], read.headers.etag],
      ['text/plain', '1', '1', JOINED],
    );
  });

  it('a repeated completion answers the same', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/plain/k');
    const body = completion(lines);
    const first = await complete(stage, ['/plain/k', upload], body, { headers: { 'if-none-match': '*' } });
    const again = await complete(stage, ['/plain/k', upload], body, { headers: { 'if-none-match': '*' } });
    assert.deepEqual([again.status, again.text], [200, first.text]);
  });

  it('are read by part, with the part’s checksum', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/plain/k', { 'x-amz-checksum-algorithm': 'CRC32' });
    await complete(stage, ['/plain/k', upload], completion(lines));
    const second = await stage.get('/plain/k?partNumber=2', { 'x-amz-checksum-mode': 'ENABLED' });
    assert.deepEqual([second.status, second.text, second.headers['x-amz-mp-parts-count']], [206, 'the end', '2']);
    assert.equal(second.headers['content-range'], `bytes ${5 * MIB}-${WHOLE.length - 1}/${WHOLE.length}`);
    assert.equal(second.headers['x-amz-checksum-crc32'], await checksumOf('CRC32', LAST));
    const head = await stage.ask({ method: 'HEAD', target: '/plain/k?partNumber=1' });
    assert.deepEqual([head.status, head.headers['content-length']], [206, String(5 * MIB)]);
    assert.equal((await stage.get('/plain/k?partNumber=3')).element('ActualPartCount'), '2');
    const range = await stage.get('/plain/k', { range: `bytes=${5 * MIB - 2}-${5 * MIB + 2}` });
    assert.equal(range.text, 'aathe');
  });

  it('tell their parts by attribute, page by page', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/plain/k', { 'x-amz-checksum-algorithm': 'SHA256' });
    await complete(stage, ['/plain/k', upload], completion(lines));
    const ask = (headers: Record<string, string>) =>
      stage.get('/plain/k?attributes', { 'x-amz-object-attributes': 'ObjectParts,Checksum', ...headers });
    const first = await ask({ 'x-amz-max-parts': '1' });
    assert.deepEqual(
      ['PartsCount', 'IsTruncated', 'NextPartNumberMarker'].map((name) => first.element(name)),
      ['2', 'true', '1'],
    );
    assert.deepEqual(first.elements('Size'), [String(5 * MIB)]);
    const second = await ask({ 'x-amz-part-number-marker': '1' });
    assert.deepEqual(
      ['IsTruncated', 'PartNumber', 'Size'].map((name) => second.element(name)),
      ['false', '2', '7'],
    );
    assert.ok(second.elements('ChecksumSHA256').includes(await checksumOf('SHA256', LAST)));
    assert.ok(!second.text.includes('-2</ChecksumSHA256>'), 'the suffix is left out here');
  });

  it('replace a part that comes again, and take a subset of the parts', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k');
    await part(stage, ['/plain/k', upload, 3], 'wrong');
    await part(stage, ['/plain/k', upload, 9], 'left out');
    const { headers } = await part(stage, ['/plain/k', upload, 3], 'right');
    assert.equal((await complete(stage, ['/plain/k', upload], completion([{ number: 3, etag: headers.etag! }]))).status, 200);
    assert.equal((await stage.get('/plain/k')).text, 'right');
  });

  it('parts may be sent at the same time', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k');
    const bodies = [FIRST, Buffer.alloc(5 * MIB, 'b'), Buffer.from('z')];
    const answers = await Promise.all(bodies.map((body, at) => part(stage, ['/plain/k', upload, at + 1], body)));
    const lines = answers.map(({ headers }, at) => ({ number: at + 1, etag: headers.etag! }));
    assert.equal((await complete(stage, ['/plain/k', upload], completion(lines))).status, 200);
    assert.ok((await stage.get('/plain/k')).bytes.equals(Buffer.concat(bodies)));
  });

  it('end with an abort, after which nothing is left', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k');
    await part(stage, ['/plain/k', upload, 1], 'x');
    assert.equal((await stage.ask({ method: 'DELETE', target: `/plain/k?uploadId=${upload}` })).status, 204);
    assert.equal((await part(stage, ['/plain/k', upload, 2], 'y')).element('Code'), 'NoSuchUpload');
    assert.equal((await stage.ask({ method: 'DELETE', target: `/plain/k?uploadId=${upload}` })).element('Code'), 'NoSuchUpload');
    assert.equal((await stage.get(`/plain/k?uploadId=${upload}`)).element('Code'), 'NoSuchUpload');
  });

  it('another’s upload is aborted only by who may delete', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k', {}, { as: 'publisher' });
    const abort = (asker: Asker) => stage.ask({ method: 'DELETE', target: `/plain/k?uploadId=${upload}`, ...asker });
    assert.equal((await abort({ as: 'dropper' })).status, 403);
    assert.equal((await abort({ as: 'maintainer' })).status, 204);
    const own = await begin(stage, '/plain/k', {}, { as: 'publisher' });
    assert.equal((await stage.ask({ method: 'DELETE', target: `/plain/k?uploadId=${own}`, as: 'publisher' })).status, 204);
  });

  it('a publisher completes a new name, and is told early about an old one', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/plain/k', {}, { as: 'publisher' });
    await stage.put('/plain/k', 'somebody was faster');
    const answer = await complete(stage, ['/plain/k', upload], completion(lines), { as: 'publisher' });
    assert.deepEqual([answer.status, answer.element('Code')], [403, 'AccessDenied']);
    assert.equal((await stage.get('/plain/k')).text, 'somebody was faster');
    assert.equal((await stage.ask({ method: 'POST', target: '/plain/k?uploads', as: 'publisher' })).status, 403);
  });

  it('completions hold to conditions, and exactly one of many wins', async () => {
    const stage = openStage();
    const uploads = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const upload = await begin(stage, '/plain/race');
        return { upload, etag: (await part(stage, ['/plain/race', upload, 1], upload)).headers.etag! };
      }),
    );
    const answers = await Promise.all(
      uploads.map(({ upload, etag }) =>
        complete(stage, ['/plain/race', upload], completion([{ number: 1, etag }]), { headers: { 'if-none-match': '*' } }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412, 412, 412, 412]);
  });
});

describe('checksums of uploads', () => {
  const algorithms: readonly (readonly [algorithm: ChecksumAlgorithm, type: 'FULL_OBJECT' | 'COMPOSITE', asked?: string])[] = [
    ['CRC32', 'COMPOSITE'],
    ['CRC32', 'FULL_OBJECT', 'FULL_OBJECT'],
    ['CRC32C', 'FULL_OBJECT', 'FULL_OBJECT'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE', 'COMPOSITE'],
  ];
  for (const [algorithm, type, asked] of algorithms) {
    it(`${algorithm}, ${type}${asked ? ' by wish' : ''}`, async () => {
      const stage = openStage();
      const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const wish: Record<string, string> = asked ? { 'x-amz-checksum-type': asked } : {};
      const created = await stage.ask({
        method: 'POST',
        target: '/plain/k?uploads',
        headers: { 'x-amz-checksum-algorithm': algorithm, ...wish },
      });
      assert.deepEqual([created.headers['x-amz-checksum-algorithm'], created.headers['x-amz-checksum-type']], [algorithm, type]);
      const upload = created.element('UploadId')!;
      const sums = [await checksumOf(algorithm, FIRST), await checksumOf(algorithm, LAST)];
      const answers = [
        await part(stage, ['/plain/k', upload, 1], FIRST, { headers: { [header]: sums[0]! } }),
        await part(stage, ['/plain/k', upload, 2], LAST),
      ];
      assert.deepEqual(
        answers.map(({ headers }) => headers[header]),
        sums,
      );
      const lines = answers.map(({ headers }, at): Line => ({ number: at + 1, etag: headers.etag!, checksum: [algorithm, sums[at]!] }));
      const composite = `${await checksumOf(algorithm, Buffer.concat(sums.map((sum) => Buffer.from(sum, 'base64'))))}-2`;
      const whole = type === 'COMPOSITE' ? composite : await checksumOf(algorithm, WHOLE);
      const other = type === 'COMPOSITE' ? `${await checksumOf(algorithm, WHOLE)}-2` : await checksumOf(algorithm, FIRST);
      const said = { 'x-amz-checksum-type': type, 'x-amz-mp-object-size': String(WHOLE.length) };
      assert.equal(
        (await complete(stage, ['/plain/k', upload], completion(lines), { headers: { ...said, [header]: other } })).element('Code'),
        'BadDigest',
      );
      const answer = await complete(stage, ['/plain/k', upload], completion(lines), { headers: { ...said, [header]: whole } });
      assert.deepEqual(
        [answer.status, answer.element(`Checksum${algorithm}`), answer.element('ChecksumType')],
        [200, whole, type],
        answer.text,
      );
      const read = await stage.ask({ method: 'HEAD', target: '/plain/k', headers: { 'x-amz-checksum-mode': 'ENABLED' } });
      assert.deepEqual([read.headers[header], read.headers['x-amz-checksum-type']], [whole, type]);
    });
  }

  const creations: readonly (readonly [headers: Record<string, string>, code: string])[] = [
    [{ 'x-amz-checksum-algorithm': 'XXHASH64' }, 'InvalidRequest'],
    [{ 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' }, 'InvalidRequest'],
    [{ 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' }, 'InvalidRequest'],
    [{ 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'HALF' }, 'InvalidRequest'],
    [{ 'x-amz-checksum-type': 'FULL_OBJECT' }, 'InvalidRequest'],
    [{ 'x-amz-storage-class': 'DEEP_ARCHIVE' }, 'InvalidStorageClass'],
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }, 'InvalidRequest'],
    [{ 'x-amz-acl': 'public-read' }, 'AccessControlListNotSupported'],
    [{ 'if-none-match': '*' }, 'NotImplemented'],
    [{ 'x-amz-meta-a': 'x'.repeat(2048) }, 'MetadataTooLarge'],
  ];
  for (const [headers, code] of creations) {
    it(`no upload begins with ${JSON.stringify(headers).slice(0, 90)}`, async () => {
      const stage = openStage();
      assert.equal((await stage.ask({ method: 'POST', target: '/plain/k?uploads', headers })).element('Code'), code);
      assert.equal((await stage.get('/plain?uploads')).elements('UploadId').length, 0);
    });
  }
});

describe('refusals of parts and completions', () => {
  const parts: readonly (readonly [what: string, number: number | string, more: Partial<Ask>, code: string])[] = [
    ['part 0', 0, {}, 'InvalidArgument'],
    ['part 10,001', 10_001, {}, 'InvalidArgument'],
    ['a part that is no number', 'one', {}, 'InvalidArgument'],
    ['another MD5', 1, { headers: { 'content-md5': md5(FIRST).toString('base64') } }, 'BadDigest'],
    ['another checksum', 1, { headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, 'BadDigest'],
    [
      'another algorithm than the upload’s',
      1,
      { headers: { 'x-amz-checksum-sha1': createHash('sha1').update('x').digest('base64') } },
      'InvalidRequest',
    ],
    ['more than 5 GiB', 1, { length: 5 * 1024 ** 3 + 1 }, 'EntityTooLarge'],
    ['no length', 1, { lengthless: true }, 'MissingContentLength'],
    ['customer keys', 1, { headers: { 'x-amz-server-side-encryption-customer-key': 'x' } }, 'NotImplemented'],
    ['a reader', 1, { as: 'reader' }, 'AccessDenied'],
  ];
  for (const [what, number, more, code] of parts) {
    it(`refuses ${what}`, async () => {
      const stage = openStage();
      const upload = await begin(stage, '/plain/k', { 'x-amz-checksum-algorithm': 'CRC32' });
      const answer = await stage.ask({ method: 'PUT', target: `/plain/k?partNumber=${number}&uploadId=${upload}`, body: 'x', ...more });
      assert.equal(answer.element('Code'), code, answer.text);
      assert.deepEqual((await stage.get(`/plain/k?uploadId=${upload}`)).elements('PartNumber'), []);
    });
  }

  it('where the whole is checked by its bytes, a part may come with any checksum', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k');
    const sum = await checksumOf('SHA256', LAST);
    const { headers } = await part(stage, ['/plain/k', upload, 1], LAST, { headers: { 'x-amz-checksum-sha256': sum } });
    assert.equal(headers['x-amz-checksum-sha256'], sum);
    const line: Line = { number: 1, etag: headers.etag!, checksum: ['SHA256', sum] };
    assert.equal((await complete(stage, ['/plain/k', upload], completion([line]))).status, 200);
  });

  const one = (etag: string) => completion([{ number: 1, etag }]);
  type Lines = readonly Line[];
  const completions: readonly (readonly [what: string, body: (lines: Lines) => string, headers: Record<string, string>, code: string])[] = [
    ['nothing', () => '', {}, 'MissingRequestBodyError'],
    ['no XML', () => 'parts', {}, 'MalformedXML'],
    ['no parts', () => completion([]), {}, 'MalformedXML'],
    ['10,001 parts', () => completion(Array.from({ length: 10_001 }, () => ({ number: 1, etag: 'x' }))), {}, 'MalformedXML'],
    [
      'an element nobody knows',
      () =>
        '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag><ChecksumMD5>x</ChecksumMD5></Part></CompleteMultipartUpload>',
      {},
      'MalformedXML',
    ],
    ['a part number of 0', () => completion([{ number: 0, etag: 'x' }]), {}, 'InvalidArgument'],
    ['the wrong order', ([first, last]) => completion([last!, first!]), {}, 'InvalidPartOrder'],
    ['a part twice', ([first]) => completion([first!, first!]), {}, 'InvalidPartOrder'],
    ['another ETag', () => one('"0123"'), {}, 'InvalidPart'],
    ['a part that did not come', ([first]) => completion([first!, { number: 7, etag: first!.etag }]), {}, 'InvalidPart'],
    ['another checksum of a part', ([first]) => completion([{ ...first!, checksum: ['CRC64NVME', 'AAAAAAAAAAA='] }]), {}, 'InvalidPart'],
    ['another size', (lines) => completion(lines), { 'x-amz-mp-object-size': '5' }, 'InvalidRequest'],
    ['a size that is none', (lines) => completion(lines), { 'x-amz-mp-object-size': 'big' }, 'InvalidArgument'],
    ['another checksum of the whole', (lines) => completion(lines), { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'BadDigest'],
    ['another checksum type', (lines) => completion(lines), { 'x-amz-checksum-type': 'COMPOSITE' }, 'InvalidRequest'],
    ['a checksum of the wrong length', (lines) => completion(lines), { 'x-amz-checksum-crc32': 'AAAAAAAAAAA=' }, 'InvalidRequest'],
    [
      'two checksums',
      (lines) => completion(lines),
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' },
      'InvalidRequest',
    ],
    ['an unknown checksum', (lines) => completion(lines), { 'x-amz-checksum-sha512': 'AAAA' }, 'InvalidRequest'],
    ['a body with another MD5', (lines) => completion(lines), { 'content-md5': md5(FIRST).toString('base64') }, 'BadDigest'],
    ['If-Match on nothing', (lines) => completion(lines), { 'if-match': '"x"' }, 'NoSuchKey'],
    ['If-None-Match with an ETag', (lines) => completion(lines), { 'if-none-match': '"x"' }, 'NotImplemented'],
  ];
  it('leave the upload open', async () => {
    const stage = openStage();
    const { upload, lines } = await twoParts(stage, '/plain/k');
    for (const [what, body, headers, code] of completions) {
      const answer = await complete(stage, ['/plain/k', upload], body(lines), { headers });
      assert.equal(answer.element('Code'), code, `${what}: ${answer.text.slice(0, 300)}`);
    }
    assert.equal((await complete(stage, ['/plain/k', upload], completion(lines))).status, 200);
  });

  it('a part that is too small, and an upload that is not there', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k');
    const etags = await Promise.all([1, 2].map(async (number) => (await part(stage, ['/plain/k', upload, number], 'small')).headers.etag!));
    const body = completion(etags.map((etag, at) => ({ number: at + 1, etag })));
    assert.equal((await complete(stage, ['/plain/k', upload], body)).element('Code'), 'EntityTooSmall');
    assert.equal((await complete(stage, ['/plain/k', 'nothing'], body)).element('Code'), 'NoSuchUpload');
    assert.equal((await complete(stage, ['/plain/other', upload], body)).element('Code'), 'NoSuchUpload');
  });
});

describe('part copies', () => {
  const copy = (stage: Stage, upload: string, headers: Record<string, string>, asker: Asker = {}) =>
    stage.ask({ method: 'PUT', target: `/other/to?partNumber=1&uploadId=${upload}`, headers, body: '', ...asker });

  it('take (a range of) another object', async () => {
    const stage = openStage();
    await stage.put('/plain/from', '0123456789');
    const upload = await begin(stage, '/other/to');
    const answer = await copy(stage, upload, { 'x-amz-copy-source': 'plain/from', 'x-amz-copy-source-range': 'bytes=2-5' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.element('ETag'), `"${md5(Buffer.from('2345')).toString('hex')}"`);
    assert.equal(answer.element('ChecksumCRC64NVME'), await checksumOf('CRC64NVME', Buffer.from('2345')));
    assert.equal((await complete(stage, ['/other/to', upload], completion([{ number: 1, etag: answer.element('ETag')! }]))).status, 200);
    assert.equal((await stage.get('/other/to')).text, '2345');
  });

  const refusals: readonly (readonly [headers: Record<string, string>, asker: Asker, code: string])[] = [
    [{ 'x-amz-copy-source-range': 'bytes=2-10' }, {}, 'InvalidArgument'],
    ...['2-', '-3', '10-10', '20-30', '5-2', '0-1,3-4', ' 0-1', '0-1 ', '0-9999999999999999', ''].map(
      (range) => [{ 'x-amz-copy-source-range': `bytes=${range}` }, {}, 'InvalidArgument'] as const,
    ),
    [{ 'x-amz-copy-source-range': '0-1' }, {}, 'InvalidArgument'],
    [{ 'x-amz-copy-source-range': 'bits=0-1' }, {}, 'InvalidArgument'],
    [{ 'x-amz-copy-source': 'plain/empty', 'x-amz-copy-source-range': 'bytes=0-0' }, {}, 'InvalidArgument'],
    [{ 'x-amz-copy-source': 'plain/none' }, {}, 'NoSuchKey'],
    [{ 'x-amz-copy-source-if-match': '"x"' }, {}, 'PreconditionFailed'],
    [{}, { denied: ['s3:GetObject'] }, 'AccessDenied'],
    [{}, { as: 'dropper' }, 'AccessDenied'],
  ];
  for (const [headers, asker, code] of refusals) {
    it(`refuse ${JSON.stringify({ ...headers, ...asker })}`, async () => {
      const stage = openStage();
      await stage.put('/plain/empty', '');
      await stage.put('/plain/from', '0123456789');
      const upload = await begin(stage, '/other/to');
      assert.equal((await copy(stage, upload, { 'x-amz-copy-source': 'plain/from', ...headers }, asker)).element('Code'), code);
    });
  }

  it('let no held bytes out', async () => {
    const stage = openStage();
    await stage.put('/plain/from', '0123456789');
    stage.held.add(`sha256:${createHash('sha256').update('0123456789').digest('hex')}`);
    const upload = await begin(stage, '/other/to');
    assert.equal((await copy(stage, upload, { 'x-amz-copy-source': 'plain/from' })).status, 403);
  });
});

describe('lists of parts and uploads', () => {
  it('parts come in order, page by page', async () => {
    const stage = openStage();
    const upload = await begin(stage, '/plain/k', { 'x-amz-checksum-algorithm': 'SHA1', 'x-amz-storage-class': 'STANDARD_IA' });
    for (const number of [9, 2, 5]) await part(stage, ['/plain/k', upload, number], `part ${number}`);
    const first = await stage.get(`/plain/k?uploadId=${upload}&max-parts=2`);
    assert.deepEqual(first.elements('PartNumber'), ['2', '5']);
    assert.deepEqual(
      ['IsTruncated', 'NextPartNumberMarker', 'MaxParts'].map((name) => first.element(name)),
      ['true', '5', '2'],
    );
    assert.deepEqual(
      ['StorageClass', 'ChecksumAlgorithm', 'ChecksumType'].map((name) => first.element(name)),
      ['STANDARD_IA', 'SHA1', 'COMPOSITE'],
    );
    assert.equal(first.element('ChecksumSHA1'), await checksumOf('SHA1', Buffer.from('part 2')));
    const second = await stage.get(`/plain/k?uploadId=${upload}&part-number-marker=5`);
    assert.deepEqual([second.elements('PartNumber'), second.element('IsTruncated'), second.element('Size')], [['9'], 'false', '6']);
    assert.equal((await stage.get(`/plain/k?uploadId=${upload}&max-parts=x`)).element('Code'), 'InvalidArgument');
    assert.equal((await stage.get(`/plain/k?uploadId=${upload}`, {}, { as: 'dropper' })).status, 403);
  });

  it('uploads come by key and prefix, page by page', async () => {
    const stage = openStage();
    for (const key of ['a/1', 'a/2', 'b', 'c%20d']) await begin(stage, `/plain/${key}`);
    const twice = await begin(stage, '/plain/b');
    const all = await stage.get('/plain?uploads');
    assert.deepEqual(all.elements('Key'), ['a/1', 'a/2', 'b', 'b', 'c d']);
    const folders = await stage.get('/plain?uploads&delimiter=%2F&encoding-type=url');
    assert.deepEqual(
      [folders.elements('Key'), folders.elements('Prefix')],
      [
        ['b', 'b', 'c%20d'],
        ['', 'a/'],
      ],
    );
    assert.deepEqual((await stage.get('/plain?uploads&prefix=a%2F')).elements('Key'), ['a/1', 'a/2']);
    const page = await stage.get('/plain?uploads&max-uploads=3');
    assert.deepEqual([page.element('IsTruncated'), page.element('NextKeyMarker')], ['true', 'b']);
    const next = await stage.get(`/plain?uploads&key-marker=b&upload-id-marker=${page.element('NextUploadIdMarker')}`);
    assert.deepEqual(next.elements('UploadId')[0], twice);
    assert.deepEqual((await stage.get('/plain?uploads&key-marker=b')).elements('Key'), ['c d']);
    assert.equal((await stage.get('/plain?uploads&max-uploads=-1')).element('Code'), 'InvalidArgument');
    assert.equal((await stage.get('/plain?uploads', {}, { as: 'fetcher' })).status, 403);
  });
});
