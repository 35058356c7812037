import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openDatabase } from '../../../src/storage/local/database.ts';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { failsWith, patterned, whole } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

describe('local store: its database', () => {
  let directory: string;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ directory, remove } = await newDirectory()));
  afterEach(() => remove());

  const refused = async (message: RegExp): Promise<void> => {
    await assert.rejects(openLocalStore({ directory, name: 'east' }), (thrown: Error) => {
      assert.match(thrown.message, message);
      assert.match(thrown.message, /'east'/);
      assert.ok(!thrown.message.includes(directory), 'a message shows no path');
      return failsWith('Unavailable')(thrown);
    });
  };

  it('refuses a newer format', async () => {
    await (await openLocalStore({ directory })).close();
    const db = new Database(layoutOf(directory).database);
    db.pragma('user_version = 99');
    db.close();
    await refused(/format 99/);
  });

  it("refuses another program's database", async () => {
    const db = new Database(layoutOf(directory).database);
    db.exec('CREATE TABLE records (key TEXT)');
    db.close();
    await refused(/another program/);
  });

  it('refuses what is no database', async () => {
    await writeFile(layoutOf(directory).database, 'not SQLite at all'.repeat(100));
    await refused(/not a database/);
  });

  it('refuses a directory that is a file', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await assert.rejects(openLocalStore({ directory: file }), failsWith('Unavailable'));
  });

  it('syncs every commit and keeps a log', async () => {
    const db = openDatabase(join(directory, 'x.sqlite'), 'default', 0);
    try {
      assert.equal(db.pragma('synchronous', { simple: true }), 2);
      assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
      assert.equal(db.pragma('page_size', { simple: true }), 4096);
      assert.equal(db.pragma('encoding', { simple: true }), 'UTF-8');
    } finally {
      db.close();
    }
  });

  it('keeps the lock that stops another process from removing its log', async function () {
    if (process.platform !== 'linux') this.skip();
    const store = await openLocalStore({ directory });
    await store.records.write([{ put: 'a', value: 1 }]);
    const { ino } = await stat(layoutOf(directory).database);
    const mine = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${process.pid} `) && line.includes(`:${ino} `));
    await store.close();
    assert.equal(mine.length, 1);
  });

  it('lets only its owner look in', async () => {
    const store = await openLocalStore({ directory: join(directory, 'new') });
    await store.blobs.put('01JD7K2M3N', whole(patterned(50_000)));
    await store.records.write([{ put: 'a', value: 1 }]);
    for (const entry of await readdir(join(directory, 'new'), { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      assert.equal(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, entry.name);
    }
    assert.equal((await stat(join(directory, 'new'))).mode & 0o777, 0o700);
    await store.close();
  });
});
