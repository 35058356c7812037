import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import type { Store } from '../../../src/storage/contract.ts';
import { read, failsWith, patterned, whole } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

const ID = '01JD7K2M3N';

describe('local store: a directory that is taken away', () => {
  let home: string;
  let directory: string;
  let remove: () => Promise<void>;
  let store: Store;

  beforeEach(async () => {
    ({ directory: home, remove } = await newDirectory());
    directory = join(home, 'objects');
    store = await openLocalStore({ directory });
    await store.records.write([{ put: 'kept', value: 1 }]);
    await store.blobs.put(ID, whole(patterned(50_000)));
  });
  afterEach(async () => {
    await store.close();
    await remove();
  });

  const refusesAll = async (): Promise<void> => {
    for (const call of [
      () => store.records.write([{ put: 'lost', value: 2 }]),
      () => store.blobs.put(`${ID}X`, whole(patterned(10))),
      () => store.blobs.put(`${ID}Y`, whole(patterned(50_000))),
      () => store.blobs.head(ID),
      () => store.blobs.delete(ID),
      () => store.blobs.list(undefined, 10),
      () => read(store.blobs.get(ID)),
      () => store.check(),
    ])
      await assert.rejects(call(), failsWith('Unavailable'));
  };

  it('takes no write meanwhile, says of no blob that it is not there, and goes on when it is back', async () => {
    const away = join(home, 'away');
    await rename(directory, away);
    await refusesAll();
    await rename(away, directory);
    await store.records.write([{ put: 'lost', value: 3 }]);
    assert.deepEqual(await read(store.blobs.get(ID)), Buffer.from(patterned(50_000)));
    assert.equal((await store.records.get('kept'))?.value, 1);
    await sleep(1050);
    await store.check();
  });

  it('is not taken for another one that stands in its place', async () => {
    await rename(directory, join(home, 'away'));
    const { blobs, incoming } = layoutOf(directory);
    for (const path of [blobs, incoming]) await mkdir(path, { recursive: true });
    await refusesAll();
    await (await openLocalStore({ directory })).close();
    await refusesAll();
  });

  it('is not made anew for a body that was under way', async () => {
    const body = (async function* () {
      yield patterned(50_000);
      await rename(directory, join(home, 'away'));
    })();
    await assert.rejects(store.blobs.put(`${ID}Z`, body), failsWith('Unavailable'));
    await assert.rejects(rm(directory), /ENOENT/);
  });
});
