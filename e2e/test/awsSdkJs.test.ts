/** The AWS SDK for JavaScript with its managed uploads and its default integrity protection. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
  type ChecksumAlgorithm,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { MIB, makeWorkspace, sameBytes, type Workspace } from '../src/files.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';

const Bucket = 'sdk-bucket';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('AWS SDK for JavaScript', () => {
  let server: Server;
  let work: Workspace;
  let s3: S3Client;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
    s3 = s3Client(server);
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
    await work.remove();
  });

  const put = (Key: string, Body: PutObjectCommand['input']['Body'] = 'content') => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  async function read(Key: string, more: Partial<GetObjectCommand['input']> = {}): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  it('puts and gets text, bytes and streams of known length', async () => {
    await put('text', 'grüezi');
    assert.equal((await read('text')).toString(), 'grüezi');
    const bytes = randomBytes(100_000);
    await put('bytes', bytes);
    sameBytes(await read('bytes'), bytes);
    const sample = await work.sample('streamed', 3 * MIB);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'streamed', Body: createReadStream(sample.path), ContentLength: sample.size }));
    assert.equal(sha256(await read('streamed')), sample.sha256);
  });

  it('uploads a stream of unknown length in parallel parts, and reads it by parts and ranges', async () => {
    const bytes = randomBytes(23 * MIB);
    const upload = new Upload({
      client: s3,
      params: { Bucket, Key: 'managed', Body: Readable.from(chunksOf(bytes)) },
      queueSize: 4,
      partSize: 5 * MIB,
    });
    const done = await upload.done();
    assert.match(done.ETag ?? '', /-5"$/);
    assert.equal(sha256(await read('managed')), sha256(bytes));
    sameBytes(await read('managed', { Range: `bytes=${5 * MIB - 10}-${5 * MIB + 9}` }), bytes.subarray(5 * MIB - 10, 5 * MIB + 10));
    sameBytes(await read('managed', { PartNumber: 5 }), bytes.subarray(20 * MIB));
  });

  it('gives a managed upload up without a trace', async () => {
    const upload = new Upload({ client: s3, params: { Bucket, Key: 'given-up', Body: Readable.from(endless()) }, partSize: 5 * MIB });
    upload.on('httpUploadProgress', () => void upload.abort());
    await assert.rejects(upload.done(), /abort/i);
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'given-up' })))).status, 404);
  });

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const satisfies readonly ChecksumAlgorithm[]) {
    it(`sends ${algorithm} as header and as trailer, and gets it back`, async function () {
      const bytes = randomBytes(200_000);
      const check = async (Body: PutObjectCommand['input']['Body'], Key: string) => {
        const sent = await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes.length, ChecksumAlgorithm: algorithm }));
        const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
        assert.ok(sent[`Checksum${algorithm}`]);
        assert.equal(head[`Checksum${algorithm}`], sent[`Checksum${algorithm}`]);
        sameBytes(await read(Key, { ChecksumMode: 'ENABLED' }), bytes);
      };
      await check(bytes, `sum-header-${algorithm}`);
      await check(Readable.from(chunksOf(bytes)), `sum-trailer-${algorithm}`);
    });

    it(`completes an upload in parts under ${algorithm}`, async () => {
      const Key = `parts-${algorithm}`;
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: algorithm }));
      const bodies = [randomBytes(5 * MIB), randomBytes(1000)];
      const Parts = await Promise.all(
        bodies.map(async (Body, index) => {
          const PartNumber = index + 1;
          const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: algorithm }));
          return { PartNumber, ETag: part.ETag, [`Checksum${algorithm}`]: part[`Checksum${algorithm}`] };
        }),
      );
      const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
      assert.ok(done[`Checksum${algorithm}`], JSON.stringify(done));
      assert.equal(sha256(await read(Key)), sha256(Buffer.concat(bodies)));
      const { ObjectParts } = await s3.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts'] }));
      assert.equal(ObjectParts?.TotalPartsCount, 2);
    });
  }

  it('refuses a checksum that does not fit, and an algorithm it does not know', async () => {
    const wrong = new PutObjectCommand({ Bucket, Key: 'never', Body: 'x', ChecksumCRC32: 'AAAAAA==' });
    assert.deepEqual(await errorOf(s3.send(wrong)), { name: 'BadDigest', status: 400 });
    const unknown = new PutObjectCommand({ Bucket, Key: 'never', Body: 'x' });
    unknown.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-amz-checksum-xxhash128'] = 'AAAA';
        return next(args);
      },
      { step: 'build' },
    );
    assert.deepEqual(await errorOf(s3.send(unknown)), { name: 'InvalidRequest', status: 400 });
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'never' })))).status, 404);
  });

  it('lists over pages, keys in byte order', async () => {
    const keys = Array.from({ length: 23 }, (_, n) => `page/${String(n).padStart(3, '0')}`);
    await Promise.all(keys.map((key) => put(key)));
    const seen: string[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 5 }, { Bucket, Prefix: 'page/' }))
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
    assert.deepEqual(seen, keys);
    const folders = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }));
    assert.ok(folders.CommonPrefixes?.some(({ Prefix }) => Prefix === 'page/'));
  });

  it('keeps keys that are hard to write down', async () => {
    for (const key of ['a b/c+d', 'ä/日本', '%2F', 'x/../y', './x', 'x//y', 'quote\'"<&>', 'ends/', '\u{1f4e6}', 'tab\there']) {
      await put(key, key);
      assert.equal((await read(key)).toString(), key);
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: key }));
      assert.equal(Contents?.[0]?.Key, key);
    }
  });

  it('copies by reference, with tags', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'origin', Body: 'same', Tagging: 'a=1' }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'twin', CopySource: `${Bucket}/origin` }));
    assert.equal((await read('twin')).toString(), 'same');
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'twin' }));
    assert.deepEqual(TagSet, [{ Key: 'a', Value: '1' }]);
  });

  it('deletes many, and versions of them', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'sdk-versions' }));
    await s3.send(new PutBucketVersioningCommand({ Bucket: 'sdk-versions', VersioningConfiguration: { Status: 'Enabled' } }));
    const first = await s3.send(new PutObjectCommand({ Bucket: 'sdk-versions', Key: 'k', Body: '1' }));
    const marked = await s3.send(new DeleteObjectsCommand({ Bucket: 'sdk-versions', Delete: { Objects: [{ Key: 'k' }] } }));
    assert.equal(marked.Deleted?.[0]?.DeleteMarker, true);
    const gone = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'sdk-versions', Delete: { Objects: [{ Key: 'k', VersionId: first.VersionId }] } }),
    );
    assert.equal(gone.Deleted?.[0]?.VersionId, first.VersionId);
  });

  it('has one winner of concurrent conditional writes', async () => {
    const attempts = Array.from({ length: 12 }, (_, n) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'race', Body: `${n}`, IfNoneMatch: '*' })),
    );
    const outcomes = await Promise.allSettled(attempts);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('says who is refused and what is missing', async () => {
    const stranger = s3Client(server, { credentials: { ...server.credentials, secretAccessKey: 'wrong' } });
    assert.deepEqual(await errorOf(stranger.send(new GetObjectCommand({ Bucket, Key: 'text' }))), {
      name: 'SignatureDoesNotMatch',
      status: 403,
    });
    stranger.destroy();
    assert.deepEqual(await errorOf(read('no-such-key')), { name: 'NoSuchKey', status: 404 });
    assert.deepEqual(await errorOf(s3.send(new ListObjectsV2Command({ Bucket: 'no-such-bucket' }))), { name: 'NoSuchBucket', status: 404 });
  });
});

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
}

function* endless(): Generator<Buffer> {
  const chunk = randomBytes(64 * 1024);
  for (let sent = 0; sent < 400 * MIB; sent += chunk.length) yield chunk;
}
