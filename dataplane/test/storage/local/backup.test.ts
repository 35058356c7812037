import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../../src/storage/contract.ts';
import { beginLocalBackup } from '../../../src/storage/local/backup.ts';
import { layoutOf, pathOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { failsWith, patterned, read, whole } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

const ids = ['01JD7K2M3N0', '01JD7K2M3N1', '02JD7K2M3N2'];
const bytesOf = (id: string): Uint8Array => patterned(60_000, ids.indexOf(id) + 1);

/** Another process's deletions, as fast as it can, until the place they go to is no more. */
const MOVES_BLOBS_THERE = `
  const { renameSync, writeFileSync } = require('node:fs');
  const [directory, withheld] = process.argv.slice(1);
  try {
    for (let n = 0; ; n += 1) {
      writeFileSync(directory + '/deleted', '');
      renameSync(directory + '/deleted', withheld + '/' + n);
      if (n === 1000) process.stdout.write('.');
    }
  } catch (thrown) {
    if (thrown.code !== 'ENOENT') throw thrown;
  }
`;

describe('local store: a backup', () => {
  let home: string;
  let directory: string;
  let target: string;
  let remove: () => Promise<void>;
  let store: Store;

  beforeEach(async () => {
    ({ directory: home, remove } = await newDirectory());
    [directory, target] = [join(home, 'objects'), join(home, 'copy')];
    store = await openLocalStore({ directory });
    for (const id of ids) await store.blobs.put(id, whole(bytesOf(id)));
    await store.blobs.put('small', whole(patterned(100)));
    await store.records.write([{ put: 'before', value: 1 }]);
  });
  afterEach(async () => {
    await store.close();
    await remove();
  });

  it('has the records of one moment and every blob of then, also one deleted since', async () => {
    const backup = await beginLocalBackup({ directory, target });
    await store.records.write([{ put: 'after', value: 2 }, { delete: 'before' }]);
    assert.ok(await backup.bring(ids[0]!));
    await store.blobs.delete(ids[0]!);
    await store.blobs.delete(ids[1]!);
    await store.blobs.delete('small');
    await assert.rejects(read(store.blobs.get(ids[1]!)), failsWith('DigestUnknown'));
    assert.ok(await backup.bring(ids[1]!));
    assert.ok(await backup.bring(ids[2]!));
    assert.ok(!(await backup.bring('03NEVERTHERE')));
    await backup.end();
    assert.deepEqual(await store.blobs.list(undefined, 10), [ids[2]]);
    assert.ok(!existsSync(layoutOf(directory).withheld));
    const copy = await openLocalStore({ directory: target });
    for (const id of ids) assert.deepEqual(await read(copy.blobs.get(id)), Buffer.from(bytesOf(id)));
    assert.equal((await read(copy.blobs.get('small'))).length, 100);
    assert.equal((await copy.records.get('before'))?.value, 1);
    assert.equal(await copy.records.get('after'), undefined);
    await copy.records.write([{ put: 'goes on', value: 3 }]);
    await copy.close();
  });

  it('takes no space for bytes on the same file system', async () => {
    const backup = await beginLocalBackup({ directory, target });
    await backup.bring(ids[0]!);
    await backup.end();
    assert.equal(statSync(pathOf(layoutOf(target), ids[0]!)).ino, statSync(pathOf(layoutOf(directory), ids[0]!)).ino);
    assert.equal(statSync(layoutOf(target).database).mode & 0o777, 0o600);
  });

  it('is one at a time', async () => {
    const backup = await beginLocalBackup({ directory, target });
    await assert.rejects(beginLocalBackup({ directory, target: join(home, 'other') }), failsWith('Unavailable'));
    await backup.end();
    await (await beginLocalBackup({ directory, target: join(home, 'third') })).end();
  });

  it('that died keeps no deleted blob: the next start lets them go, and one that lives keeps its own', async () => {
    const { withheld } = layoutOf(directory);
    await mkdir(withheld);
    await store.blobs.delete(ids[0]!);
    assert.deepEqual(readdirSync(withheld), [ids[0]]);
    await (await openLocalStore({ directory })).close();
    assert.ok(!existsSync(withheld));
    await mkdir(layoutOf(directory).letGo);
    await (await openLocalStore({ directory })).close();
    assert.ok(!existsSync(layoutOf(directory).letGo));
    const backup = await beginLocalBackup({ directory, target });
    await store.blobs.delete(ids[1]!);
    await (await openLocalStore({ directory })).close();
    assert.ok(await backup.bring(ids[1]!));
    await backup.end();
  });

  it('ends while other processes are moving deleted blobs to it, and leaves none of them', async () => {
    const backup = await beginLocalBackup({ directory, target });
    const { withheld, letGo } = layoutOf(directory);
    const other = spawn(process.execPath, ['-e', MOVES_BLOBS_THERE, directory, withheld], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    await backup.end();
    assert.deepEqual(await ended, [0, null]);
    assert.ok(![withheld, letGo].some(existsSync));
  });

  it('is not taken of what is no store', async () => {
    await assert.rejects(beginLocalBackup({ directory: join(home, 'none'), target }), failsWith('Unavailable'));
    await mkdir(join(home, 'bad'));
    await writeFile(join(home, 'bad', 'records.sqlite'), 'not SQLite at all'.repeat(100));
    await assert.rejects(beginLocalBackup({ directory: join(home, 'bad'), target }), failsWith('Unavailable'));
  });
});
