/** A data directory that goes away, or loses or breaks a part: never an empty store in its place, never a wrong answer. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../src/files.ts';
import { ask, openLedger, type Ledger } from '../src/owner.ts';
import { family } from '../src/processes.ts';
import { untilNotReady, untilReady } from '../src/readiness.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';

/** Bytes of a page of the database. */
const PAGE = 4096;

const GONE = /directory was moved, removed or replaced/;

describe('a data directory', () => {
  let server: Server;
  let ledger: Ledger;
  const inObjects = (...names: string[]): string => join(server.dataFolder, 'objects', ...names);

  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: '2' } });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/place', { method: 'PUT' })).status, 200);
    await ledger.put('/place/small', randomBytes(2000));
    await ledger.put('/place/large', randomBytes(2 * MIB));
  });
  after(() => server.stop());

  it('that is moved away and comes back: refuses meanwhile, makes no other, loses nothing', async () => {
    const away = `${server.dataFolder}-away`;
    await untilBothServe();
    renameSync(server.dataFolder, away);
    await untilNotReady(server, GONE);
    for (const size of [1000, MIB]) {
      const { status, body } = await ledger.put(`/place/meanwhile-${size}`, randomBytes(size));
      assert.equal(status, 503, body.toString());
      assert.match(body.toString(), GONE);
    }
    assert.equal((await ask(server, '/place/large')).status, 503);
    // A process that takes another one's place must not make what is not there.
    process.kill(family(server.pid).at(-1)!, 'SIGKILL');
    await sleep(1500);
    for (const name of ['objects', 'config.db', 'root-credentials'])
      assert.ok(!existsSync(join(server.dataFolder, name)), `an empty ${name} was made`);
    mkdirSync(server.dataFolder, { mode: 0o700, recursive: true });
    await sleep(1500);
    await untilNotReady(server, GONE);
    assert.match(await server.log(), /another directory stands in the place of the data directory/);
    rmSync(server.dataFolder, { recursive: true });
    renameSync(away, server.dataFolder);
    await untilReady(server);
    await ledger.check();
    assert.equal((await ledger.put('/place/back', randomBytes(MIB))).status, 200);
    await untilBothServe();
  });

  async function untilBothServe(): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
      if (/^bonded_workers 2$/m.test(metrics)) return;
      await sleep(100);
    }
    assert.fail('there are no two workers');
  }

  it('whose records another process locks: writes wait, it is not ready, and goes on', async () => {
    const script = `const D = require('better-sqlite3'); const d = new D(process.argv[1]); d.exec('BEGIN EXCLUSIVE');
      console.log('locked'); setTimeout(() => {}, 60000);`;
    const locker = spawn(process.execPath, ['-e', script, inObjects('records.sqlite')], {
      cwd: CHECKOUT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(locker.stdout, 'data');
    const waiting = ledger.put('/place/waited', randomBytes(1000));
    assert.equal((await ask(server, '/place/small')).status, 200);
    await untilNotReady(server, /did not answer within 5 s|no answer within 5 seconds/);
    locker.kill('SIGKILL');
    assert.equal((await waiting).status, 200);
    await untilReady(server);
    await ledger.check();
  });
});

describe('a data directory that lost or broke a part', () => {
  let server: Server;
  let ledger: Ledger;
  const inObjects = (...names: string[]): string => join(server.dataFolder, 'objects', ...names);
  const kept = (): string => `${server.dataFolder}-kept`;
  const OBJECTS = 60;

  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: '1' } });
    ledger = openLedger(server);
    assert.equal((await ask(server, '/place', { method: 'PUT' })).status, 200);
    await ledger.put('/place/large', randomBytes(MIB));
    for (let n = 0; n < OBJECTS; n += 1) await ledger.put(`/place/small/${n}`, randomBytes(2000));
    await server.kill();
    renameSync(server.dataFolder, kept());
  });
  beforeEach(() => cpSync(kept(), server.dataFolder, { recursive: true }));
  afterEach(async () => {
    await server.kill();
    rmSync(server.dataFolder, { recursive: true });
  });
  after(async () => {
    await server.stop();
  });

  it('starts as a power cut left it', async () => {
    await server.start();
    await ledger.check();
    assert.equal(await server.terminate(), 0);
    // From here on without a log, so that its records are in one file.
    rmSync(kept(), { recursive: true });
    cpSync(server.dataFolder, kept(), { recursive: true });
  });

  const damages: readonly { readonly what: string; readonly harm: () => void; readonly reason: RegExp }[] = [
    {
      what: 'its records are gone',
      harm: () => rmSync(inObjects('records.sqlite')),
      reason: /records\.sqlite is gone or empty.*restore a backup/,
    },
    {
      what: 'its records are cut off',
      harm: () => truncateSync(inObjects('records.sqlite'), 6 * PAGE),
      reason: /records are damaged; restore them from a backup/,
    },
    {
      what: 'its records are no database',
      harm: () => overwrite('records.sqlite', 0, 4096),
      reason: /not a database; restore them from a backup/,
    },
    {
      what: 'its log is garbage',
      harm: () => writeFileSync(inObjects('records.sqlite-wal'), randomBytes(100_000)),
      reason: /write-ahead log records\.sqlite-wal is damaged.*restore a backup/,
    },
    {
      what: 'its blobs are gone',
      harm: () => rmSync(inObjects('blobs'), { recursive: true }),
      reason: /directory blobs is gone.*mount it, or restore a backup/,
    },
    {
      what: 'its configuration is no database',
      harm: () => overwrite('../config.db', 0, 4096),
      reason: /config\.db cannot be used: it is no database; restore it from a backup/,
    },
  ];
  for (const { what, harm, reason } of damages) {
    it(`does not start when ${what}, and says what to do`, async () => {
      harm();
      await assert.rejects(server.start(), reason);
    });
  }

  it('says so where it meets damaged records, answers nothing wrong, and is not ready from then on', async () => {
    const text = readFileSync(inObjects('records.sqlite'), 'latin1');
    // Where the bytes of digests are: nothing that a start needs.
    const places = [...text.matchAll(/"segments":\[\[/g)].map(({ index }) => index);
    for (const place of places.filter((_, n) => n % 3 === 0)) overwrite('records.sqlite', place + 14, 8);
    await server.start();
    let refused = 0;
    for (let n = 0; n < OBJECTS; n += 1) {
      const { status, body } = await ask(server, `/place/small/${n}`);
      if (status === 200) continue;
      refused += 1;
      assert.equal(status, 503, body.toString());
      assert.match(body.toString(), /records are damaged; restore them from a backup/);
    }
    assert.ok(refused > 0);
    await untilNotReady(server, /records are damaged; restore/);
  });

  function overwrite(name: string, position: number, length: number): void {
    const file = inObjects(name);
    const bytes = readFileSync(file);
    bytes.fill(0xa5, position, position + length);
    writeFileSync(file, bytes);
  }
});
