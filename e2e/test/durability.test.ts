/** Power cuts and restarts: what was acknowledged is there, what was not leaves nothing half. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { MIB, makeWorkspace, sha256Of, type Workspace } from '../src/files.ts';
import { family } from '../src/processes.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';
import { attempt } from '../src/shell.ts';

const Bucket = 'lasting';

describe('durability', () => {
  let server: Server;
  let work: Workspace;
  let s3: S3Client;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
    s3 = s3Client(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
    await work.remove();
  });

  async function powerCut(): Promise<void> {
    s3.destroy();
    await server.kill();
    await server.start();
    s3 = s3Client(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  }

  it('keeps every write that was acknowledged before a power cut amid many', async () => {
    const acknowledged = new Map<string, string>();
    let cut = false;
    const writer = async (id: number) => {
      for (let n = 0; !cut && n < 5000; n++) {
        const key = `w${id}/${n}`;
        const body = randomBytes(600).toString('hex');
        await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
        acknowledged.set(key, body);
      }
    };
    const writers = Promise.allSettled(Array.from({ length: 8 }, (_, id) => writer(id)));
    while (acknowledged.size < 200) await new Promise((turn) => setImmediate(turn));
    cut = true;
    await powerCut();
    await writers;
    for (const [Key, body] of acknowledged) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(await Body?.transformToString(), body, Key);
    }
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'w' }));
    assert.ok(Contents.length >= Math.min(1000, acknowledged.size));
  });

  it('goes on when one of its processes is killed, and loses nothing', async function () {
    const workers = family(server.pid).slice(1);
    if (workers.length === 0) this.skip();
    const acknowledged: string[] = [];
    const writing = async (id: number) => {
      for (let n = 0; n < 60; n++) {
        const Key = `worker/${id}-${n}`;
        const done = await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key })).catch(() => undefined);
        if (done !== undefined) acknowledged.push(Key);
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, id) => writing(id)));
    while (acknowledged.length < 50) await new Promise((turn) => setImmediate(turn));
    process.kill(workers[0] ?? 0, 'SIGKILL');
    await writers;
    assert.ok(acknowledged.length > 240, `only ${acknowledged.length} of 480 writes were taken`);
    for (const Key of acknowledged) assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength, Key.length);
    assert.ok(family(server.pid).length > workers.length, 'no process took the place of the one that was killed');
  });

  it('takes an upload in parts up again after a power cut', async () => {
    const Key = 'parts';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const first = randomBytes(5 * MIB);
    const one = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: first }));
    await powerCut();
    assert.equal((await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).Parts?.[0]?.ETag, one.ETag);
    const two = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body: 'end' }));
    const Parts = [one, two].map(({ ETag }, index) => ({ PartNumber: index + 1, ETag }));
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    await powerCut();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.ok(Buffer.concat([first, Buffer.from('end')]).equals((await Body?.transformToByteArray()) ?? new Uint8Array()));
  });

  it('leaves nothing of an upload that a power cut or a client broke off', async () => {
    const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'broken' })));
    const half = () => {
      const upload = request(url, { method: 'PUT', headers: { 'content-length': String(8 * MIB) } });
      upload.on('error', () => undefined);
      upload.write(randomBytes(4 * MIB));
      return upload;
    };
    const given = half();
    await once(given, 'drain');
    given.destroy();
    const cutOff = half();
    await once(cutOff, 'drain');
    await powerCut();
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'broken' })))).status, 404);
  });

  it('keeps buckets and policies that were made through the API', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${Bucket}/kept/*` }],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await powerCut();
    const kept = await s3.send(new GetBucketPolicyCommand({ Bucket }));
    assert.deepEqual(JSON.parse(kept.Policy ?? ''), JSON.parse(Policy));
  });

  it('finishes the transfers under way when asked to stop, and ends with 0', async () => {
    const sample = await work.sample('slow.bin', 6 * MIB);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'slow', Body: createReadStream(sample.path), ContentLength: sample.size }));
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'slow' }));
    const target = work.at('slow.back');
    const download = attempt(['curl', '--silent', '--fail', '--limit-rate', '3M', '--output', target, url]);
    while ((await attempt(['test', '-s', target])).code !== 0) await new Promise((turn) => setTimeout(turn, 20));
    const code = await server.terminate();
    assert.equal((await download).code, 0);
    assert.equal(await sha256Of(target), sample.sha256);
    assert.equal(code, 0);
    await server.start();
  });
});
