/** tus-js-client, the client behind Uppy, through power cuts of the server. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload, type UploadOptions } from 'tus-js-client';
import { MIB } from '../src/files.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';

const Bucket = 'resumed';
const CUTS = 3;

describe('tus-js-client', () => {
  let server: Server;
  let s3: S3Client;
  const client = (): S3Client => s3Client(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const authorization = (): string =>
    `Basic ${Buffer.from(`${server.credentials.accessKeyId}:${server.credentials.secretAccessKey}`).toString('base64')}`;

  before(async () => {
    server = await startServer();
    s3 = client();
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
  });

  async function powerCut(): Promise<void> {
    s3.destroy();
    await server.kill();
    await server.start();
    s3 = client();
  }

  /** Starts an upload; `done` resolves when the client says that it is complete. */
  function begin(key: string, body: Buffer, options: Partial<UploadOptions> = {}): { upload: Upload; done: Promise<void> } {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    const upload = new Upload(body, {
      endpoint: `${server.url}/uploads/${Bucket}/${key}`,
      headers: { Authorization: authorization() },
      retryDelays: Array.from({ length: 60 }, () => 250),
      metadata: { filename: key, filetype: 'application/x-test' },
      onSuccess: () => resolve(),
      onError: reject,
      ...options,
    });
    upload.start();
    return { upload, done };
  }

  async function download(Key: string): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  it('uploads in one go, with its metadata', async () => {
    const body = randomBytes(3 * MIB + 1);
    await begin('whole', body).done;
    assert.ok(body.equals(await download('whole')));
    const { ContentType, ContentDisposition } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'whole' }));
    assert.deepEqual([ContentType, ContentDisposition], ['application/x-test', 'inline; filename="whole"']);
  });

  it('goes on after every power cut, and is never asked for a byte that was acknowledged', async () => {
    const body = randomBytes(40 * MIB + 7);
    let acknowledged = 0;
    let asked = 0;
    const { done } = begin('cut', body, {
      chunkSize: 2 * MIB,
      onChunkComplete: (_size, accepted) => void (acknowledged = accepted),
      onBeforeRequest: (sent) => {
        if (sent.getMethod() !== 'PATCH') return;
        asked += 1;
        const offset = Number(sent.getHeader('Upload-Offset'));
        assert.ok(offset >= acknowledged, `asked for ${offset} again, after ${acknowledged} were acknowledged`);
      },
    });
    for (let cut = 1; cut <= CUTS; cut += 1) {
      while (acknowledged < (cut * body.length) / (CUTS + 1)) await sleep(1);
      await powerCut();
    }
    await done;
    assert.ok(asked > 20);
    assert.ok(body.equals(await download('cut')));
  });

  it('keeps what came of a request that a power cut broke off', async () => {
    const body = randomBytes(40 * MIB);
    const made = await fetch(`${server.url}/uploads/${Bucket}/half`, {
      method: 'POST',
      headers: { authorization: authorization(), 'tus-resumable': '1.0.0', 'upload-length': String(body.length) },
    });
    const url = new URL(made.headers.get('location') ?? '', server.url);
    const patch = request(url, {
      method: 'PATCH',
      headers: {
        authorization: authorization(),
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
        'content-length': body.length,
      },
    });
    patch.on('error', () => undefined);
    for (let at = 0; at < 36 * MIB; at += MIB) if (!patch.write(body.subarray(at, at + MIB))) await once(patch, 'drain');
    await sleep(300);
    await powerCut();
    const head = await fetch(url, { method: 'HEAD', headers: { authorization: authorization(), 'tus-resumable': '1.0.0' } });
    const offset = Number(head.headers.get('upload-offset'));
    assert.ok(offset >= 16 * MIB && offset <= 36 * MIB, `${offset} bytes were kept`);
    await begin('half', body, { uploadUrl: url.href }).done;
    assert.ok(body.equals(await download('half')));
  });

  it('sends parallel uploads, and joins them', async () => {
    const body = randomBytes(20 * MIB + 3);
    await begin('joined', body, { parallelUploads: 4 }).done;
    assert.ok(body.equals(await download('joined')));
    const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'joined' }));
    assert.equal(Metadata?.['filename'], 'joined');
  });

  it('terminates, and leaves nothing', async () => {
    const { upload, done } = begin('ended', randomBytes(30 * MIB), { chunkSize: MIB });
    done.catch(() => undefined);
    while (upload.url === null) await sleep(1);
    await upload.abort(true);
    const head = await fetch(new URL(upload.url, server.url), {
      method: 'HEAD',
      headers: { authorization: authorization(), 'tus-resumable': '1.0.0' },
    });
    assert.equal(head.status, 404);
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'ended' })))).status, 404);
  });

  it('is refused when the whole is not what was stated', async () => {
    const metadata = { sha256: createHash('sha256').update('meant').digest('hex') };
    await assert.rejects(begin('stated', Buffer.from('came!'), { metadata, retryDelays: null }).done, /400|SHA-256/);
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'stated' })))).status, 404);
  });
});
