import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { checksumOf } from '../../../src/core/hashing/checksums.ts';
import type { ChecksumAlgorithm } from '../../../src/core/object.ts';
import { ArtefactError } from '../../../src/errors.ts';
import type { Payload } from '../../../src/protocols/contract.ts';
import { readBody, readOptionalXml, readXml } from '../../../src/protocols/s3/body.ts';
import { claimedChecksum, contentMd5 } from '../../../src/protocols/s3/checksumHeaders.ts';
import { head, payload } from './fakes.ts';

const BODY = '<Tagging><TagSet/></Tagging>';
const md5 = createHash('md5').update(BODY).digest('base64');
const sha256 = createHash('sha256').update(BODY).digest('hex');

const call = (headers: Record<string, string> = {}, changes: Partial<Payload> = {}, body = BODY) => ({
  head: head('PUT', '/b', { headers }),
  payload: payload(body, changes),
});
const refused = (code: string) => (error: unknown) => error instanceof ArtefactError && error.code === code;

describe('S3 documents that come in', () => {
  it('are read whole, from chunks that are only lent', async () => {
    assert.equal(Buffer.from(await readBody(call(), 1000)).toString(), BODY);
    assert.equal((await readXml(call(), ['Tagging'], 1000)).name, 'Tagging');
  });

  it('must not be missing where one is needed', async () => {
    assert.equal(await readOptionalXml(call({}, {}, ''), ['Tagging'], 1000), undefined);
    await assert.rejects(
      readXml(call({}, {}, ''), ['Tagging'], 1000),
      (error) => refused('MalformedBody')(error) && (error as ArtefactError).details.s3Code === 'MissingRequestBodyError',
    );
  });

  it('have a limit, whether they declare their length or not', async () => {
    assert.ok(await readBody(call(), BODY.length));
    await assert.rejects(readBody(call(), BODY.length - 1), refused('BodyTooLarge'));
    await assert.rejects(readBody(call({}, { length: undefined }), BODY.length - 1), refused('BodyTooLarge'));
    await assert.rejects(readBody(call({}, { length: 3 }), BODY.length - 1), refused('BodyTooLarge'));
  });

  it('must be what the signature covers', async () => {
    assert.ok(await readBody(call({}, { signedSha256: sha256 }), 1000));
    await assert.rejects(readBody(call({}, { signedSha256: sha256 }, `${BODY} `), 1000), refused('PayloadMismatch'));
  });

  it('must have the Content-MD5 that came with them', async () => {
    assert.ok(await readBody(call({ 'content-md5': md5 }), 1000));
    await assert.rejects(readBody(call({ 'content-md5': md5 }, {}, `${BODY} `), 1000), refused('DigestMismatch'));
    for (const bad of ['x', '', 'AAAA', `${md5}=`, md5.slice(0, -2)])
      await assert.rejects(readBody(call({ 'content-md5': bad }), 1000), refused('InvalidDigest'), bad);
  });

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const satisfies readonly ChecksumAlgorithm[]) {
    it(`must have the ${algorithm} that came with them, as header or trailer`, async () => {
      const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const value = await checksumOf(algorithm, Buffer.from(BODY));
      const trailers = new Map([[name, value]]);
      assert.ok(await readBody(call({ [name]: value, 'x-amz-sdk-checksum-algorithm': algorithm }), 1000));
      assert.ok(await readBody(call({ 'x-amz-trailer': name }, { trailers }), 1000));
      await assert.rejects(readBody(call({ [name]: value }, {}, `${BODY} `), 1000), refused('DigestMismatch'));
      await assert.rejects(readBody(call({ 'x-amz-trailer': name }, { trailers }, `${BODY} `), 1000), refused('DigestMismatch'));
      await assert.rejects(readBody(call({ 'x-amz-trailer': name }), 1000), refused('MalformedBody'));
    });
  }
});

describe('Checksum headers', () => {
  const claim = (headers: Record<string, string>, target = '/b/k') => claimedChecksum(head('PUT', target, { headers }));
  const refuses = (headers: Record<string, string>) =>
    assert.throws(() => claim(headers), { code: 'InvalidRequest' }, JSON.stringify(headers));

  it('name one algorithm, or none', () => {
    assert.equal(claim({}), undefined);
    assert.deepEqual(claim({ 'x-amz-checksum-crc32': 'AAAAAA==' }), { algorithm: 'CRC32', value: 'AAAAAA==' });
    assert.deepEqual(claim({ 'x-amz-trailer': 'x-amz-checksum-crc64nvme' }), { algorithm: 'CRC64NVME' });
    assert.equal(
      claim({ 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-mode': 'ENABLED' }),
      undefined,
    );
  });

  it('are refused when unknown, several, of the wrong form, or announced and missing', () => {
    refuses({ 'x-amz-checksum-md5': 'x' });
    refuses({ 'x-amz-checksum-xxhash128': 'x' });
    refuses({ 'x-amz-trailer': 'x-amz-checksum-sha512' });
    refuses({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' });
    refuses({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-trailer': 'x-amz-checksum-crc32c' });
    for (const value of ['', 'AAAA', 'AAAAAA', 'AAAAA===', 'ffffffff', 'AAAAAB==', ' AAAAAA==']) refuses({ 'x-amz-checksum-crc32': value });
    refuses({ 'x-amz-sdk-checksum-algorithm': 'CRC32' });
    refuses({ 'x-amz-sdk-checksum-algorithm': 'SHA256', 'x-amz-checksum-crc32': 'AAAAAA==' });
  });

  it('may stand in the query of a presigned URL, where nothing else makes them count', () => {
    assert.equal(claim({}, '/b/k?x-amz-checksum-crc32=AAAAAA%3D%3D&X-Amz-Signature=x')?.value, 'AAAAAA==');
    assert.equal(claim({}, '/b/k?x-amz-checksum-crc32=AAAAAA%3D%3D'), undefined);
  });

  it('give Content-MD5 as hexadecimal digits', () => {
    assert.equal(contentMd5(head('PUT', '/b', { headers: { 'content-md5': md5 } })), createHash('md5').update(BODY).digest('hex'));
  });
});
