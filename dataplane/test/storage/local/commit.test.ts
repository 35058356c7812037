import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCommitter } from '../../../src/storage/local/commit.ts';
import { openDatabase } from '../../../src/storage/local/database.ts';
import type { Db } from '../../../src/storage/local/database.ts';
import type { WireChange } from '../../../src/storage/local/wire.ts';
import { newDirectory } from './place.ts';

describe('local store: committing groups', () => {
  let db: Db;
  let file: string;
  let remove: () => Promise<void>;
  let revision = 0;

  beforeEach(async () => {
    const place = await newDirectory();
    remove = place.remove;
    file = join(place.directory, 'x.sqlite');
    db = openDatabase(file, 'default', 0);
  });
  afterEach(async () => {
    db.close();
    await remove();
  });

  const put = (key: string, more: object = {}): WireChange => ({ put: key, json: '1', revision: `r${revision++}`, ...more });
  const keys = (): unknown[] => db.prepare('SELECT key FROM records ORDER BY key').pluck().all();
  const commits = (batches: readonly (readonly WireChange[])[]) =>
    openCommitter(db, { location: 'default', fileExists: (id) => id === 'file', stillStanding: () => undefined })(batches);

  it('undoes just the batch that meets a conflict', () => {
    const outcomes = commits([
      [put('a')],
      [put('b'), put('a', { ifAbsent: true }), put('c')],
      [put('a', { ifAbsent: true })],
      [put('d'), put('e')],
    ]);
    assert.deepEqual(outcomes, ['done', { conflict: 1 }, { conflict: 0 }, 'done']);
    assert.deepEqual(keys(), ['a', 'd', 'e']);
  });

  it('undoes just the batch that cannot be stored', () => {
    const unstorable = { ...put('x'), json: {} } as unknown as WireChange;
    const [first, second, third] = commits([[put('a')], [put('b'), unstorable], [put('c')]]);
    assert.deepEqual([first, third], ['done', 'done']);
    assert.ok(typeof second === 'object' && 'failure' in second);
    assert.deepEqual(keys(), ['a', 'c']);
  });

  it('fails the whole group when the disk is full, and goes on when there is space again', () => {
    const pages = Number(db.pragma('page_count', { simple: true }));
    db.pragma(`max_page_count = ${pages + 2}`);
    const big = put('big', { json: JSON.stringify('x'.repeat(100_000)) });
    const outcomes = commits([[put('a')], [big], [put('a', { ifAbsent: true })]]);
    for (const outcome of outcomes)
      assert.equal(typeof outcome === 'object' && 'failure' in outcome && outcome.failure.code, 'SQLITE_FULL');
    assert.deepEqual(keys(), []);
    db.pragma(`max_page_count = ${pages + 1000}`);
    assert.deepEqual(commits([[big], [put('a')]]), ['done', 'done']);
    assert.deepEqual(keys(), ['a', 'big']);
  });

  it('refuses the id of a blob that stands in a file', () => {
    const bytes = new Uint8Array(3);
    assert.deepEqual(commits([[{ blob: 'file', bytes }], [{ blob: 'row', bytes }], [{ blob: 'row', bytes }]]), [
      { conflict: 0 },
      'done',
      { conflict: 0 },
    ]);
  });

  it('waits for another process that holds the lock', async () => {
    const other = openDatabase(file, 'default', 0);
    other.exec('BEGIN IMMEDIATE');
    const { whenLockIsFree } = await import('../../../src/storage/local/patience.ts');
    let attempts = 0;
    whenLockIsFree('default', () => {
      attempts += 1;
      if (attempts === 20) other.exec('COMMIT');
      db.exec('BEGIN IMMEDIATE');
    });
    assert.equal(attempts, 20);
    db.exec('ROLLBACK');
    other.exec('BEGIN IMMEDIATE');
    assert.throws(() => whenLockIsFree('default', () => db.exec('BEGIN IMMEDIATE'), 20), /another process/);
    other.close();
  });
});
