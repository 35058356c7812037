import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { failsWith, patterned, whole } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

const FRAME = 24 + 8192;

describe('local store: a directory that lost a part of itself', () => {
  let directory: string;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ directory, remove } = await newDirectory()));
  afterEach(() => remove());

  const refused = (what: RegExp) =>
    assert.rejects(openLocalStore({ directory }), (thrown: Error) => {
      assert.match(thrown.message, what);
      return failsWith('Unavailable')(thrown);
    });

  /** Some commits in the log, left there as by a crash. */
  async function crashedWith(commits: number): Promise<void> {
    const store = await openLocalStore({ directory });
    for (let n = 0; n < commits; n += 1) await store.records.write([{ put: `k${n}`, value: n }]);
    const { database } = layoutOf(directory);
    for (const suffix of ['', '-wal']) copyFileSync(database + suffix, `${database + suffix}.kept`);
    await store.close();
    for (const suffix of ['', '-wal']) renameSync(`${database + suffix}.kept`, database + suffix);
  }

  function damage(file: string, position: number, length = 64): void {
    const open = openSync(file, 'r+');
    writeSync(open, Buffer.alloc(length, 0xa5), 0, length, position);
    closeSync(open);
  }

  async function keysThere(commits: number): Promise<boolean[]> {
    const store = await openLocalStore({ directory });
    const found = await Promise.all(Array.from({ length: commits }, async (_, n) => (await store.records.get(`k${n}`)) !== undefined));
    await store.close();
    return found;
  }

  it('is refused without its records, when there are blobs or a log', async () => {
    const { database } = layoutOf(directory);
    const store = await openLocalStore({ directory });
    await store.blobs.put('01JD7K2M3N', whole(patterned(50_000)));
    await store.close();
    const records = readFileSync(database);
    truncateSync(database);
    await refused(/records\.sqlite is gone or empty.*restore a backup/);
    rmSync(database);
    await refused(/records\.sqlite is gone or empty/);
    writeFileSync(database, records);
    rmSync(layoutOf(directory).blobs, { recursive: true });
    await refused(/directory blobs is gone/);
    assert.ok(!existsSync(layoutOf(directory).blobs));
  });

  it('is refused when its records are shorter than they were', async () => {
    const store = await openLocalStore({ directory });
    for (let n = 0; n < 50; n += 1) await store.records.write([{ put: `k${n}`, value: 'x'.repeat(4000) }]);
    await store.close();
    const { database } = layoutOf(directory);
    truncateSync(database, statSync(database).size - 8192);
    await refused(/records are damaged; restore/);
  });

  it('is taken with a log that a crash left, whole or torn at its end', async () => {
    await crashedWith(5);
    assert.deepEqual(await keysThere(5), [true, true, true, true, true]);
    await crashedWith(8);
    const log = `${layoutOf(directory).database}-wal`;
    const frames = (statSync(log).size - 32) / FRAME;
    damage(log, 32 + (frames - 1) * FRAME + 100);
    assert.deepEqual(
      (await keysThere(8)).slice(0, 7),
      Array.from({ length: 7 }, () => true),
    );
  });

  it('is refused with a log that is damaged before its end', async () => {
    await crashedWith(8);
    const log = `${layoutOf(directory).database}-wal`;
    const sound = readFileSync(log);
    const frames = (sound.length - 32) / FRAME;
    for (const frame of [0, 1, Math.floor(frames / 2), frames - 4]) {
      damage(log, 32 + frame * FRAME + 1000);
      await refused(/write-ahead log records\.sqlite-wal is damaged/);
      writeFileSync(log, sound);
      rmSync(`${layoutOf(directory).database}-shm`, { force: true });
    }
    damage(log, 0);
    await refused(/write-ahead log records\.sqlite-wal is damaged/);
    renameSync(log, join(directory, 'moved-away'));
    await (await openLocalStore({ directory })).close();
  });
});
