import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownerOf, raze } from '../../main/rig.ts';
import type { Bench } from './bench.ts';
import { digestField, openBench } from './bench.ts';

const REGISTRY = 'https://iana.org/assignments/http-problem-types#';
const PARTIAL = { 'content-type': 'application/partial-upload' };

interface Problem {
  readonly type: string;
  readonly 'expected-offset'?: number;
  readonly 'provided-offset'?: number;
}

describe('uploads: the resumable uploads of HTTP', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(raze);

  const problemOf = async (answer: Response): Promise<Problem> => {
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    return (await answer.json()) as Problem;
  };
  const open = async (path: string, headers: Record<string, string> = {}, body?: string | Uint8Array): Promise<string> => {
    const made = await bench.send('PUT', path, { 'upload-complete': '?0', ...headers }, body);
    assert.equal(made.status, 201, await made.text());
    assert.equal(made.headers.get('upload-complete'), '?0');
    assert.match(made.headers.get('upload-limit')!, /^max-size=5497558138880, max-age=\d+$/);
    return made.headers.get('location')!;
  };

  it('begin at the object itself, and go on at the upload', async () => {
    const url = await open('/builds/i/one', { 'content-type': 'text/x-one', 'x-amz-meta-a': 'b', 'upload-length': '11' }, 'hello ');
    const head = await bench.send('HEAD', url);
    assert.equal(head.status, 204);
    const { headers } = head;
    assert.deepEqual(
      ['upload-offset', 'upload-complete', 'upload-length', 'cache-control'].map((name) => headers.get(name)),
      ['6', '?0', '11', 'no-store'],
    );
    const more = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '6', 'upload-complete': '?0' }, 'wor');
    assert.equal(more.status, 204);
    assert.equal(more.headers.get('upload-offset'), '9');
    const last = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '9', 'upload-complete': '?1' }, 'ld');
    assert.equal(last.status, 201);
    assert.equal(last.headers.get('upload-complete'), '?1');
    assert.equal(last.headers.get('repr-digest'), digestField('hello world'));
    const got = await bench.send('GET', last.headers.get('location')!);
    assert.equal(await got.text(), 'hello world');
    assert.equal(got.headers.get('etag'), last.headers.get('etag'));
    assert.equal(got.headers.get('content-type'), 'text/x-one');
    assert.equal(got.headers.get('x-amz-meta-a'), 'b');
    const done = await bench.send('HEAD', url);
    assert.deepEqual([done.status, done.headers.get('upload-complete'), done.headers.get('etag')], [204, '?1', last.headers.get('etag')]);
    const again = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '11', 'upload-complete': '?1' });
    assert.equal(again.status, 410);
    assert.equal((await problemOf(again)).type, `${REGISTRY}completed-upload`);
  });

  it('take the whole in one request', async () => {
    const made = await bench.send(
      'POST',
      '/builds/i/whole',
      { 'upload-complete': '?1', 'repr-digest': digestField('all of it') },
      'all of it',
    );
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('upload-complete'), '?1');
    assert.equal(await (await bench.send('GET', '/builds/i/whole')).text(), 'all of it');
  });

  it('refuse another offset with the right one, and lengths that differ', async () => {
    const url = await open('/builds/i/two', { 'upload-length': '4' });
    const wrong = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '2', 'upload-complete': '?0' }, 'x');
    assert.equal(wrong.status, 409);
    assert.equal(wrong.headers.get('upload-offset'), '0');
    assert.equal(wrong.headers.get('upload-complete'), '?0');
    const problem = await problemOf(wrong);
    assert.equal(problem.type, `${REGISTRY}mismatching-upload-offset`);
    assert.deepEqual([problem['expected-offset'], problem['provided-offset']], [0, 2]);
    const short = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '0', 'upload-complete': '?1' }, 'abc');
    assert.equal(short.status, 400);
    assert.equal((await problemOf(short)).type, `${REGISTRY}inconsistent-upload-length`);
    assert.equal(
      (await bench.send('PATCH', url, { 'content-type': 'text/plain', 'upload-offset': '0', 'upload-complete': '?1' }, 'abcd')).status,
      415,
    );
    const long = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '0', 'upload-complete': '?0' }, 'abcde');
    assert.equal(long.status, 413);
    assert.match(long.headers.get('upload-limit')!, /max-size=/);
    assert.equal((await bench.send('HEAD', url)).status, 404, 'an upload that exceeded its length is deactivated');
    const both = await bench.send('PUT', '/builds/i/two', { 'upload-complete': '?1', 'upload-length': '9' }, 'abc');
    assert.equal((await problemOf(both)).type, `${REGISTRY}inconsistent-upload-length`);
  });

  it('check the digests of content and of the whole', async () => {
    const url = await open('/builds/i/three', { 'repr-digest': digestField('abcd') });
    const append = (offset: number, body: string, complete: string, digest: string): Promise<Response> =>
      bench.send(
        'PATCH',
        url,
        { ...PARTIAL, 'upload-offset': String(offset), 'upload-complete': complete, 'content-digest': digestField(digest) },
        body,
      );
    assert.equal((await append(0, 'ab', '?0', 'other')).status, 400);
    assert.equal((await bench.send('HEAD', url)).headers.get('upload-offset'), '0');
    assert.equal((await append(0, 'ab', '?0', 'ab')).status, 204);
    const wrong = await append(2, 'XX', '?1', 'XX');
    assert.equal(wrong.status, 400);
    assert.equal(wrong.headers.get('upload-complete'), '?1', 'all bytes came: nobody should go on');
    assert.equal((await bench.send('GET', '/builds/i/three')).status, 404);
    assert.equal((await bench.send('HEAD', url)).status, 404);
  });

  it('hold the conditions of the creation at the completion', async () => {
    const url = await open('/builds/i/four', { 'if-none-match': '*' }, 'mine');
    await bench.send('PUT', '/builds/i/four', {}, 'theirs');
    const last = await bench.send('PATCH', url, { ...PARTIAL, 'upload-offset': '4', 'upload-complete': '?1' });
    assert.equal(last.status, 412);
    assert.equal(last.headers.get('upload-complete'), '?1');
    assert.equal(await (await bench.send('GET', '/builds/i/four')).text(), 'theirs');
    const hopeless = await bench.send('PUT', '/builds/i/four', { 'upload-complete': '?0', 'if-none-match': '*' });
    assert.equal(hopeless.status, 412);
  });

  it('can be cancelled, and are told of by OPTIONS', async () => {
    const url = await open('/builds/i/five', {}, 'abc');
    assert.equal((await bench.send('DELETE', url)).status, 204);
    assert.equal((await bench.send('HEAD', url)).status, 404);
    const told = await fetch(`${bench.house.url}/builds/i/five`, { method: 'OPTIONS' });
    assert.match(told.headers.get('upload-limit')!, /^max-size=\d+$/);
    assert.match(told.headers.get('accept-patch')!, /application\/partial-upload/);
  });

  it('leave a PUT alone whose Upload-Complete is no boolean', async () => {
    const put = await bench.send('PUT', '/builds/i/plain', { 'upload-complete': 'yes' }, 'plain');
    assert.equal(put.status, 200);
    assert.equal(await (await bench.send('GET', '/builds/i/plain')).text(), 'plain');
  });

  it('name at once what the store has, and say so before any byte is sent', async () => {
    const body = randomBytes(50_000);
    await bench.send('PUT', '/builds/i/original', {}, body);
    const made = await bench.send('PUT', '/builds/i/again', {
      'upload-complete': '?0',
      'upload-length': String(body.length),
      'repr-digest': digestField(body),
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('upload-complete'), '?1');
    const got = await bench.send('GET', '/builds/i/again');
    assert.ok(body.equals(Buffer.from(await got.arrayBuffer())));
  });

  it('tell their URL and progress in 104 to clients of a known draft, and keep what came before a break', async () => {
    const authorization = await ownerOf(bench.directory);
    const body = randomBytes(20 * 1024 * 1024);
    const upload = request(`${bench.house.url}/builds/i/six`, {
      method: 'PUT',
      headers: { authorization, 'upload-complete': '?1', 'content-length': body.length, 'upload-draft-interop-version': '9' },
    });
    upload.on('error', () => undefined);
    const interims: { statusCode: number; headers: Record<string, unknown> }[] = [];
    upload.on('information', (info) => interims.push(info));
    upload.write(body.subarray(0, 18 * 1024 * 1024));
    while (interims.length < 2) await sleep(10);
    const [announced, progress] = interims;
    assert.equal(announced!.statusCode, 104);
    assert.equal(announced!.headers['upload-draft-interop-version'], '9');
    assert.equal(progress!.headers['upload-offset'], String(16 * 1024 * 1024));
    assert.equal(progress!.headers['location'], undefined);
    const url = String(announced!.headers['location']);
    upload.destroy();
    const offset = Number((await bench.send('HEAD', url)).headers.get('upload-offset'));
    assert.ok(offset >= 16 * 1024 * 1024 && offset <= 18 * 1024 * 1024, String(offset));
    const rest = await bench.send(
      'PATCH',
      url,
      { ...PARTIAL, 'upload-offset': String(offset), 'upload-complete': '?1' },
      body.subarray(offset),
    );
    assert.equal(rest.headers.get('repr-digest'), digestField(body));
  });

  it('send no 104 to clients of other drafts, nor over HTTP/1.0', async () => {
    const { port } = bench.house.address;
    const authorization = await ownerOf(bench.directory);
    const answers: string[] = [];
    for (const [version, draft] of [
      ['1.1', '3'],
      ['1.0', '9'],
    ] as const) {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `PUT /builds/i/seven HTTP/${version}\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nUpload-Complete: ?1\r\n` +
          `Upload-Draft-Interop-Version: ${draft}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab`,
      );
      let said = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      await once(socket, 'close');
      answers.push(said);
    }
    for (const said of answers) assert.match(said, /^HTTP\/1\.1 20[01] /, said);
  });
});
