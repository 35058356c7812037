/** A disk that fails: nothing is acknowledged that is not on it, and all goes on when it works again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failExt4, MIB, mountExt4, unmount, whyNoExt4 } from '../src/mounts.ts';
import { ask, openLedger, type Ledger } from '../src/owner.ts';
import { untilNotReady, untilReady } from '../src/readiness.ts';
import { startServer, type Server } from '../src/server.ts';
import { failCalls, whyNoStrace } from '../src/strace.ts';

const skipped = (why: string | undefined): string => (why === undefined ? '' : ` (skipped: ${why})`);

describe(`a disk that reports errors${skipped(whyNoStrace)}`, function () {
  if (whyNoStrace !== undefined) return void it.skip('needs strace');
  let server: Server;
  let ledger: Ledger;
  before(async () => {
    // Whose every thread is there when calls begin to fail.
    server = await startServer({ env: { BONDED_WORKERS: '1' } });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/disk', { method: 'PUT' })).status, 200);
    await ledger.put('/disk/small', randomBytes(1000));
    await ledger.put('/disk/large', randomBytes(2 * MIB));
  });
  after(() => server.stop());

  async function refusesBoth(name: string, reason: RegExp): Promise<void> {
    for (const [kind, size] of Object.entries({ small: 1000, large: MIB })) {
      const { status, body } = await ledger.put(`/disk/${name}-${kind}`, randomBytes(size));
      assert.equal(status, 503, body.toString());
      assert.match(body.toString(), /<Error><Code>ServiceUnavailable<\/Code>/);
      assert.match(body.toString(), reason);
    }
  }

  const faults = [
    { what: 'that cannot sync', calls: ['fsync', 'fdatasync'], error: 'EIO', reason: /input\/output error; check the disk/ },
    {
      what: 'that cannot be written',
      calls: ['pwrite64', 'fdatasync', 'fsync'],
      error: 'EIO',
      reason: /input\/output error; check the disk/,
    },
    {
      what: 'that turned read-only',
      calls: ['pwrite64', 'fdatasync', 'fsync', 'link', 'linkat', 'mkdir', 'unlink', 'rename'],
      error: 'EROFS',
      reason: /read-only; mount it writable|input\/output error/,
    },
  ];
  for (const { what, calls, error, reason } of faults) {
    it(`${what} (${error}): refuses, is not ready, and goes on when it works again`, async () => {
      const name = what.replaceAll(' ', '-') + error;
      const fault = await failCalls(server.pid, calls, `error=${error}`);
      try {
        await refusesBoth(name, reason);
        await untilNotReady(server, reason);
      } finally {
        await fault.stop();
      }
      await untilReady(server);
      assert.equal((await ledger.put(`/disk/${name}-again`, randomBytes(MIB))).status, 200);
      await ledger.check();
      await server.kill();
      await server.start();
      assert.ok((await ledger.check()) >= 3);
    });
  }

  it('that cannot be read: refuses, and answers no wrong byte', async () => {
    const fault = await failCalls(server.pid, ['pread64'], 'error=EIO');
    try {
      const { status, body } = await ask(server, '/disk/large');
      assert.equal(status, 503, body.toString());
      assert.match(body.toString(), /input\/output error/);
    } finally {
      await fault.stop();
    }
    await untilReady(server);
    await ledger.check();
  });

  it('that fails to sync just once: that upload is not acknowledged, and leaves nothing', async () => {
    // In each thread the first: a second try would succeed, and prove nothing about what the first one lost.
    const incoming = () => readdirSync(join(server.dataFolder, 'objects', 'incoming'));
    // Of the read-only disk, where nothing could be removed: it goes when it is an hour old.
    const earlier = incoming();
    const fault = await failCalls(server.pid, ['fdatasync'], 'error=EIO:when=1');
    let refused = 0;
    try {
      for (let n = 0; n < 12; n += 1) {
        const { status } = await ask(server, `/disk/once-${n}`, { method: 'PUT', body: randomBytes(200_000) });
        if (status === 503) {
          refused += 1;
          assert.equal((await ask(server, `/disk/once-${n}`, { method: 'HEAD' })).status, 404);
        } else assert.equal(status, 200);
      }
    } finally {
      await fault.stop();
    }
    assert.ok(refused >= 2, `${refused} refused`);
    assert.deepEqual(incoming(), earlier);
  });
});

describe(`a disk that is pulled out${skipped(whyNoExt4)}`, function () {
  if (whyNoExt4 !== undefined) return void it.skip('needs a mount');
  let folder: string;
  let server: Server;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bonded-disk-'));
    server = await startServer({ env: { BONDED_WORKERS: '2' }, beforeStart: (data) => mountExt4(data, join(folder, 'disk.img')) });
  });
  after(async () => {
    await server.kill();
    unmount(server.dataFolder);
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it('amid many writes: what was acknowledged is on it, though all that was not synced is lost', async () => {
    const ledger = openLedger(server);
    assert.equal((await ask(server, '/pulled', { method: 'PUT' })).status, 200);
    let acknowledged = 0;
    let broken = false;
    const writer = async (id: number): Promise<void> => {
      for (let n = 0; !broken && n < 400; n += 1) {
        const { status } = await ledger.put(`/pulled/${id}/${n}`, randomBytes(n % 3 === 0 ? 150_000 : 900));
        if (status === 200) acknowledged += 1;
        if (status === 200 && n % 7 === 6) await ledger.remove(`/pulled/${id}/${n - 1}`);
        broken ||= status !== 200;
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)));
    while (acknowledged < 150) await new Promise((turn) => setTimeout(turn, 5));
    failExt4(server.dataFolder);
    await writers;
    assert.ok(broken);
    await untilNotReady(server, /input\/output error|did not answer|read-only|cannot be/);
    await server.kill();
    unmount(server.dataFolder);
    mountExt4(server.dataFolder, join(folder, 'disk.img'));
    await server.start();
    await untilReady(server);
    assert.ok((await ledger.check()) > 100);
    assert.equal((await ledger.put('/pulled/after', randomBytes(MIB))).status, 200);
  });
});
