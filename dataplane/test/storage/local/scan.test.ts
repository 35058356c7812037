import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openDatabase, type Db } from '../../../src/storage/local/database.ts';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openScan } from '../../../src/storage/local/scan.ts';
import type { ScanItem, ScanQuery } from '../../../src/storage/contract.ts';
import { nameOf, scanNaively } from '../conformance/naiveScan.ts';
import { newDirectory } from './place.ts';

/** Keys beneath a prefix that make a scan read in every size of batch, and change it in the middle; 0 is a key of its own. */
const BENEATH = [0, 1, 2, 3, 5, 17, 70, 300];

describe('local store: scans with delimiter', function () {
  this.timeout(20_000);
  let db: Db;
  let close: () => Promise<void>;
  beforeEach(async () => {
    const { directory, remove } = await newDirectory();
    db = openDatabase(layoutOf(directory).database, 'test', 0);
    close = async () => {
      db.close();
      await remove();
    };
  });
  afterEach(() => close());

  it('list the same as a naive model, however many keys lie beneath which prefix', () => {
    const shape = fc.array(fc.constantFrom(...BENEATH), { maxLength: 30 });
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 12 }), (counts, limit) => {
        const keys = counts.flatMap(keysOf);
        fill(db, keys);
        const query = { prefix: 'in/', delimiter: '/' };
        assert.deepEqual(allPages(openScan(db), { ...query, limit }), scanNaively(keys, { ...query, limit: 10_000 }));
      }),
      { numRuns: 60 },
    );
  });

  it('cost as much for prefixes with a thousand keys as for those with ten', () => {
    const cost = (beneath: number): number => {
      fill(db, Array.from({ length: 100 }, () => beneath).flatMap(keysOf));
      const scan = openScan(db);
      const page = () => assert.equal(scan({ prefix: 'in/', delimiter: '/', limit: 100 }).length, 100);
      return leastCpu(() => Array.from({ length: 10 }, page));
    };
    const [few, many] = [cost(10), cost(1000)];
    assert.ok(many < 5 * few, `${many} µs for a hundred times the keys of ${few} µs`);
  });
});

function keysOf(count: number, index: number): string[] {
  const top = `in/${String(index).padStart(3, '0')}`;
  return count === 0 ? [top] : Array.from({ length: count }, (_, n) => `${top}/${String(n).padStart(4, '0')}`);
}

/** These keys and no others. */
function fill(db: Db, keys: readonly string[]): void {
  const insert = db.prepare("INSERT INTO records (key, value, revision) VALUES (?, '{}', 'r')");
  db.transaction(() => {
    db.exec('DELETE FROM records');
    for (const key of keys) insert.run(key);
  })();
}

function allPages(scan: (query: ScanQuery) => readonly ScanItem[], query: ScanQuery): string[] {
  const names: string[] = [];
  for (let after: string | undefined; ;) {
    const page = scan({ ...query, ...(after === undefined ? {} : { after }) });
    names.push(...page.map(nameOf));
    const last = page.at(-1);
    if (page.length < query.limit || last === undefined) return names;
    after = 'key' in last ? last.key : last.prefix;
  }
}

/** Microseconds of the processor, of the best of some tries. */
function leastCpu(work: () => unknown): number {
  const once = () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  return Math.min(...Array.from({ length: 7 }, once));
}
