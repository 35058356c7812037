/** Names that mean something to file systems, proxies or careless readers: to the store they are bytes of a key, or no name at all. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { exchange } from '../../src/hostile/line.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import { HOST } from '../../src/hostile/shapes.ts';
import type { Server } from '../../src/server.ts';

/** Paths as sent behind the bucket, with the key that each of them is. */
const KEYS: Readonly<Record<string, string>> = {
  '../x': '../x',
  '../../../../etc/passwd': '../../../../etc/passwd',
  '..': '..',
  '.': '.',
  './x': './x',
  'a/../../../x': 'a/../../../x',
  'a/./b': 'a/./b',
  '/x': '/x',
  '//x//': '//x//',
  'a//b': 'a//b',
  '%2e%2e/y': '../y',
  '%2E%2E%2Fy': '../y',
  'a%2Fb': 'a/b',
  '%2F': '/',
  '%5c': '\\',
  '..%5c..%5cx': '..\\..\\x',
  'C:%5Cx': 'C:\\x',
  'a%3Fb%23c': 'a?b#c',
  'a%25b': 'a%b',
  'a%252Fb': 'a%2Fb',
  'a+b': 'a+b',
  'a%20b': 'a b',
  'a%0D%0Ab': 'a\r\nb',
  'a%01b': 'a\u0001b',
  '%7F': '\u007f',
  '%EF%BB%BFbom': '\ufeffbom',
  '%EF%BF%BE': '\ufffe',
  '%F0%9F%98%80': '😀',
  'e%CC%81': 'e\u0301',
  '%C3%A9': 'é',
  '%E2%80%AEexe.txt': '\u202eexe.txt',
  'a%3Cscript%3E': 'a<script>',
  CON: 'CON',
  'a.': 'a.',
  'objects/records.sqlite': 'objects/records.sqlite',
  '~/x': '~/x',
  '$(reboot)': '$(reboot)',
  '%60id%60': '`id`',
  __proto__: '__proto__',
  ['k'.repeat(1024)]: 'k'.repeat(1024),
};

/** Paths that are no names, and the S3 codes that say so. */
const NONE: Readonly<Record<string, string>> = {
  'a%00b': 'InvalidURI',
  '%00': 'InvalidURI',
  '%c0%af': 'InvalidURI',
  '%c0%ae%c0%ae/x': 'InvalidURI',
  '%e0%80%af': 'InvalidURI',
  '%f0%80%80%af': 'InvalidURI',
  '%ed%a0%80': 'InvalidURI',
  '%ed%a0%80%ed%b0%80': 'InvalidURI',
  '%f4%90%80%80': 'InvalidURI',
  '%ff': 'InvalidURI',
  '%': 'InvalidURI',
  '%2': 'InvalidURI',
  '%zz': 'InvalidURI',
  '%u002e': 'InvalidURI',
  ['k'.repeat(1025)]: 'KeyTooLongError',
  ['%C3%A9'.repeat(513)]: 'KeyTooLongError',
};

/** Paths whose first segment is no bucket: none of them leads to one, or out of one. */
const NO_BUCKETS = [
  '..',
  '.',
  '%2e%2e',
  `..%2f${BUCKET}`,
  `%2f${BUCKET}`,
  `${BUCKET}%2f`,
  `${BUCKET}%00`,
  '%5c',
  `${BUCKET.toUpperCase()}`,
  '_',
  '%c0%ae',
];

describe('names', () => {
  let server: Server;
  let filesBefore: readonly string[];

  before(async () => {
    server = await startOpenServer();
    await send('PUT', `/${BUCKET}/a-first-one`, Buffer.alloc(100_000));
    filesBefore = await outside(server);
  });
  after(() => server.stop());

  /** With the path as it is, which `fetch` would tidy up. */
  function send(method: string, path: string, body?: Buffer): Promise<{ readonly status: number; readonly body: Buffer }> {
    const { hostname, port } = new URL(server.url);
    return new Promise((resolve, reject) => {
      const ask = request({ hostname, port, method, path, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      ask.on('error', reject).end(body);
    });
  }

  async function listed(): Promise<readonly string[]> {
    const { body } = await send('GET', `/${BUCKET}?list-type=2&encoding-type=url`);
    return [...body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => decodeURIComponent((key ?? '').replaceAll('+', ' ')));
  }

  it('that are keys are stored and read back byte for byte, under their key and no other', async () => {
    // Of what is larger than a record holds, so that each has a file.
    const contents = new Map<string, Buffer>();
    for (const [path, key] of Object.entries(KEYS)) {
      const content = Buffer.alloc(50_000, `content of ${path}`);
      contents.set(key, content);
      assert.equal((await send('PUT', `/${BUCKET}/${path}`, content)).status, 200, path);
    }
    for (const [path, key] of Object.entries(KEYS)) {
      const { status, body } = await send('GET', `/${BUCKET}/${path}`);
      assert.equal(status, 200, path);
      assert.equal(Buffer.compare(body, contents.get(key) ?? Buffer.alloc(0)), 0, path);
    }
    assert.deepEqual(new Set(await listed()), new Set([...Object.values(KEYS), 'a-first-one']));
  });

  it('that are keys never become paths of files', async () => {
    assert.deepEqual(await outside(server), filesBefore);
    const blobs = await readdir(join(server.dataFolder, 'objects/blobs'), { recursive: true });
    for (const file of blobs) assert.match(file, /^[A-Za-z0-9_/-]+$/);
  });

  for (const [path, code] of Object.entries(NONE)) {
    it(`that are none are refused: ${path.slice(0, 30)}`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const { status, body } = await send(method, `/${BUCKET}/${path}`, method === 'PUT' ? Buffer.from('x') : undefined);
        assert.equal(status, 400);
        assert.match(body.toString(), new RegExp(`<Error><Code>${code}</Code>`));
      }
    });
  }

  it('of buckets lead nowhere else', async () => {
    for (const bucket of NO_BUCKETS) {
      const { status, body } = await send('PUT', `/${bucket}/leaked`, Buffer.from('x'));
      assert.ok(status === 400 || status === 403 || status === 404, `${bucket}: ${status}`);
      assert.match(body.toString(), /<Error><Code>(InvalidBucketName|InvalidURI|AccessDenied|NoSuchBucket)<\/Code>/, bucket);
    }
    assert.ok(!(await listed()).some((key) => key.includes('leaked')));
  });

  it('in a copy source, a completion’s upload id or a version id are held to the same', async () => {
    const source = (value: string) =>
      exchange(
        server,
        `PUT /${BUCKET}/copy HTTP/1.1\r\n${HOST}Connection: close\r\nx-amz-copy-source: ${value}\r\nContent-Length: 0\r\n\r\n`,
      );
    for (const value of ['/../../etc/passwd', '..', `${BUCKET}/%00`, `${BUCKET}/%c0%af`, `${BUCKET}/%ed%a0%80`, '%', 'file:///etc/passwd'])
      assert.match(await source(value), /^HTTP\/1\.1 (400|403|404) [\s\S]*<Error><Code>/, value);
    for (const query of ['uploadId=../../x', 'uploadId=%00', 'versionId=../../x', 'versionId=%00', `versionId=${'a'.repeat(5000)}`]) {
      const { status, body } = await send('GET', `/${BUCKET}/a-first-one?${query}`);
      assert.ok(status === 400 || status === 404, `${query}: ${status}`);
      assert.match(body.toString(), /<Error><Code>/, query);
    }
  });

  it('in headers that are sent back cannot add one', async () => {
    const { status, body } = await send('GET', `/${BUCKET}/a-first-one?response-content-type=text%2Fplain%0D%0ASet-Cookie:%20x`);
    assert.ok(status === 400 || status === 403, `${status}`);
    assert.match(body.toString(), /<Error><Code>/);
  });
});

/** Files of the server's folder that are not in the places where the store keeps its own. */
async function outside(server: Server): Promise<readonly string[]> {
  const all = await readdir(server.folder, { recursive: true });
  return all.filter((file) => !/^data\/(objects|compile-cache)(\/|$)/.test(file)).toSorted();
}
