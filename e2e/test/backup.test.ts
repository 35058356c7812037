/** Backups of a running server, by its command and as a snapshot of the disk would: what comes back is consistent. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../src/files.ts';
import { ask, openLedger, type Answer, type Ledger } from '../src/owner.ts';
import { family } from '../src/processes.ts';
import { untilReady } from '../src/readiness.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';
import { attempt } from '../src/shell.ts';
import { beginParts, beginTus, type PartsUpload, type TusUpload } from '../src/uploads.ts';

const PATH = process.env.PATH ?? '';

describe('a backup of a running server', () => {
  let server: Server;
  let ledger: Ledger;
  let folder: string;
  let load: Load;
  let parts: PartsUpload;
  let first: Answer;
  let tus: TusUpload;
  const [one, two] = [randomBytes(5 * MIB), randomBytes(MIB)];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bonded-backup-'));
    server = await startServer({ env: { BONDED_WORKERS: '2', BONDED_GRACE: '1m' } });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/backed', { method: 'PUT' })).status, 200);
    for (let n = 0; n < 40; n += 1) await ledger.put(`/backed/before/${n}`, randomBytes(n % 2 === 0 ? 100_000 : 2000));
    parts = await beginParts(server, '/backed/parts');
    first = await parts.putPart(1, one);
    tus = await beginTus(server, '/backed/tus', two.length);
    assert.equal((await tus.patch(0, two.subarray(0, 400_000))).status, 204);
    load = startLoad(server);
    while (load.rounds() < 3) await new Promise((turn) => setTimeout(turn, 50));
  });
  after(async () => {
    await load.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('by its command', async () => {
    const acknowledged = ledger.frozen();
    const target = join(folder, 'by-command');
    const env = { PATH, BONDED_DATA: server.dataFolder, BONDED_MANIFESTS: server.manifestsFolder };
    const finished = await attempt([process.execPath, 'dataplane/src/main.ts', 'backup', target], { cwd: CHECKOUT, env });
    assert.deepEqual([finished.code, finished.stderr], [0, '']);
    assert.match(finished.stdout, /The backup is in .*by-command: records, configuration, and \d+ files of blobs\.\n/);
    assert.ok(!readdirSync(join(server.dataFolder, 'objects')).includes('withheld'));
    const twice = await attempt([process.execPath, 'dataplane/src/main.ts', 'backup', target], { cwd: CHECKOUT, env });
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /is not empty\. Name a new directory/);
    await restores(acknowledged, target, join(target, 'manifests'));
  });

  it('as an atomic snapshot of the file system, which stopping every process is like', async () => {
    const acknowledged = ledger.frozen();
    const target = join(folder, 'snapshot');
    const processes = family(server.pid);
    for (const pid of processes) process.kill(pid, 'SIGSTOP');
    try {
      cpSync(server.dataFolder, target, { recursive: true, preserveTimestamps: true });
    } finally {
      for (const pid of processes) process.kill(pid, 'SIGCONT');
    }
    await restores(acknowledged, target, server.manifestsFolder);
  });

  /** Puts the backup in the place of a new server's folders, and looks at everything through it. */
  async function restores(acknowledged: Ledger, data: string, manifests: string): Promise<void> {
    const restored = await startServer({ env: { BONDED_WORKERS: '1', BONDED_GRACE: '1m' } });
    try {
      await restored.terminate();
      for (const place of [restored.dataFolder, restored.manifestsFolder]) rmSync(place, { recursive: true });
      cpSync(manifests, restored.manifestsFolder, { recursive: true });
      renameSync(data, restored.dataFolder);
      await restored.start();
      await untilReady(restored);
      const copy = withCredentialsOf(restored, server);
      assert.equal(await acknowledged.check(copy), 40);
      await everyListedObjectIsWhole(copy);
      await uploadsGoOn(copy);
      const again = openLedger(copy);
      assert.equal((await again.put('/backed/new', randomBytes(MIB))).status, 200);
      const collected = await ask(copy, '/api/v1/collection', {
        method: 'POST',
        body: '{}',
        headers: { 'Content-Type': 'application/json' },
      });
      assert.equal(collected.status, 200, collected.body.toString());
      await again.check();
      await acknowledged.check(copy);
    } finally {
      await restored.stop();
    }
  }

  /** Objects of the load too, which nobody remembers: their digest is that of their record. */
  async function everyListedObjectIsWhole(copy: Server): Promise<void> {
    const listing = (await ask(copy, '/backed?list-type=2&prefix=load/')).body.toString();
    const keys = [...listing.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key]) => key);
    assert.ok(keys.length > 3);
    for (const key of keys) {
      const { status, body, headers } = await ask(copy, `/backed/${key}`);
      assert.equal(status, 200, `${key}: ${body.toString().slice(0, 300)}`);
      const stated = /sha-256=:([^:]+):/.exec(String(headers['repr-digest']))?.[1];
      assert.equal(createHash('sha256').update(body).digest('base64'), stated, key);
    }
  }

  async function uploadsGoOn(copy: Server): Promise<void> {
    const offset = await tus.offset(copy);
    assert.equal(offset, 400_000);
    assert.equal((await tus.patch(offset, two.subarray(offset), copy)).status, 204);
    assert.equal((await parts.complete([first], copy)).status, 200);
    assert.ok((await ask(copy, '/backed/tus')).body.equals(two));
    assert.ok((await ask(copy, '/backed/parts')).body.equals(one));
  }
});

/** The same server, asked with the key that the backup brought. */
function withCredentialsOf(restored: Server, original: Server): Server {
  return { ...restored, credentials: original.credentials };
}

interface Load {
  rounds(): number;
  stop(): Promise<void>;
}

/** Puts, replaces, deletes, uploads in parts and aborts, and collects, without pause. */
function startLoad(server: Server): Load {
  let rounds = 0;
  let stopped = false;
  const round = async (id: number, n: number): Promise<void> => {
    const name = `/backed/load/${id}/${n % 5}`;
    await ask(server, name, { method: 'PUT', body: randomBytes(n % 3 === 0 ? 2000 : 200_000) });
    if (n % 4 === 3) await ask(server, name, { method: 'DELETE' });
    const upload = await beginParts(server, `/backed/load/${id}/parts`);
    const part = await upload.putPart(1, randomBytes(300_000));
    if (n % 2 === 0) await upload.complete([part]);
    else await upload.abort();
    rounds += 1;
  };
  const writer = async (id: number): Promise<void> => {
    for (let n = 0; !stopped && n < 10_000; n += 1) await round(id, n).catch(() => undefined);
  };
  const writers = Promise.all([0, 1, 2].map(writer));
  return {
    rounds: () => rounds,
    async stop() {
      stopped = true;
      await writers;
    },
  };
}
