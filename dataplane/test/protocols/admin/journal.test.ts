import assert from 'node:assert/strict';
import type { JournalEntry } from '../../../src/core/core.ts';
import { bucketNamed, createStage } from './stage.ts';
import type { Stage } from './stage.ts';

const id = (n: number) => `01${String(n).padStart(24, '0')}`;

function entry(n: number, bucket: string): JournalEntry {
  const actor = { principal: 'key:ALICE', operation: 's3.PutObject', requestId: `r${n}`, remoteAddress: '127.0.0.1' };
  return { id: id(n), time: new Date(n * 1000).toISOString(), actor, change: 'create', bucket, name: `k${n}` };
}

/** Entries 1–n, every third of them about `builds`. */
function stageWithJournal(count: number): Stage {
  const stage = createStage();
  stage.buckets.push(bucketNamed('builds'), bucketNamed('other'));
  stage.created.set('builds', 0);
  for (let n = 1; n <= count; n += 1) stage.journal.push(entry(n, n % 3 === 0 ? 'builds' : 'other'));
  return stage;
}

const read = async (stage: Stage, query: string) => {
  const { json, status } = await stage.send('GET', `/api/v1/journal?${query}`);
  assert.equal(status, 200, JSON.stringify(json));
  return { names: json.entries.map(({ name }) => Number(name.slice(1))), next: json.next };
};

describe('the journal in the JSON API', () => {
  it('shows the newest entries, oldest first, and where to go on', async () => {
    const stage = stageWithJournal(10);
    assert.deepEqual(await read(stage, 'limit=3'), { names: [8, 9, 10], next: id(10) });
    assert.deepEqual(await read(stage, `after=${id(10)}`), { names: [], next: id(10) });
    stage.journal.push(entry(11, 'builds'));
    assert.deepEqual(await read(stage, `after=${id(10)}`), { names: [11], next: id(11) });
    assert.deepEqual(await read(createStage(), ''), { names: [], next: '0' });
  });

  it('can be read from the beginning, every entry once', async () => {
    const stage = stageWithJournal(10);
    const seen = [];
    for (let after = '0', page; (page = await read(stage, `limit=4&after=${after}`)).names.length > 0; after = page.next)
      seen.push(...page.names);
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('shows those of one bucket, and moves on through the others', async () => {
    const stage = stageWithJournal(10);
    assert.deepEqual(await read(stage, 'bucket=builds'), { names: [3, 6, 9], next: id(10) });
    assert.deepEqual(await read(stage, 'bucket=builds&after=0&limit=2'), { names: [3, 6], next: id(6) });
    assert.deepEqual(await read(stage, `bucket=builds&after=${id(6)}&limit=2`), { names: [9], next: id(10) });
  });

  it('looks at a bounded number of entries, and can go on behind them', async () => {
    const stage = stageWithJournal(0);
    for (let n = 1; n <= 10_500; n += 1) stage.journal.push(entry(n, 'other'));
    stage.journal.push(entry(10_501, 'builds'));
    const first = await read(stage, 'bucket=builds&after=0');
    assert.deepEqual(first, { names: [], next: id(10_000) });
    assert.deepEqual(await read(stage, `bucket=builds&after=${first.next}`), { names: [10_501], next: id(10_501) });
  });

  it('is for administrators: of the installation, or of the one bucket', async () => {
    const stage = stageWithJournal(3);
    stage.may = ({ action, resource }) => action === 'administer' && resource.bucket === 'builds';
    assert.equal((await stage.send('GET', '/api/v1/journal')).status, 403);
    assert.equal((await stage.send('GET', '/api/v1/journal?bucket=other')).status, 403);
    assert.deepEqual((await read(stage, 'bucket=builds')).names, [3]);
  });

  it('does not show what an earlier bucket of the same name saw, but to who runs the store', async () => {
    const stage = stageWithJournal(10);
    stage.created.set('builds', 5000);
    stage.may = ({ resource }) => resource.bucket !== undefined;
    assert.deepEqual((await read(stage, 'bucket=builds')).names, [6, 9]);
    assert.deepEqual((await read(stage, 'bucket=builds&after=0')).names, [6, 9]);
    assert.deepEqual((await read(stage, 'bucket=gone')).names, []);
    stage.may = () => true;
    assert.deepEqual((await read(stage, 'bucket=builds')).names, [3, 6, 9]);
  });
});
