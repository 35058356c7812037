/** Small requests that would make a careless server work, or remember, without end: each refused in the form of its protocol, soon. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PutBucketPolicyCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { NASTY_PATHS, XML_BOMBS } from '../../src/hostile/attacks.ts';
import { exchange } from '../../src/hostile/line.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import { HOST } from '../../src/hostile/shapes.ts';
import { metric } from '../../src/metrics.ts';
import { s3Client } from '../../src/s3.ts';
import type { Server } from '../../src/server.ts';

const MIB = 1024 * 1024;
/** Generous, for a machine with other work: what is wrong takes minutes, or memory. */
const SOON_MS = 15_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

describe('bombs', () => {
  let server: Server;

  before(async () => {
    server = await startOpenServer();
    const stored = await fetch(`${server.url}/${BUCKET}/object`, { method: 'PUT', body: Buffer.alloc(MIB, 'x') });
    assert.equal(stored.status, 200);
  });
  after(() => server.stop());
  afterEach('is not answered with a fault of ours', async () => {
    assert.equal(await metric(server, 'bonded_http_errors_total', 'code="Internal"'), 0);
  });

  async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${server.url}${path}`, { ...init, signal: AbortSignal.timeout(SOON_MS) });
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  }

  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) => ask(path, { method: 'POST', body, headers });
  const withKey = () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    return { authorization: `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}` };
  };

  describe('of XML', () => {
    const documents: Readonly<Record<string, string | Buffer>> = {
      ...XML_BOMBS,
      'an entity that is a file':
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><CompleteMultipartUpload>&x;</CompleteMultipartUpload>',
      'an entity of a parameter': '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><CompleteMultipartUpload/>',
      'an outer DTD': '<!DOCTYPE CompleteMultipartUpload SYSTEM "http://127.0.0.1:1/x.dtd"><CompleteMultipartUpload/>',
      'an inclusion':
        '<CompleteMultipartUpload xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></CompleteMultipartUpload>',
      'a style sheet': '<?xml-stylesheet href="x"?><CompleteMultipartUpload/>',
      'UTF-16': Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><CompleteMultipartUpload/>', 'utf16le'),
      'a stated UTF-7': '<?xml version="1.0" encoding="UTF-7"?>+ADw-CompleteMultipartUpload/+AD4-',
      'a stated Latin-1': '<?xml version="1.0" encoding="ISO-8859-1"?><CompleteMultipartUpload/>',
      'bytes that are no UTF-8': Buffer.from('<CompleteMultipartUpload>\xff\xfe</CompleteMultipartUpload>', 'latin1'),
      'a very long name': `<${'a'.repeat(4_000_000)}/>`,
      'nothing but brackets': '<'.repeat(4_000_000),
      'a reference that never ends': `<CompleteMultipartUpload>&#${'0'.repeat(4_000_000)}`,
    };
    for (const [name, document] of Object.entries(documents)) {
      it(`are refused: ${name}`, async () => {
        const { status, text } = await post(`/${BUCKET}/x?uploadId=none`, document);
        assert.equal(status, 400);
        assert.match(text, /<Error><Code>MalformedXML<\/Code>/);
      });
    }

    it('are not even read where they are too large', async () => {
      const { status, text } = await post(`/${BUCKET}/x?uploadId=none`, 'x'.repeat(4 * MIB + 1));
      assert.equal(status, 400);
      assert.match(text, /<Error><Code>MaxMessageLengthExceeded<\/Code>/);
    });

    it('are refused by every operation that reads a document', async () => {
      const bomb = XML_BOMBS['depth']!.slice(0, 60_000);
      const md5 = createHash('md5').update(bomb).digest('base64');
      for (const [method, target] of [
        ['POST', `/${BUCKET}?delete`],
        ['PUT', `/${BUCKET}/object?tagging`],
        ['PUT', `/${BUCKET}?cors`],
        ['PUT', `/${BUCKET}?versioning`],
        ['PUT', '/another-bucket'],
      ] as const) {
        const { status, text } = await ask(target, { method, body: bomb, headers: { 'content-md5': md5, ...withKey() } });
        assert.ok(status === 400, `${target}: ${status} ${text}`);
        assert.match(text, /<Error><Code>(MalformedXML|MaxMessageLengthExceeded)<\/Code>/, target);
      }
    });
  });

  describe('of JSON', () => {
    const documents: Readonly<Record<string, string>> = {
      depth: '['.repeat(500_000) + ']'.repeat(500_000),
      'depth of objects': '{"a":'.repeat(150_000) + '1' + '}'.repeat(150_000),
      width: `[${'1,'.repeat(500_000)}1]`,
      'very many members': `{${Array.from({ length: 80_000 }, (_, n) => `"a${n}":1`).join(',')}}`,
      'a long number': '1'.repeat(MIB - 1),
      'a number out of range': `{"durationSeconds":1e${'9'.repeat(400)}}`,
      'a member twice': `{${'"durationSeconds":900,'.repeat(40_000)}"durationSeconds":900}`,
      'a prototype': '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
      'more than is read': ' '.repeat(2 * MIB),
    };
    for (const [name, document] of Object.entries(documents)) {
      it(`are refused: ${name}`, async () => {
        const { status, type, text } = await post('/api/v1/presign', document, { 'content-type': 'application/json', ...withKey() });
        assert.ok(status === 400 || status === 413, `${status} ${text.slice(0, 300)}`);
        assert.match(type, /^application\/problem\+json/);
      });
    }
  });

  describe('of policies', () => {
    const statement = (more: object) => ({
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${BUCKET}/*`,
      ...more,
    });
    const policies: Readonly<Record<string, string>> = {
      depth: `{"Version":"2012-10-17","Statement":${'['.repeat(9000)}${']'.repeat(9000)}}`,
      'more bytes than are read': JSON.stringify({ Version: '2012-10-17', Statement: Array.from({ length: 2000 }, () => statement({})) }),
      'very many wildcards': JSON.stringify({
        Version: '2012-10-17',
        Statement: [statement({ Resource: `arn:aws:s3:::${BUCKET}/${'*a'.repeat(301)}` })],
      }),
    };
    for (const [name, Policy] of Object.entries(policies)) {
      it(`are refused: ${name}`, async () => {
        const s3 = s3Client(server);
        const error: unknown = await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy })).catch((thrown: unknown) => thrown);
        s3.destroy();
        assert.ok(error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined, String(error));
        assert.ok(error.$metadata.httpStatusCode < 500, `${error.name} ${error.message}`);
      });
    }
  });

  describe('of heads', () => {
    const raw = (headers: string, target = `/${BUCKET}/object`) =>
      exchange(server, `GET ${target} HTTP/1.1\r\n${HOST}Connection: close\r\n${headers}\r\n`);

    it('with thousands of ranges are answered with the whole, as S3 answers several', async () => {
      const ranges = Array.from({ length: 1300 }, (_, n) => `${n * 2}-${n * 2}`).join(',');
      const answer = await raw(`Range: bytes=${ranges}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*content-length: 1048576\r\n/i);
    });

    it('with ranges that overlap get every byte once', async () => {
      const answer = await raw(`Range: bytes=${Array.from({ length: 16 }, () => '0-').join(',')}\r\n`);
      assert.ok(answer.length < MIB + 10_000, `${answer.length} bytes`);
    });

    it('with lists of thousands of ETags are refused', async () => {
      const etags = Array.from({ length: 3000 }, (_, n) => `"${n}"`)
        .join(', ')
        .slice(0, 15_000);
      for (const name of ['If-Match', 'If-None-Match'])
        assert.match(await raw(`${name}: ${etags}\r\n`), /^HTTP\/1\.1 400 [\s\S]*<Error><Code>InvalidArgument<\/Code>/);
    });

    it('that are costly to read are read soon, whatever they hold', async () => {
      const long = ['a', ' ', ',', ';', '=', '"', '/', '%', '%41', '-', '*', '\\', 'a,', ' ,', 'a=', '"a",', 'W/"', '1-1,', '\t', '()'];
      const names = [
        ...['Authorization', 'Range', 'If-Range', 'If-Match', 'If-Modified-Since', 'Cookie', 'Origin', 'Content-Type', 'Accept', 'Date'],
        ...[
          'x-amz-date',
          'x-amz-content-sha256',
          'x-amz-copy-source',
          'x-amz-copy-source-range',
          'x-amz-meta-a',
          'x-amz-tagging',
          'x-amz-security-token',
        ],
        ...[
          'X-Forwarded-For',
          'traceparent',
          'Want-Repr-Digest',
          'Repr-Digest',
          'Content-Digest',
          'Upload-Metadata',
          'Upload-Complete',
          'Content-Range',
        ],
      ];
      const prefixes = ['', 'AWS4-HMAC-SHA256 Credential=', 'Basic ', 'Bearer ', 'bytes=', 'sha-256=:'];
      const began = performance.now();
      let sent = 0;
      for (const name of names) {
        const texts = prefixes.flatMap((prefix) => long.map((piece) => prefix + piece.repeat(15_000 / piece.length)));
        for (const method of ['GET', 'PUT']) {
          await Promise.all(
            texts.map((text) =>
              exchange(
                server,
                `${method} /${BUCKET}/object HTTP/1.1\r\n${HOST}Connection: close\r\n${name}: ${text}\r\nContent-Length: 0\r\n\r\n`,
              ),
            ),
          );
          sent += texts.length;
        }
      }
      // A pattern that backtracks takes seconds for one of them.
      assert.ok(performance.now() - began < sent * 25, `${sent} heads took ${Math.round(performance.now() - began)} ms`);
    });

    it('with queries that are costly to read are read soon', async () => {
      for (const name of [
        'prefix',
        'delimiter',
        'marker',
        'continuation-token',
        'start-after',
        'X-Amz-Credential',
        'X-Amz-Signature',
        'uploadId',
        'versionId',
      ]) {
        for (const piece of ['a', '%2F', '%2A', '/', '+', '=', '*'])
          await raw('', `/${BUCKET}?list-type=2&${name}=${piece.repeat(12_000 / piece.length)}`);
      }
      await raw('', `/${BUCKET}?${'a&'.repeat(7000)}`);
      await Promise.all(NASTY_PATHS.map((path) => raw('', `/api/v1/search?glob=${path}`)));
    });
  });

  describe('of forms', () => {
    const form = (parts: string) => post(`/${BUCKET}`, `${parts}--b--\r\n`, { 'content-type': 'multipart/form-data; boundary=b' });
    const part = (name: string, value: string, more = '') =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const forms: Readonly<Record<string, string>> = {
      'very many parts': Array.from({ length: 10_000 }, (_, n) => part(`f${n}`, 'x')).join(''),
      'a huge field': part('policy', 'x'.repeat(3 * MIB)),
      'a huge file name': part('file', 'x', `; filename="${'a'.repeat(200_000)}"`),
      'very many headers of a part': `--b\r\n${Array.from({ length: 5000 }, (_, n) => `A${n}: b\r\n`).join('')}\r\nx\r\n`,
      'no end of a header': `--b\r\nContent-Disposition: ${'a'.repeat(MIB)}`,
      'no part at all': 'x'.repeat(MIB),
      'nothing but boundaries': '--b\r\n'.repeat(100_000),
      'a policy that nests': part('key', 'a') + part('policy', Buffer.from('['.repeat(40_000)).toString('base64')) + part('file', 'x'),
      'a field twice': part('key', 'a') + part('key', 'b'),
    };
    for (const [name, parts] of Object.entries(forms)) {
      it(`are refused: ${name}`, async () => {
        const { status, text } = await form(parts);
        assert.ok(status >= 400 && status < 500, `${status} ${text}`);
        assert.match(text, /<Error><Code>/);
      });
    }

    it('with a boundary that is none are refused', async () => {
      for (const boundary of ['', 'a'.repeat(10_000), '"', '\u00e9']) {
        const { status, text } = await post(`/${BUCKET}`, 'x', { 'content-type': `multipart/form-data; boundary=${boundary}` });
        assert.ok(status >= 400 && status < 500, `${status} ${text}`);
      }
    });

    it('of STS are refused', async () => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      for (const body of [
        'a=b&'.repeat(30_000),
        `Action=${'A'.repeat(120_000)}`,
        'Action=GetCallerIdentity&'.repeat(2),
        '%'.repeat(1000),
        'x'.repeat(MIB),
      ]) {
        const { status, text } = await post('/', body, type);
        assert.ok(status >= 400 && status < 500, `${status} ${text}`);
        assert.match(text, /<ErrorResponse|<Error>/);
      }
    });
  });

  describe('of resumable uploads', () => {
    const tus = (headers: Record<string, string>) =>
      post(`/uploads/${BUCKET}/tus`, '', { 'tus-resumable': '1.0.0', 'upload-length': '10', ...headers });

    it('are refused: metadata', async () => {
      const pairs = Array.from({ length: 101 }, (_, n) => `k${n} YQ==`).join(',');
      for (const metadata of [pairs, `a ${'A'.repeat(9000)}`, 'a !!!!', 'a YQ==,a YQ==', ','.repeat(8000), 'a /w==']) {
        const { status } = await tus({ 'upload-metadata': metadata });
        assert.equal(status, 400, metadata.slice(0, 30));
      }
    });

    it('are refused: lengths and parts of a whole', async () => {
      for (const length of ['-1', '1e9', '99999999999999999999', '0x10', '1 ', ''].map((text) => ({ 'upload-length': text })))
        assert.ok((await tus(length)).status < 500, JSON.stringify(length));
      const { status } = await post(`/uploads/${BUCKET}/tus`, '', {
        'tus-resumable': '1.0.0',
        'upload-concat': `final;${'/uploads/open/x?session=a '.repeat(500)}`,
      });
      assert.ok(status >= 400 && status < 500, `${status}`);
    });
  });
});
