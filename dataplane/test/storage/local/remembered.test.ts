import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { openFreshness } from '../../../src/freshness.ts';
import { openRemembered } from '../../../src/storage/local/remembered.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { newDirectory } from './place.ts';

describe('memory of what was read', () => {
  function memory(budget = 100_000) {
    const state = { version: 1, reads: [] as string[] };
    const remembered = openRemembered<string>({ version: () => state.version, weigh: (value) => value.length, budget });
    const find = (key: string): string | undefined =>
      remembered.find(key, (wanted) => {
        state.reads.push(wanted);
        return wanted.startsWith('no') ? undefined : `${wanted}@${state.version}`;
      });
    return { state, find };
  }

  it('reads once while nothing changes, and again when something has', () => {
    const { state, find } = memory();
    assert.deepEqual([find('a'), find('a'), find('b')], ['a@1', 'a@1', 'b@1']);
    assert.deepEqual(state.reads, ['a', 'b']);
    state.version = 2;
    assert.deepEqual([find('a'), find('b'), find('a')], ['a@2', 'b@2', 'a@2']);
    assert.equal(state.reads.length, 4);
  });

  it('does not remember that there is nothing', () => {
    const { state, find } = memory();
    assert.deepEqual([find('nothing'), find('nothing')], [undefined, undefined]);
    assert.equal(state.reads.length, 2);
  });

  it('keeps what is asked for again and again, and never more than its budget', () => {
    const { state, find } = memory(10_000);
    for (let n = 0; n < 1000; n += 1) {
      find(`${n}`);
      find('hot');
    }
    assert.equal(state.reads.filter((key) => key === 'hot').length, 1);
    const before = state.reads.length;
    for (let n = 0; n < 1000; n += 1) find(`${n}`);
    const kept = 1000 - (state.reads.length - before);
    assert.ok(kept * 256 <= 10_000, `${kept} are kept`);
  });
});

describe('freshness of a database', () => {
  let place: Awaited<ReturnType<typeof newDirectory>>;
  beforeEach(async () => {
    place = await newDirectory();
  });
  afterEach(() => place.remove());

  it('is asked once a turn, and sees what another connection committed before the turn', async () => {
    const { directory } = place;
    const store = await openLocalStore({ directory });
    const other = new Database(layoutOf(directory).database);
    const reader = new Database(layoutOf(directory).database);
    const version = openFreshness(reader);
    const change = other.prepare("INSERT OR REPLACE INTO records (key, value, revision) VALUES ('k', ?, 'r')");
    await turn();
    const first = version();
    assert.equal(version(), first);
    for (let n = 0; n < 3; n += 1) {
      const before = version();
      change.run(String(n));
      await turn();
      assert.notEqual(version(), before);
    }
    // Within one chain of continuations it stays as it was, however many there are.
    await Promise.resolve();
    const began = version();
    change.run('9');
    for (let n = 0; n < 50; n += 1) {
      await Promise.resolve();
      assert.equal(version(), began);
    }
    await turn();
    assert.notEqual(version(), began);
    other.close();
    reader.close();
    await store.close();
  });

  it('lets a store answer each change of another store on the same directory', async () => {
    const { directory } = place;
    const [one, two] = [await openLocalStore({ directory }), await openLocalStore({ directory })];
    for (let n = 0; n < 20; n += 1) {
      await one.records.write([{ put: 'counter', value: n }]);
      assert.equal((await two.records.get('counter'))?.value, n);
      assert.equal((await one.records.get('counter'))?.value, n);
    }
    await one.records.write([{ blob: 'b', bytes: Buffer.from('bytes') }]);
    assert.equal(Buffer.from((await two.blobs.small?.('b')) ?? []).toString(), 'bytes');
    await two.blobs.delete('b');
    assert.equal(await one.blobs.small?.('b'), undefined);
    await Promise.all([one.close(), two.close()]);
  });
});
