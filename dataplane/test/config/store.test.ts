import assert from 'node:assert/strict';
import { writeFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { sealSnapshot, type Snapshot } from '@bonded/crds';
import { openConfigStore, type ConfigStore } from '../../src/config/store.ts';
import { isError } from '../../src/errors.ts';
import { createWorkshop, type Workshop } from './workshop.ts';

const SNAPSHOT: Snapshot = sealSnapshot({ buckets: [], bindings: [], policies: [], accessKeys: [] });

describe('the store of the configuration', () => {
  let shop: Workshop;
  let path: string;
  const open: ConfigStore[] = [];
  const opened = (): ConfigStore => {
    const store = openConfigStore(path);
    open.push(store);
    return store;
  };
  beforeEach(async () => {
    shop = await createWorkshop();
    await mkdir(shop.data);
    path = join(shop.data, 'config.db');
  });
  afterEach(async () => {
    for (const store of open.splice(0)) store.close();
    await shop.close();
  });

  it('begins with nothing', () => {
    const store = opened();
    assert.deepEqual([store.counter(), store.load(), store.problems()], [0, undefined, []]);
  });

  it('takes a publication only over what its publisher saw', () => {
    const [one, two] = [opened(), opened()];
    const seen = two.counter();
    assert.ok(one.publish(one.counter(), { snapshot: SNAPSHOT, conditions: [] }));
    assert.ok(!two.publish(seen, { snapshot: { ...SNAPSHOT, revision: 'stale' }, conditions: [] }));
    assert.equal(two.load()?.snapshot.revision, SNAPSHOT.revision);
    assert.ok(two.publish(two.counter(), { snapshot: { ...SNAPSHOT, revision: 'next' }, conditions: [] }));
    assert.deepEqual([one.counter(), one.load()?.snapshot.revision], [2, 'next']);
  });

  it('keeps what is in force, and what is wrong, for the next start', () => {
    opened().publish(0, {
      snapshot: SNAPSHOT,
      conditions: [{ kind: 'Bucket', namespace: 'a', name: 'b', ready: false, reason: 'NameTaken', message: 'm' }],
    });
    opened().reportProblems(['a.yaml:1: wrong']);
    const store = opened();
    assert.deepEqual(store.load()?.snapshot, SNAPSHOT);
    assert.equal(store.load()?.conditions[0]?.reason, 'NameTaken');
    assert.deepEqual(store.problems(), ['a.yaml:1: wrong']);
  });

  it('is read by its owner only, also when the file was there with another mode', () => {
    writeFileSync(path, '', { mode: 0o644 });
    opened();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('that is no database is refused', () => {
    writeFileSync(path, 'x'.repeat(4096));
    assert.throws(opened, (error) => isError(error, 'Unavailable') && /no database; restore it/.test(error.message));
  });

  it('says what to do when it is damaged while it is open', () => {
    const store = opened();
    store.publish(0, { snapshot: SNAPSHOT, conditions: [] });
    const other = new Database(path);
    other.exec("UPDATE published SET snapshot = '{', counter = counter + 1");
    other.close();
    assert.throws(
      () => store.load(),
      (error) => isError(error, 'Unavailable') && /is damaged; restore it/.test(error.message),
    );
    assert.equal(store.counter(), 2);
  });
});
