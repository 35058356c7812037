import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { raze } from '../../main/rig.ts';
import type { Bench } from './bench.ts';
import { digestField, openBench } from './bench.ts';

const MIB = 1024 * 1024;

describe('uploads: plain HTTP', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(raze);

  const create = async (key: string, headers: Record<string, string> = {}): Promise<string> => {
    const made = await bench.send('POST', `/uploads/builds/${key}`, headers);
    assert.equal(made.status, 201, await made.text());
    return made.headers.get('location')!;
  };
  const put = (url: string, range: string, body?: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> =>
    bench.send('PUT', url, { 'content-range': range, ...headers }, body);

  it('takes ranges in order: 206 while more is to come, 201 with the last', async () => {
    const url = await create('p/one', { 'content-type': 'text/x-p' });
    const first = await put(url, 'bytes 0-5/*', 'hello ');
    assert.equal(first.status, 206);
    assert.equal(first.headers.get('upload-offset'), '6');
    assert.equal(first.headers.get('range'), 'bytes=0-5');
    const asked = await put(url, 'bytes */11');
    assert.deepEqual([asked.status, asked.headers.get('upload-offset'), asked.headers.get('range')], [206, '6', 'bytes=0-5']);
    const staged = await bench.send('GET', url, { range: 'bytes=1-3' });
    assert.equal(staged.status, 206);
    assert.equal(staged.headers.get('content-range'), 'bytes 1-3/*');
    assert.equal(await staged.text(), 'ell');
    const beyond = await bench.send('GET', url, { range: 'bytes=6-' });
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */6']);
    const wrong = await put(url, 'bytes 8-10/11', 'rld');
    assert.deepEqual([wrong.status, wrong.headers.get('upload-offset')], [409, '6']);
    const last = await put(url, 'bytes 6-10/11', 'world');
    assert.equal(last.status, 201);
    assert.equal(last.headers.get('repr-digest'), digestField('hello world'));
    const got = await bench.send('GET', '/builds/p/one');
    assert.deepEqual([await got.text(), got.headers.get('content-type')], ['hello world', 'text/x-p']);
    const again = await put(url, 'bytes 6-10/11', 'world');
    assert.ok(again.ok, 'the last request again, whose answer got lost');
    assert.equal(((await (await bench.send('GET', url)).json()) as { complete: boolean }).complete, true);
  });

  it('takes the whole without Content-Range, as curl -T sends it', async () => {
    const url = await create('p/two');
    assert.equal((await bench.send('PUT', url, {}, 'whole')).status, 201);
    const empty = await create('p/three');
    assert.equal((await bench.send('PUT', empty)).status, 201);
    assert.equal(await (await bench.send('GET', '/builds/p/three')).text(), '');
  });

  it('refuses a range that its content is not, and a Content-Range on the object itself', async () => {
    const url = await create('p/four');
    for (const range of ['bytes 0-3/9', 'bytes 3-0/9', 'bytes 0-9/9', 'items 0-4/9', 'bytes 0-4']) {
      assert.equal((await put(url, range, 'hello')).status, 400, range);
    }
    assert.equal((await put('/builds/p/four', 'bytes 0-4/9', 'hello')).status, 400);
    assert.equal((await bench.send('POST', '/uploads/builds/p/four', {}, 'content')).status, 400);
    assert.equal((await bench.send('POST', url)).status, 405);
  });

  it('takes ranges in any order over several connections, and checks the whole', async () => {
    const body = randomBytes(9 * MIB + 11);
    const url = await create('p/many', {
      'upload-mode': 'parallel',
      'upload-length': String(body.length),
      'repr-digest': digestField(body),
    });
    const step = MIB + 1;
    const starts = Array.from({ length: Math.ceil(body.length / step) }, (_, index) => index * step).reverse();
    const held = starts.pop()!;
    const send = async (start: number): Promise<void> => {
      const part = body.subarray(start, start + step);
      const range = `bytes ${start}-${start + part.length - 1}/${body.length}`;
      const answer = await bench.send('PATCH', url, { 'content-range': range, 'content-digest': digestField(part) }, part);
      assert.equal(answer.status, 204, await answer.text());
    };
    await Promise.all(starts.map(send));
    const early = await bench.send('POST', `${url}&complete`);
    assert.equal(early.status, 409);
    assert.match(await early.text(), new RegExp(`"missing":"0-${step - 1}"`));
    const status = (await (await bench.send('GET', url)).json()) as { missing: string[]; stored: string[] };
    assert.deepEqual(status.missing, [`0-${step - 1}`]);
    assert.deepEqual(status.stored, [`${step}-${body.length - 1}`]);
    const staged = await bench.send('GET', url, { range: `bytes=${2 * step - 5}-${2 * step + 4}` });
    assert.ok(body.subarray(2 * step - 5, 2 * step + 5).equals(Buffer.from(await staged.arrayBuffer())));
    const damaged = await bench.send(
      'PUT',
      url,
      { 'content-range': `bytes 0-9/${body.length}`, 'content-digest': digestField('other') },
      body.subarray(0, 10),
    );
    assert.equal(damaged.status, 400);
    await send(held);
    const done = await bench.send('POST', `${url}&complete`);
    assert.equal(done.status, 201);
    assert.equal(done.headers.get('repr-digest'), digestField(body));
    const answer = (await done.json()) as { digest: string; etag: string };
    assert.equal(`"${answer.etag}"`, done.headers.get('etag'));
    const got = await bench.send('GET', '/builds/p/many');
    assert.ok(body.equals(Buffer.from(await got.arrayBuffer())));
    assert.equal((await bench.send('POST', `${url}&complete`)).status, 201, 'a repetition answers the same');
  });

  it('names no ranges whose digest nobody stated, or that have another', async () => {
    const url = await create('p/five', { 'upload-mode': 'parallel', 'upload-length': '4' });
    assert.equal((await put(url, 'bytes 0-3/4', 'abcd')).status, 204);
    assert.equal((await bench.send('POST', `${url}&complete`)).status, 400);
    assert.equal((await bench.send('POST', `${url}&complete`, { 'repr-digest': digestField('abcX') })).status, 400);
    assert.equal((await bench.send('POST', `${url}&complete`, { 'repr-digest': digestField('abcd') })).status, 201);
    assert.equal((await bench.send('POST', '/uploads/builds/k', { 'upload-mode': 'parallel' })).status, 411);
  });

  it('keeps others out of an upload', async () => {
    const url = await create('p/six');
    for (const method of ['HEAD', 'GET', 'PUT', 'DELETE']) {
      assert.equal((await fetch(bench.house.url + url, { method })).status, 401, method);
    }
  });
});
