/** A disk that is full: what comes is refused with the reason, nothing is lost, and all goes on when there is space again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fill, MIB, mountTmpfs, unmount, whyNoTmpfs } from '../src/mounts.ts';
import { ask, openLedger, type Answer, type Ledger } from '../src/owner.ts';
import { untilNotReady, untilReady } from '../src/readiness.ts';
import { startServer, type Server } from '../src/server.ts';
import { beginParts, beginTus, type PartsUpload, type TusUpload } from '../src/uploads.ts';

const FULL = /no space is left on its disk; free some/;
const DISK_MIB = 96;

describe(`a full disk${whyNoTmpfs === undefined ? '' : ` (skipped: ${whyNoTmpfs})`}`, function () {
  if (whyNoTmpfs !== undefined) return void it.skip('needs a mount');
  let server: Server;
  let ledger: Ledger;
  let parts: PartsUpload;
  let tus: TusUpload;
  let first: Answer;
  let free: (() => void) | undefined;
  const [one, two, begun, rest] = [5 * MIB, MIB, 300_000, 200_000].map((size) => randomBytes(size)) as [Buffer, Buffer, Buffer, Buffer];

  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: '2' }, beforeStart: (folder) => mountTmpfs(folder, DISK_MIB) });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/full', { method: 'PUT' })).status, 200);
    await ledger.put('/full/small', randomBytes(1000));
    await ledger.put('/full/large', randomBytes(3 * MIB));
    await ledger.put('/full/gone', randomBytes(2 * MIB));
    await ledger.remove('/full/gone');
    parts = await beginParts(server, '/full/parts');
    first = await parts.putPart(1, one);
    tus = await beginTus(server, '/full/tus', begun.length + rest.length);
    assert.equal((await tus.patch(0, begun)).status, 204);
  });
  after(async () => {
    await server.kill();
    unmount(server.dataFolder);
    await server.stop();
  });

  /** In S3's own form. A connection may break before the answer to a large body is read; then it is asked again. */
  async function refused(asking: () => Promise<Answer>, form: RegExp): Promise<void> {
    let answer = await asking();
    if (answer.status === 0) answer = await asking();
    assert.equal(answer.status, 503, answer.body.toString());
    assert.match(answer.body.toString(), form);
    assert.match(answer.body.toString(), FULL);
  }
  const XML = /<Error><Code>ServiceUnavailable<\/Code>/;

  it('refuses uploads of every kind, and reads on', async () => {
    free = fill(server.dataFolder);
    await refused(() => ledger.put('/full/too-large', randomBytes(2 * MIB)), XML);
    await refused(() => parts.putPart(2, two), XML);
    await refused(() => tus.patch(begun.length, rest), /no space/);
    await untilRefused();
    await untilNotReady(server, FULL);
    assert.ok((await ledger.check()) >= 2);
    assert.equal((await ask(server, '/full?list-type=2')).status, 200);
  });

  /** A few small ones may still find room where earlier ones were. */
  async function untilRefused(): Promise<void> {
    for (let n = 0; n < 200; n += 1) {
      const answer = await ledger.put(`/full/many/${n}`, randomBytes(8000));
      if (answer.status === 200) continue;
      return refused(() => Promise.resolve(answer), XML);
    }
    assert.fail('200 small objects found room on a full disk');
  }

  it('cannot collect, and says so', async () => {
    const answer = await ask(server, '/api/v1/collection', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } });
    assert.ok(answer.status === 503 || answer.status === 200, answer.body.toString());
    if (answer.status === 503) {
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.match(answer.body.toString(), FULL);
    }
  });

  it('goes on by itself when there is space again, with every upload where it was', async () => {
    free?.();
    await untilReady(server);
    await ledger.check();
    assert.equal((await ledger.put('/full/again', randomBytes(2 * MIB))).status, 200);
    const second = await parts.putPart(2, two);
    assert.equal((await parts.complete([first, second])).status, 200);
    ledger.note('/full/parts', Buffer.concat([one, two]));
    const offset = await tus.offset();
    assert.ok(offset >= begun.length);
    assert.equal((await tus.patch(offset, Buffer.concat([begun, rest]).subarray(offset))).status, 204);
    ledger.note('/full/tus', Buffer.concat([begun, rest]));
    await ledger.check();
  });

  it('refuses to start without space, with the reason, and starts when there is some', async () => {
    assert.equal(await server.terminate(), 0);
    free = fill(server.dataFolder);
    await assert.rejects(server.start(), /could not start: .*(no space is left on its disk|ENOSPC)/);
    free();
    await server.start();
    await ledger.check();
  });

  it('keeps no bytes of what was refused', async () => {
    const objects = join(server.dataFolder, 'objects');
    assert.deepEqual(readdirSync(join(objects, 'incoming')), []);
    const files = readdirSync(join(objects, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    // large, gone (within its grace), again, two parts, two pieces of tus
    assert.equal(files.length, 7);
  });
});
