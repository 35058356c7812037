/** Uploads in more and smaller parts than anybody means: counted, refused where S3 refuses them, and no burden to others. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { startNeighbour } from '../../src/hostile/neighbour.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import type { Server } from '../../src/server.ts';

const AT_ONCE = 16;

describe('tiny parts', function () {
  this.timeout(300_000);
  let server: Server;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

  before(async () => {
    server = await startOpenServer({ env: { BONDED_LOG_LEVEL: 'warn' } });
  });
  after(async () => {
    agent.destroy();
    await server.stop();
  });

  interface Answer {
    readonly status: number;
    readonly text: string;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  }

  function send(method: string, path: string, body = '', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const lengths = { 'content-length': String(Buffer.byteLength(body)) };
      const ask = request(`${server.url}${path}`, { method, agent, headers: { ...lengths, ...headers } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      });
      ask.on('error', reject).end(body);
    });
  }

  /** Calls `work` with 1 to `count`, some at once. */
  async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
    let next = 1;
    const worker = async () => {
      while (next <= count) await work(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async function begin(key: string): Promise<string> {
    const { text } = await send('POST', `/${BUCKET}/${key}?uploads`);
    return /<UploadId>(.*?)<\/UploadId>/.exec(text)?.[1] ?? '';
  }

  it('ten thousand of a byte each are taken, and too small to become an object', async () => {
    const uploadId = await begin('tiny');
    const etags = new Map<number, string>();
    const neighbour = await startNeighbour(server);
    try {
      await each(10_000, async (n) => {
        const { status, headers } = await send('PUT', `/${BUCKET}/tiny?partNumber=${n}&uploadId=${uploadId}`, 'x');
        assert.equal(status, 200);
        etags.set(n, String(headers['etag']));
      });
      const more = await send('PUT', `/${BUCKET}/tiny?partNumber=10001&uploadId=${uploadId}`, 'x');
      assert.equal(more.status, 400);
      assert.match(more.text, /<Error><Code>InvalidArgument<\/Code>/);

      const line = (n: number) => `<Part><PartNumber>${n}</PartNumber><ETag>${etags.get(n)}</ETag></Part>`;
      const document = (parts: readonly number[]) => `<CompleteMultipartUpload>${parts.map(line).join('')}</CompleteMultipartUpload>`;
      const all = Array.from({ length: 10_000 }, (_, index) => index + 1);
      const complete = (parts: readonly number[]) => send('POST', `/${BUCKET}/tiny?uploadId=${uploadId}`, document(parts));
      const tooSmall = await complete(all);
      assert.equal(tooSmall.status, 400);
      assert.match(tooSmall.text, /<Error><Code>EntityTooSmall<\/Code>/);
      const backwards = await complete(all.toReversed());
      assert.match(backwards.text, /<Error><Code>InvalidPartOrder<\/Code>/);
      const tooMany = await complete([...all, 10_000]);
      assert.equal(tooMany.status, 400);
      assert.match(tooMany.text, /<Error><Code>MalformedXML<\/Code>/);
      // The last part may be as small as it likes, and so may the only one.
      assert.equal((await complete([10_000])).status, 200);
      assert.deepEqual((await neighbour.ask()).failures, []);
    } finally {
      await neighbour.stop();
    }
  });

  it('lists of them come in pages', async () => {
    const uploadId = await begin('listed');
    await each(1100, async (n) => {
      assert.equal((await send('PUT', `/${BUCKET}/listed?partNumber=${n}&uploadId=${uploadId}`, 'x')).status, 200);
    });
    const { text } = await send('GET', `/${BUCKET}/listed?uploadId=${uploadId}&max-parts=100000`);
    assert.equal(text.match(/<Part>/g)?.length, 1000);
    assert.match(text, /<IsTruncated>true<\/IsTruncated>/);
    assert.equal((await send('DELETE', `/${BUCKET}/listed?uploadId=${uploadId}`)).status, 204);
  });

  it('more than twenty thousand ranges of one upload are refused at the end, and gone with it', async () => {
    const count = 20_001;
    const begun = await send('POST', `/uploads/${BUCKET}/ranges`, '', { 'upload-mode': 'parallel', 'upload-length': String(count) });
    const session = String(begun.headers['location']);
    await each(count, async (n) => {
      const { status, text } = await send('PUT', session, 'x', { 'content-range': `bytes ${n - 1}-${n - 1}/${count}` });
      assert.ok(status < 300, `${n}: ${status} ${text}`);
    });
    const digest = createHash('sha256').update('x'.repeat(count)).digest('base64');
    const { status, text } = await send('POST', `${session}&complete`, '', { 'repr-digest': `sha-256=:${digest}:` });
    assert.equal(status, 400);
    assert.match(text, /"detail":"The upload came in more than 20000 pieces/);
    assert.equal((await send('DELETE', session)).status, 204);
    assert.equal((await send('GET', `/${BUCKET}/ranges`)).status, 404);
  });
});
