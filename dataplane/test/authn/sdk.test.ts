/** Requests as the AWS SDK for JavaScript makes them, over a real connection. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createAuthenticator, type Authenticated } from '../../src/authn/authenticate.ts';
import { openPayload } from '../../src/authn/payload.ts';
import { createSessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { asArtefactError } from '../../src/errors.ts';
import { collect, EXAMPLE_KEY, head, lookup } from './requests.ts';

interface Seen extends Partial<Authenticated> {
  readonly target: string;
  readonly contentSha256?: string;
  readonly refusal?: string;
  readonly body?: string;
  readonly trailers?: readonly (readonly [string, string])[];
}

const ISSUER = 'https://issuer.example';
const sessionKeys = [ephemeralSigningKey()] as const;
const authn = createAuthenticator({ issuers: [{ issuer: ISSUER, audiences: ['bonded'] }], sessionKeys });
const sessions = createSessions({ keys: sessionKeys, clock: Date.now, trusts: () => true });
const seen: Seen[] = [];

async function look(message: IncomingMessage): Promise<Seen> {
  const raw = message.rawHeaders;
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < raw.length; at += 2) (headers[raw[at]?.toLowerCase() ?? ''] ??= []).push(raw[at + 1] ?? '');
  const request = head(message.method ?? '', message.url ?? '', headers);
  const target = request.target;
  try {
    const authenticated = await authn.authenticate(request, lookup);
    const payload = openPayload(request, message as AsyncIterable<Uint8Array>, authenticated);
    const body = (await collect(payload.bytes)).toString();
    return { ...authenticated, target, body, trailers: [...payload.trailers], contentSha256: request.headers['x-amz-content-sha256'] };
  } catch (thrown) {
    const error = asArtefactError(thrown);
    return { target, refusal: `${error.code}: ${error.message} ${JSON.stringify(error.details)}` };
  }
}

describe('requests of the AWS SDK', () => {
  let server: Server;
  let endpoint = '';

  function client(config: S3ClientConfig = {}): S3Client {
    const credentials = { accessKeyId: EXAMPLE_KEY.accessKeyId, secretAccessKey: EXAMPLE_KEY.secretAccessKey };
    return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1, ...config });
  }

  /** What the server saw of the one request that `send` makes. */
  async function sight(send: () => Promise<unknown>): Promise<Seen> {
    seen.length = 0;
    await send();
    const [only] = seen;
    assert.ok(only !== undefined && seen.length === 1);
    assert.equal(only.refusal, undefined);
    return only;
  }

  before(async () => {
    server = createServer((message, response) => {
      void look(message).then((result) => {
        seen.push(result);
        message.resume();
        response.writeHead(200, { 'content-type': 'application/xml', connection: 'close' }).end('<R/>');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => server.close());

  it('are accepted with keys and parameters that need encoding', async () => {
    const Key = "a b/c+d/(e)!'*/ü€😀/%25/~._-=&?#";
    const got = await sight(() =>
      client().send(new GetObjectCommand({ Bucket: 'bucket', Key, ResponseContentType: 'text/plain; a="b c"' })),
    );
    assert.equal(got.mechanism, 'sigv4-header');
    await sight(() =>
      client().send(new ListObjectsV2Command({ Bucket: 'bucket', Prefix: 'a b/ü+', Delimiter: '/', StartAfter: "x'(1)*!" })),
    );
    await sight(() =>
      client().send(new CopyObjectCommand({ Bucket: 'bucket', Key, CopySource: '/bucket/a%20b', Metadata: { one: 'a  b' } })),
    );
  });

  it('are accepted with a body of known hash', async () => {
    const put = await sight(() =>
      client().send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'hello', Metadata: { a: ' x  y ' } })),
    );
    assert.equal(put.body, 'hello');
    assert.match(put.contentSha256 ?? '', /^[0-9a-f]{64}$/);
  });

  it('are accepted as a stream in unsigned chunks with a trailer', async () => {
    const Body = Readable.from([Buffer.from('hello '), Buffer.from('world')]);
    const put = await sight(() => client().send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body, ContentLength: 11 })));
    assert.equal(put.contentSha256, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    assert.equal(put.body, 'hello world');
    assert.deepEqual(put.trailers, [['x-amz-checksum-crc32', 'DUoRhQ==']]);
  });

  it('are accepted as parts, large enough for many chunks', async () => {
    const Body = Readable.from([Buffer.alloc(300_000, 'x'), Buffer.alloc(1, 'y')]);
    const upload = { Bucket: 'bucket', Key: 'key', UploadId: 'u+/=', PartNumber: 3, Body, ContentLength: 300_001 };
    const put = await sight(() => client().send(new UploadPartCommand(upload)));
    assert.equal(put.body?.length, 300_001);
  });

  it('are accepted unsigned, as anonymous', async () => {
    const signer = { sign: async <T>(request: T): Promise<T> => request };
    const got = await sight(() => client({ signer }).send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' })));
    assert.equal(got.principal?.kind, 'anonymous');
  });

  it('are accepted with a session, and not with another secret', async () => {
    const principal = {
      kind: 'oidc',
      id: `oidc:${ISSUER}|ci`,
      oidc: { issuer: ISSUER, claims: { sub: 'ci', groups: ['a', 'b'] } },
    } as const;
    const { expiration, bearerToken: _, ...credentials } = sessions.issue(principal, Date.now() + 900_000);
    const got = await sight(() => client({ credentials }).send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' })));
    assert.deepEqual(got.principal, { ...principal, sessionExpires: expiration });
    seen.length = 0;
    await client({ credentials: { ...credentials, secretAccessKey: 'guessed' } }).send(
      new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }),
    );
    assert.match(seen[0]?.refusal ?? '', /^SignatureMismatch/);
  });

  it('are accepted presigned, for reading and writing', async () => {
    const get = new GetObjectCommand({ Bucket: 'bucket', Key: 'a b/ü', ResponseContentDisposition: 'attachment; filename="ü.txt"' });
    const url = await getSignedUrl(client(), get, { expiresIn: 60 });
    const got = await sight(() => fetch(url));
    assert.equal(got.mechanism, 'sigv4-query');
    const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'key', ContentType: 'text/plain', Metadata: { a: 'b' } });
    const putUrl = await getSignedUrl(client(), put, { expiresIn: 60, signableHeaders: new Set(['content-type']) });
    const written = await sight(() => fetch(putUrl, { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } }));
    assert.equal(written.body, 'hello');
  });

  it('are refused presigned when a header that was signed differs', async () => {
    const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'key', ContentType: 'text/plain' });
    const url = await getSignedUrl(client(), put, { expiresIn: 60, signableHeaders: new Set(['content-type']) });
    seen.length = 0;
    await fetch(url, { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/html' } });
    assert.match(seen[0]?.refusal ?? '', /^SignatureMismatch/);
  });

  it('are accepted as forms', async () => {
    const post = await createPresignedPost(client(), {
      Bucket: 'bucket',
      Key: 'uploads/${filename}',
      Conditions: [
        ['content-length-range', 1, 10],
        ['starts-with', '$Content-Type', 'image/'],
      ],
      Fields: { acl: 'private' },
      Expires: 60,
    });
    const fields = new Map([...Object.entries(post.fields), ['key', 'uploads/a.png'], ['Content-Type', 'image/png']]);
    const { principal, contentLengthRange } = authn.authenticateForm({ bucket: 'bucket', fields }, lookup);
    assert.equal(principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
    assert.deepEqual(contentLengthRange, { min: 1, max: 10 });
  });
});
