/** curl: presigned URLs, its own SigV4, ranges, conditions and refusals. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { MIB, makeWorkspace, sha256Of, slice, sameBytes, type Workspace } from '../src/files.ts';
import { s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';
import { run } from '../src/shell.ts';

const BUCKET = 'curl-bucket';
const DOMAIN = 's3.example';
// curl before 8 leaves out the header that S3 asks for.
const SIGV4 = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];

describe('curl', () => {
  let server: Server;
  let work: Workspace;
  let s3: S3Client;

  before(async () => {
    server = await startServer({ env: { BONDED_DOMAIN: DOMAIN } });
    work = await makeWorkspace();
    // Otherwise the SDK signs the checksum of an empty body into the URL of an upload.
    s3 = s3Client(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
    await work.remove();
  });

  const curl = (...args: string[]) => run(['curl', '--silent', '--show-error', ...args]);
  const status = (...args: string[]) => curl('--output', '/dev/null', '--write-out', '%{http_code}', ...args);
  const asOwner = () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    return [...SIGV4, '--user', `${accessKeyId}:${secretAccessKey}`];
  };
  const at = (key: string) => `${server.url}/${BUCKET}/${key}`;
  const presignedGet = (key: string, expiresIn = 60) => getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: key }), { expiresIn });
  const presignedPut = (key: string) => getSignedUrl(s3, new PutObjectCommand({ Bucket: BUCKET, Key: key }), { expiresIn: 60 });

  it('uploads and downloads through presigned URLs', async () => {
    const sample = await work.sample('presigned.bin', 24 * MIB);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('presigned.bin'));
    await curl('--fail', '--output', work.at('back.bin'), await presignedGet('presigned.bin'));
    assert.equal(await sha256Of(work.at('back.bin')), sample.sha256);
  });

  it('deletes and uploads parts through presigned URLs of those operations', async () => {
    const sample = await work.sample('gone.bin', 1000);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('gone.bin'));
    const remove = await getSignedUrl(s3, new DeleteObjectCommand({ Bucket: BUCKET, Key: 'gone.bin' }), { expiresIn: 60 });
    assert.equal(await status('--request', 'DELETE', remove), '204');
    assert.equal(await status(await presignedGet('gone.bin')), '404');
    const part = new UploadPartCommand({ Bucket: BUCKET, Key: 'gone.bin', UploadId: 'no-such-upload', PartNumber: 1 });
    assert.match(await curl('--upload-file', sample.path, await getSignedUrl(s3, part)), /<Code>NoSuchUpload<\/Code>/);
  });

  it('refuses a presigned URL that was changed, is of another method, or is past its time', async () => {
    const sample = await work.sample('guarded.bin', 1000);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('guarded.bin'));
    const url = await presignedGet('guarded.bin');
    assert.match(await curl(url.replace('guarded.bin', 'presigned.bin')), /<Code>SignatureDoesNotMatch<\/Code>/);
    assert.match(await curl('--request', 'DELETE', url), /<Code>SignatureDoesNotMatch<\/Code>/);
    const expired = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'guarded.bin' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 3_600_000),
    });
    const answer = await curl('--write-out', '%{http_code}', expired);
    assert.match(answer, /<Code>AccessDenied<\/Code>.*403$/s);
    assert.match(answer, /expired/i);
  });

  it('signs for itself: put, get, head, list, delete', async () => {
    const sample = await work.sample('signed.bin', 3 * MIB);
    await curl('--fail', ...asOwner(), '--upload-file', sample.path, at('signed.bin'));
    await curl('--fail', ...asOwner(), '--output', work.at('signed.back'), at('signed.bin'));
    assert.equal(await sha256Of(work.at('signed.back')), sample.sha256);
    const head = await curl('--fail', '--head', ...asOwner(), at('signed.bin'));
    assert.match(head, new RegExp(`^content-length: ${sample.size}\\r?$`, 'im'));
    assert.match(head, /^accept-ranges: bytes\r?$/im);
    assert.match(head, /^etag: "[0-9a-f]{32}"\r?$/im);
    const digest = Buffer.from(sample.sha256, 'hex').toString('base64');
    assert.ok(head.toLowerCase().includes(`repr-digest: sha-256=:${digest.toLowerCase()}:`), head);
    assert.match(await curl('--fail', ...asOwner(), `${server.url}/${BUCKET}`), /<Key>signed\.bin<\/Key>/);
    assert.equal(await status('--request', 'DELETE', ...asOwner(), at('signed.bin')), '204');
    assert.equal(await status(...asOwner(), at('signed.bin')), '404');
  });

  it('reaches a bucket by its own host name', async () => {
    const { port } = new URL(server.url);
    const hosted = (key: string) => `http://${BUCKET}.${DOMAIN}:${port}/${key}`;
    const there = ['--connect-to', `::127.0.0.1:${port}`];
    const sample = await work.sample('hosted.bin', 4000);
    await curl('--fail', ...there, ...asOwner(), '--upload-file', sample.path, hosted('deep/hosted.bin'));
    await curl('--fail', ...there, ...asOwner(), '--output', work.at('hosted.back'), hosted('deep/hosted.bin'));
    assert.equal(await sha256Of(work.at('hosted.back')), sample.sha256);
    assert.match(await curl(...there, ...asOwner(), hosted('')), /<Name>curl-bucket<\/Name>[\s\S]*<Key>deep\/hosted\.bin<\/Key>/);
    assert.match(await curl('--fail', ...asOwner(), `${server.url}/${BUCKET}`), /<Key>deep\/hosted\.bin<\/Key>/);
  });

  it('answers ranges: a middle, a suffix, an open end, past the end', async () => {
    const sample = await work.sample('ranged.bin', 2 * MIB);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('ranged.bin'));
    const url = await presignedGet('ranged.bin');
    const part = work.at('part');
    const headers = await curl('--fail', '--range', '1000-1999', '--output', part, '--dump-header', '-', url);
    assert.match(headers, /^HTTP\/1\.1 206 /);
    assert.match(headers, new RegExp(`^content-range: bytes 1000-1999/${sample.size}\\r?$`, 'im'));
    sameBytes(await readFile(part), await slice(sample.path, 1000, 1999));
    await curl('--fail', '--range', '-500', '--output', part, url);
    sameBytes(await readFile(part), await slice(sample.path, sample.size - 500, sample.size - 1));
    await curl('--fail', '--range', `${sample.size - 10}-`, '--output', part, url);
    sameBytes(await readFile(part), await slice(sample.path, sample.size - 10, sample.size - 1));
    assert.equal(await status('--range', `${sample.size}-`, url), '416');
  });

  it('takes a broken download up again', async () => {
    const sample = await work.sample('resumed.bin', 8 * MIB);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('resumed.bin'));
    const url = await presignedGet('resumed.bin');
    const target = work.at('resumed.back');
    await curl('--fail', '--range', `0-${3 * MIB}`, '--output', target, url);
    await curl('--fail', '--continue-at', '-', '--output', target, url);
    assert.equal(await sha256Of(target), sample.sha256);
  });

  it('answers conditions', async () => {
    const sample = await work.sample('conditional.bin', 100);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('conditional.bin'));
    const url = await presignedGet('conditional.bin');
    const etag = /^etag: (\S+)/im.exec(await curl('--dump-header', '-', '--output', '/dev/null', url))?.[1] ?? '';
    assert.equal(await status('--header', `If-None-Match: ${etag}`, url), '304');
    assert.equal(await status('--header', `If-Match: ${etag}`, url), '200');
    assert.equal(await status('--header', 'If-Match: "0123456789abcdef0123456789abcdef"', url), '412');
  });

  it('stores nothing of an upload whose digest or length is wrong', async () => {
    const sample = await work.sample('wrong.bin', 5000);
    const wrongMd5 = Buffer.alloc(16).toString('base64');
    assert.match(
      await curl('--header', `Content-MD5: ${wrongMd5}`, '--upload-file', sample.path, await presignedPut('wrong.bin')),
      /<Code>BadDigest<\/Code>/,
    );
    assert.equal(await status(await presignedGet('wrong.bin')), '404');
  });

  it('is refused without credentials, and learns nothing about what exists', async () => {
    const sample = await work.sample('secret.bin', 100);
    await curl('--fail', '--upload-file', sample.path, await presignedPut('secret.bin'));
    const there = await curl('--write-out', '%{http_code}', at('secret.bin'));
    const absent = await curl('--write-out', '%{http_code}', at('no-such-key'));
    assert.match(there, /<Code>AccessDenied<\/Code>.*403$/s);
    assert.match(absent, /<Code>AccessDenied<\/Code>.*403$/s);
    assert.equal(await status('--upload-file', sample.path, at('intruder')), '403');
    assert.equal(await status('--upload-file', sample.path, `${server.url}/no-such-bucket/intruder`), '403');
  });

  it('names wrong keys and wrong secrets as S3 does', async () => {
    assert.match(await curl(...SIGV4, '--user', 'AKIANOBODYKNOWSTHIS0:secret', at('x')), /<Code>InvalidAccessKeyId<\/Code>/);
    const wrong = await curl(...SIGV4, '--user', `${server.credentials.accessKeyId}:wrong`, at('x'));
    assert.match(wrong, /<Code>SignatureDoesNotMatch<\/Code>/);
    assert.ok(!wrong.includes(server.credentials.secretAccessKey));
  });

  it('finds health, readiness and metrics in the open', async () => {
    assert.equal(await status(`${server.url}/healthz`), '200');
    assert.equal(await status(`${server.url}/readyz`), '200');
    assert.match(await curl('--fail', `${server.metricsUrl}/metrics`), /^bonded_/m);
  });
});
