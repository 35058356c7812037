/** A browser's form upload: the policy comes from the AWS SDK, the form is sent as a browser would send it. */
import assert from 'node:assert/strict';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { MIB, makeWorkspace, type Workspace } from '../src/files.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';
import { run } from '../src/shell.ts';

const BUCKET = 'form-bucket';

describe('browser form upload', () => {
  let server: Server;
  let work: Workspace;
  let s3: S3Client;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
    s3 = s3Client(server);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
    await work.remove();
  });

  /** Sends the form with curl, fields in the order of a page: the file last. Answers headers, body and status. */
  async function send(
    form: Partial<PresignedPostOptions> & { Key: string },
    file: string,
    changes: Record<string, string> = {},
  ): Promise<string> {
    const { url, fields } = await createPresignedPost(s3, { Bucket: BUCKET, Expires: 60, ...form });
    const parts = Object.entries({ ...fields, ...changes }).flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
    return run(['curl', '--silent', '--show-error', '--include', ...parts, '--form', `file=@${file};type=image/png`, url]);
  }

  it('stores the file under the key, with the fields as its headers', async () => {
    const sample = await work.sample('picture.png', 3 * MIB);
    const answer = await send(
      {
        Key: 'uploads/picture.png',
        Fields: { 'Content-Type': 'image/png', 'x-amz-meta-album': 'summer' },
        Conditions: [['eq', '$x-amz-meta-album', 'summer']],
      },
      sample.path,
    );
    assert.match(answer, /^HTTP\/1\.1 204 /m);
    const head = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'uploads/picture.png' }));
    assert.equal(head.ContentLength, sample.size);
    assert.equal(head.ContentType, 'image/png');
    assert.equal(head.Metadata?.album, 'summer');
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'uploads/picture.png' }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    assert.equal(Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(bytes))).toString('hex'), sample.sha256);
  });

  it('fills ${filename} in, and answers 201 with where it is', async () => {
    const sample = await work.sample('named by user.txt', 10);
    const answer = await send({ Key: 'inbox/${filename}', Fields: { success_action_status: '201' } }, sample.path);
    assert.match(answer, /^HTTP\/1\.1 201 /m);
    assert.match(answer, /<PostResponse>[\s\S]*<Key>inbox\/named by user\.txt<\/Key>/);
    assert.equal((await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'inbox/named by user.txt' }))).ContentLength, 10);
  });

  it('sends the browser on where the policy says', async () => {
    const sample = await work.sample('redirected', 10);
    const answer = await send({ Key: 'redirected', Fields: { success_action_redirect: 'http://127.0.0.1:9/done' } }, sample.path);
    assert.match(answer, /^HTTP\/1\.1 303 /m);
    assert.match(answer, /^location: http:\/\/127\.0\.0\.1:9\/done\?bucket=form-bucket&key=redirected&etag=/im);
  });

  it('refuses a file larger or smaller than the policy allows, and keeps nothing', async () => {
    const sample = await work.sample('large', 2000);
    const limits = (least: number, most: number): Partial<PresignedPostOptions> => ({
      Conditions: [['content-length-range', least, most]],
    });
    assert.match(await send({ Key: 'large', ...limits(0, 1999) }, sample.path), /^HTTP\/1\.1 400 [\s\S]*<Code>EntityTooLarge<\/Code>/m);
    assert.match(await send({ Key: 'large', ...limits(2001, 9999) }, sample.path), /^HTTP\/1\.1 400 [\s\S]*<Code>EntityTooSmall<\/Code>/m);
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'large' })))).status, 404);
  });

  it('refuses a field that the policy does not cover, another key, and a signature that does not fit', async () => {
    const sample = await work.sample('x', 10);
    assert.match(await send({ Key: 'mine' }, sample.path, { key: 'yours' }), /^HTTP\/1\.1 403 [\s\S]*<Code>AccessDenied<\/Code>/m);
    assert.match(
      await send({ Key: 'mine' }, sample.path, { 'x-amz-meta-extra': '1' }),
      /^HTTP\/1\.1 403 [\s\S]*<Code>AccessDenied<\/Code>/m,
    );
    assert.match(
      await send({ Key: 'mine' }, sample.path, { 'X-Amz-Signature': '0'.repeat(64) }),
      /^HTTP\/1\.1 403 [\s\S]*<Code>SignatureDoesNotMatch<\/Code>/m,
    );
    assert.equal((await errorOf(s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'mine' })))).status, 404);
  });

  it('refuses a form without a policy from someone whom nothing allows', async () => {
    const sample = await work.sample('y', 10);
    const answer = await run([
      'curl',
      '--silent',
      '--include',
      '--form-string',
      'key=y',
      '--form',
      `file=@${sample.path}`,
      `${server.url}/${BUCKET}`,
    ]);
    assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*<Code>AccessDenied<\/Code>/m);
  });
});
