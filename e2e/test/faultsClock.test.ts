/** A clock that jumps while the server runs: what is under way is not taken for old, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { MIB } from '../src/files.ts';
import { ask, openLedger, type Answer, type Ledger } from '../src/owner.ts';
import { untilReady } from '../src/readiness.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { startServer, type Server } from '../src/server.ts';
import { beginParts, beginTus, type PartsUpload, type TusUpload } from '../src/uploads.ts';

const LIBRARY = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => join(folder, 'faketime', 'libfaketimeMT.so.1'))
  .find((path) => existsSync(path));

describe(`a clock that jumps${LIBRARY === undefined ? ' (skipped: libfaketime is not there)' : ''}`, function () {
  if (LIBRARY === undefined) return void it.skip('needs libfaketime');
  const folder = mkdtempSync(join(tmpdir(), 'bonded-clock-'));
  const clock = join(folder, 'clock');
  const setClock = (offset: string): void => writeFileSync(clock, offset);
  const [one, two] = [randomBytes(5 * MIB), randomBytes(MIB)];
  let server: Server;
  let ledger: Ledger;
  let parts: PartsUpload;
  let first: Answer;
  let tus: TusUpload;

  before(async () => {
    setClock('+0');
    const env = { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    server = await startServer({ env: { ...env, NO_FAKE_STAT: '1', BONDED_WORKERS: '1' } });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/clock', { method: 'PUT' })).status, 200);
    await ledger.put('/clock/before', randomBytes(MIB));
    parts = await beginParts(server, '/clock/parts');
    first = await parts.putPart(1, one);
    tus = await beginTus(server, '/clock/tus', two.length);
    assert.equal((await tus.patch(0, two.subarray(0, 400_000))).status, 204);
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const collect = () => ask(server, '/api/v1/collection', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } });
  const journal = async (query: string): Promise<readonly { id: string; name?: string }[]> =>
    (JSON.parse((await ask(server, `/api/v1/journal?${query}`)).body.toString()) as { entries: readonly { id: string }[] }).entries;

  /** An upload that stands still in its middle until it is told to go on. */
  async function halfSent(path: string, body: Buffer): Promise<() => Promise<number>> {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const headers = { 'Content-Length': String(body.length) };
    const sending = request(new URL(path, server.url), { method: 'PUT', agent: false, auth: `${accessKeyId}:${secretAccessKey}`, headers });
    const answered = once(sending, 'response') as Promise<[{ statusCode: number; resume(): void }]>;
    sending.write(body.subarray(0, body.length / 2));
    await new Promise((turn) => setTimeout(turn, 500));
    return async () => {
      sending.end(body.subarray(body.length / 2));
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    };
  }

  it('forwards by a day: collects nothing that is alive, and every upload goes on', async () => {
    const body = randomBytes(2 * MIB);
    const goOn = await halfSent('/clock/under-way', body);
    setClock('+1d');
    const refused = await collect();
    assert.equal(refused.status, 503, refused.body.toString());
    assert.match(refused.body.toString(), /clock was put forward/);
    assert.equal(await goOn(), 200);
    ledger.note('/clock/under-way', body);
    const second = await parts.putPart(2, two);
    assert.equal((await parts.complete([first, second])).status, 200);
    ledger.note('/clock/parts', Buffer.concat([one, two]));
    const offset = await tus.offset();
    assert.equal((await tus.patch(offset, two.subarray(offset))).status, 204);
    ledger.note('/clock/tus', two);
    await untilReady(server);
    await ledger.check();
  });

  it('refuses signatures of another time, and clients that set themselves right by the answer go on', async () => {
    const command = () => new GetObjectCommand({ Bucket: 'clock', Key: 'before' });
    const [once, again] = [s3Client(server, { maxAttempts: 1 }), s3Client(server, { maxAttempts: 2 })];
    assert.deepEqual(await errorOf(once.send(command())), { name: 'RequestTimeTooSkewed', status: 403 });
    assert.equal((await (await again.send(command())).Body?.transformToByteArray())?.length, MIB);
    once.destroy();
    again.destroy();
  });

  it('backwards by an hour: the journal goes on in order, readiness is asked anew, nothing is lost', async () => {
    setClock('+0');
    await ledger.put('/clock/now', randomBytes(1000));
    const seen = (await journal('limit=1')).at(-1)!;
    setClock('-1h');
    await ledger.put('/clock/later', randomBytes(MIB));
    await ledger.remove('/clock/now');
    const since = await journal(`after=${seen.id}&limit=10`);
    assert.deepEqual(
      since.map(({ name }) => name),
      ['later', 'now'],
    );
    await untilReady(server);
    await server.kill();
    await server.start();
    await ledger.put('/clock/after-restart', randomBytes(1000));
    const last = since.at(-1)!;
    assert.deepEqual(
      (await journal(`after=${last.id}&limit=10`)).map(({ name }) => name),
      ['after-restart'],
    );
    await ledger.check();
  });
});
