import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { BUCKET, startPair, type Pair } from '../pair.ts';

const MIB = 1024 * 1024;
interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const digestOf = (body: Uint8Array): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

for (const name of BACKENDS) {
  describe(`resumable uploads through two servers over ${name}, each behind a faulty network`, function () {
    this.timeout(120_000);
    let backend: Backend;
    let pair: Pair;

    before(async () => {
      backend = await startBackend(name);
      pair = await startPair(backend, { rate: 0.04 });
    });
    after(async () => {
      assert.ok(pair.faults() > 5, 'the network was faulty');
      await pair.stop();
      await backend.stop();
    });

    /** Asks the first server (0) or the second (1). */
    const ask = (n: number, method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Response> => {
      const { url } = pair.servers[n % 2] ?? pair.servers[0];
      const { authorization } = pair;
      return fetch(url + path, { method, headers: { authorization, ...headers }, ...(body === undefined ? {} : { body }) });
    };
    async function contentIs(key: string, body: Buffer): Promise<void> {
      for (const n of [0, 1]) {
        const got = await ask(n, 'GET', `/${BUCKET}/${key}`);
        assert.equal(got.headers.get('repr-digest'), digestOf(body));
        assert.ok(body.equals(Buffer.from(await got.arrayBuffer())));
      }
    }
    const TUS = { 'tus-resumable': '1.0.0' };
    const offsetAt = async (n: number, url: string): Promise<number> =>
      Number((await ask(n, 'HEAD', url, { headers: TUS })).headers.get('upload-offset'));
    const append = (n: number, url: string, offset: number, part: Buffer): Promise<Response> =>
      ask(n, 'PATCH', url, {
        headers: { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
        body: part,
      });
    async function begin(key: string, length: number): Promise<string> {
      const made = await ask(0, 'POST', `/uploads/${BUCKET}/${key}`, { headers: { ...TUS, 'upload-length': String(length) } });
      assert.equal(made.status, 201);
      return made.headers.get('location') ?? '';
    }

    it('go on through the other after every piece, and when one is gone', async () => {
      const body = randomBytes(3 * MIB + 7);
      const url = await begin('tus', body.length);
      const piece = 256 * 1024;
      for (let offset = 0, n = 0; offset < body.length; n += 1) {
        if (offset === 6 * piece) await pair.servers[0].kill();
        if (offset === 9 * piece) await pair.servers[0].start();
        const through = offset >= 6 * piece && offset < 9 * piece ? 1 : n;
        assert.equal(await offsetAt(through, url), offset);
        const answer = await append(through, url, offset, body.subarray(offset, offset + piece));
        assert.equal(answer.status, 204, await answer.text());
        offset = Number(answer.headers.get('upload-offset'));
      }
      await contentIs('tus', body);
    });

    it('keep the bytes of one of two that send to one offset', async () => {
      const [zero, one] = [Buffer.alloc(100_000, '0'), Buffer.alloc(100_000, '1')];
      const url = await begin('contested', 10 * 100_000);
      const kept: Buffer[] = [];
      for (let round = 0; round < 10; round += 1) {
        const offset = round * 100_000;
        assert.equal(await offsetAt(round, url), offset);
        const answers = await Promise.all([zero, one].map((part, n) => append(round + n, url, offset, part).catch(() => undefined)));
        const winners = answers.flatMap((answer, n) => (answer?.status === 204 ? [n] : []));
        assert.equal(winners.length, 1, `round ${round}: ${answers.map((answer) => answer?.status).join()}`);
        kept.push(winners[0] === 0 ? zero : one);
      }
      await contentIs('contested', Buffer.concat(kept));
    });

    it('take ranges through both at once, and become one name whoever completes them', async () => {
      const body = randomBytes(4 * MIB + 5);
      const headers = { 'upload-mode': 'parallel', 'upload-length': String(body.length), 'repr-digest': digestOf(body) };
      const url = (await ask(0, 'POST', `/uploads/${BUCKET}/parallel`, { headers })).headers.get('location') ?? '';
      const size = 512 * 1024;
      const starts = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => index * size);
      const answers = await Promise.all(
        starts.map((start, n) => {
          const part = body.subarray(start, start + size);
          return ask(n, 'PUT', url, {
            headers: { 'content-range': `bytes ${start}-${start + part.length - 1}/${body.length}` },
            body: part,
          });
        }),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([204]));
      const done = await Promise.all([0, 1].map((n) => ask(n, 'POST', `${url}&complete`)));
      const statuses = done.map(({ status }) => status);
      assert.ok(
        statuses.every((status) => [200, 201].includes(status)),
        statuses.join(),
      );
      await contentIs('parallel', body);
      const listed = await (await ask(0, 'GET', `/${BUCKET}?versions&prefix=parallel`)).text();
      assert.equal(listed.match(/<Version>/g)?.length, 1);
    });
  });
}
