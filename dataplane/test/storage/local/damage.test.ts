import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { failsWith } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

const COUNT = 300;
const keyOf = (n: number): string => `k${String(n).padStart(4, '0')}`;

describe('local store: damaged records', () => {
  let directory: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ directory, remove } = await newDirectory());
    const store = await openLocalStore({ directory });
    const records = Array.from({ length: COUNT }, (_, n) => ({ put: keyOf(n), value: { n, text: 'x'.repeat(500) } }));
    await store.records.write(records);
    await store.close();
  });
  afterEach(() => remove());

  /** Writes over what `find` finds first. */
  function overwrite(find: string, by: string): void {
    const { database } = layoutOf(directory);
    const bytes = readFileSync(database);
    const at = bytes.indexOf(find);
    assert.ok(at > 0);
    bytes.write(by, at);
    writeFileSync(database, bytes);
  }

  it('are never answered, though SQLite sees nothing, and the place is not ready from then on', async () => {
    overwrite('{"n":123,', '{"n":321,');
    const store = await openLocalStore({ directory });
    await store.check();
    await assert.rejects(store.records.get(keyOf(123)), failsWith('Unavailable'));
    await assert.rejects(store.records.scan({ prefix: '', limit: 1000 }), failsWith('Unavailable'));
    assert.deepEqual(((await store.records.get(keyOf(122)))?.value as { n: number }).n, 122);
    await assert.rejects(store.check(), /records are damaged; restore/);
    await sleep(1050);
    await assert.rejects(store.check(), /records are damaged; restore/);
    await store.close();
  });

  it('are found where a page is garbage, whatever is read', async () => {
    const { database } = layoutOf(directory);
    const sound = readFileSync(database);
    for (let page = 1; page < sound.length / 8192; page += 3) {
      const bytes = Buffer.from(sound);
      bytes.fill(0xa5, page * 8192, page * 8192 + 4096);
      writeFileSync(database, bytes);
      const store = await openLocalStore({ directory }).catch(() => undefined);
      if (!store) continue;
      let wrong = 0;
      for (let n = 0; n < COUNT; n += 1) {
        const found = await store.records.get(keyOf(n)).catch((thrown: unknown) => {
          assert.ok(failsWith('Unavailable')(thrown));
          return 'refused' as const;
        });
        if (found === undefined || (found !== 'refused' && (found.value as { n: number }).n !== n)) wrong += 1;
      }
      await store.close();
      assert.equal(wrong, 0, `page ${page}`);
    }
  });
});
