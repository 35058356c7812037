import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { raze } from '../../main/rig.ts';
import type { Bench } from './bench.ts';
import { digestField, openBench, sha256 } from './bench.ts';

const TUS = { 'tus-resumable': '1.0.0' };
const PART = { ...TUS, 'content-type': 'application/offset+octet-stream' };
const b64 = (text: string): string => Buffer.from(text).toString('base64');

describe('uploads: tus', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(raze);

  const create = async (key: string, headers: Record<string, string>, body?: Uint8Array | string): Promise<string> => {
    const made = await bench.send('POST', `/uploads/builds/${key}`, { ...TUS, ...headers }, body);
    assert.equal(made.status, 201, await made.text());
    assert.equal(made.headers.get('tus-resumable'), '1.0.0');
    return made.headers.get('location')!;
  };
  const text = async (key: string): Promise<string> => (await bench.send('GET', `/builds/${key}`)).text();

  it('tells what it can', async () => {
    const { status, headers } = await fetch(`${bench.house.url}/uploads/builds/x`, { method: 'OPTIONS' });
    assert.equal(status, 204);
    assert.equal(headers.get('tus-version'), '1.0.0');
    assert.equal(
      headers.get('tus-extension'),
      'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation',
    );
    assert.equal(headers.get('tus-checksum-algorithm'), 'sha1,sha256,md5');
    assert.equal(headers.get('tus-max-size'), String(5 * 1024 ** 4));
    assert.match(headers.get('accept-patch')!, /application\/partial-upload/);
  });

  it('takes an upload in parts, and names it with what its metadata says', async () => {
    const metadata = `filename ${b64('größe.txt')},filetype ${b64('text/plain')},Team ${b64('a')},flag`;
    const url = await create('t/parts.txt', { 'upload-length': '11', 'upload-metadata': metadata });
    assert.match(url, /^\/uploads\/builds\/t\/parts\.txt\?session=/);
    const first = await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, 'hello ');
    assert.equal(first.status, 204);
    assert.equal(first.headers.get('upload-offset'), '6');
    assert.ok(Date.parse(first.headers.get('upload-expires')!) > Date.now());
    assert.equal((await bench.send('GET', '/builds/t/parts.txt')).status, 404, 'nothing is named before all is there');
    const offset = await bench.send('HEAD', url, TUS);
    assert.equal(offset.status, 200);
    assert.equal(offset.headers.get('upload-offset'), '6');
    assert.equal(offset.headers.get('upload-length'), '11');
    assert.equal(offset.headers.get('upload-metadata'), metadata);
    assert.equal(offset.headers.get('cache-control'), 'no-store');
    const last = await bench.send('PATCH', url, { ...PART, 'upload-offset': '6' }, 'world');
    assert.equal(last.status, 204);
    assert.equal(last.headers.get('upload-offset'), '11');
    assert.equal(last.headers.get('repr-digest'), digestField('hello world'));
    const got = await bench.send('GET', '/builds/t/parts.txt');
    assert.equal(await got.text(), 'hello world');
    assert.equal(got.headers.get('content-type'), 'text/plain');
    assert.equal(got.headers.get('content-disposition'), "inline; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt");
    assert.equal(got.headers.get('x-amz-meta-team'), 'a');
    const done = await bench.send('HEAD', url, TUS);
    assert.equal(done.status, 200, 'a finished upload still says so, for a client that missed the answer');
    assert.equal(done.headers.get('upload-offset'), '11');
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '11' })).status, 204);
  });

  it('takes bytes with the creation, a length said later, and empty files', async () => {
    const url = await create('with', { ...PART, 'upload-defer-length': '1' }, 'abc');
    const head = await bench.send('HEAD', url, TUS);
    assert.equal(head.headers.get('upload-defer-length'), '1');
    assert.equal(head.headers.get('upload-offset'), '3');
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '3', 'upload-length': '5' }, 'de')).status, 204);
    assert.equal(await text('with'), 'abcde');
    await create('empty', { 'upload-length': '0' });
    assert.equal(await text('empty'), '');
    await create('at-once', { ...PART, 'upload-length': '4' }, 'once');
    assert.equal(await text('at-once'), 'once');
  });

  it('checks checksums, and keeps nothing of content that fails', async () => {
    const url = await create('sums', { 'upload-length': '6' });
    const sum = (name: string, body: string): string => `${name} ${createHash(name).update(body).digest('base64')}`;
    const patch = (offset: number, body: string, checksum: string): Promise<Response> =>
      bench.send('PATCH', url, { ...PART, 'upload-offset': String(offset), 'upload-checksum': checksum }, body);
    assert.equal((await patch(0, 'ab', sum('sha1', 'other'))).status, 460);
    assert.equal((await bench.send('HEAD', url, TUS)).headers.get('upload-offset'), '0');
    assert.equal((await patch(0, 'ab', 'crc32 AAAAAA==')).status, 400);
    assert.equal((await patch(0, 'ab', sum('sha1', 'ab'))).status, 204);
    assert.equal((await patch(2, 'cd', sum('sha256', 'cd'))).status, 204);
    assert.equal((await patch(4, 'ef', sum('md5', 'ef'))).status, 204);
    assert.equal(await text('sums'), 'abcdef');
  });

  it('names nothing when the whole is not what the metadata states', async () => {
    const url = await create('stated', { 'upload-length': '2', 'upload-metadata': `sha256 ${b64(sha256('ab').toString('hex'))}` });
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, 'xy')).status, 400);
    assert.equal((await bench.send('GET', '/builds/stated')).status, 404);
    assert.equal((await bench.send('HEAD', url, TUS)).status, 404);
  });

  it('terminates', async () => {
    const url = await create('ended', { 'upload-length': '6' });
    await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, 'abc');
    assert.equal((await bench.send('DELETE', url, TUS)).status, 204);
    assert.equal((await bench.send('HEAD', url, TUS)).status, 404);
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '3' }, 'def')).status, 404);
    assert.equal((await bench.send('DELETE', url, TUS)).status, 404);
  });

  it('concatenates partial uploads', async () => {
    const bodies = [randomBytes(70_000), randomBytes(3)];
    const urls: string[] = [];
    for (const body of bodies) {
      urls.push(await create('whole', { ...PART, 'upload-concat': 'partial', 'upload-length': String(body.length) }, body));
    }
    assert.equal((await bench.send('GET', '/builds/whole')).status, 404, 'partial uploads name nothing');
    assert.equal((await bench.send('HEAD', urls[0]!, TUS)).headers.get('upload-concat'), 'partial');
    const unfinished = await create('whole', { 'upload-concat': 'partial', 'upload-length': '5' });
    const early = await bench.send('POST', '/uploads/builds/whole', { ...TUS, 'upload-concat': `final;${unfinished}` });
    assert.equal(early.status, 409);
    const concat = `final;${urls[0]} ${bench.house.url}${urls[1]}`;
    const final = await create('whole', { 'upload-concat': concat });
    const got = await bench.send('GET', '/builds/whole');
    assert.ok(Buffer.concat(bodies).equals(Buffer.from(await got.arrayBuffer())));
    const head = await bench.send('HEAD', final, TUS);
    assert.equal(head.headers.get('upload-concat'), concat);
    assert.equal(head.headers.get('upload-length'), '70003');
    assert.equal((await bench.send('PATCH', final, { ...PART, 'upload-offset': '70003' }, 'x')).status, 403);
  });

  it('refuses in the words of tus', async () => {
    const url = await create('refused', { 'upload-length': '4' });
    const other = await bench.send('PATCH', url, { ...PART, 'tus-resumable': '0.2.2', 'upload-offset': '0' }, 'ab');
    assert.equal(other.status, 412);
    assert.equal(other.headers.get('tus-version'), '1.0.0');
    assert.equal((await bench.send('PATCH', url, { ...TUS, 'content-type': 'text/plain', 'upload-offset': '0' }, 'ab')).status, 415);
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '1' }, 'ab')).status, 409);
    assert.equal((await bench.send('PATCH', url, PART, 'ab')).status, 400);
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, 'abcde')).status, 413);
    assert.equal((await bench.send('POST', '/uploads/builds/k', { ...TUS, 'upload-length': String(6 * 1024 ** 4) })).status, 413);
    assert.equal((await bench.send('POST', '/uploads/builds/k', TUS)).status, 400);
    assert.equal((await bench.send('POST', '/uploads/builds/k', { ...TUS, 'upload-length': '1', 'upload-metadata': 'a b c' })).status, 400);
    assert.equal((await bench.send('POST', '/uploads/none/k', { ...TUS, 'upload-length': '1' })).status, 404);
    const anonymous = await fetch(bench.house.url + url, { method: 'HEAD', headers: TUS });
    assert.equal(anonymous.status, 401);
    const overridden = await bench.send('POST', url, { ...PART, 'x-http-method-override': 'PATCH', 'upload-offset': '0' }, 'abcd');
    assert.equal(overridden.status, 204);
    assert.equal(await text('refused'), 'abcd');
  });

  it('goes on after a restart of the server', async () => {
    const body = randomBytes(100_000);
    const url = await create('restarted', { 'upload-length': String(body.length) });
    await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, body.subarray(0, 60_000));
    const { directory } = bench;
    await bench.house.close(0);
    bench = { ...bench, ...(await openAgain(directory)) };
    assert.equal((await bench.send('HEAD', url, TUS)).headers.get('upload-offset'), '60000');
    assert.equal((await bench.send('PATCH', url, { ...PART, 'upload-offset': '60000' }, body.subarray(60_000))).status, 204);
    const got = await bench.send('GET', '/builds/restarted');
    assert.ok(body.equals(Buffer.from(await got.arrayBuffer())));
  });

  it('names nothing of bytes that rotted on disk meanwhile, and never tells a client that they are all there', async () => {
    const body = randomBytes(100_000);
    const url = await create('rotten', { 'upload-length': String(body.length) });
    await bench.send('PATCH', url, { ...PART, 'upload-offset': '0' }, body.subarray(0, 60_000));
    const { directory } = bench;
    await bench.house.close(0);
    await flipByte(directory, body.subarray(0, 60_000));
    bench = { ...bench, ...(await openAgain(directory)) };
    const last = await bench.send('PATCH', url, { ...PART, 'upload-offset': '60000' }, body.subarray(60_000));
    assert.equal(last.status, 409);
    assert.match(await last.text(), /^The bytes 0-59999 of this upload were damaged in storage after they came\. The upload is ended/);
    assert.equal((await bench.send('HEAD', url, TUS)).status, 404);
    assert.equal((await bench.send('GET', '/builds/rotten')).status, 404);
    assert.match(bench.log(), /stored bytes of an upload are damaged/);
  });

  /** Lets the file with these bytes rot. */
  const flipByte = async (directory: string, bytes: Uint8Array): Promise<void> => {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const found = entry.isFile() ? await readFile(path) : Buffer.alloc(0);
      if (!found.equals(bytes)) continue;
      found[30_000]! ^= 1;
      return writeFile(path, found);
    }
    assert.fail('no file has these bytes');
  };

  const openAgain = (directory: string): Promise<Bench> => openBench({ directory });
});
