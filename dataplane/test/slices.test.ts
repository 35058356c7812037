import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { mapInSlices, nextSlice, startSlices } from '../src/slices.ts';
import { turnsOf, work } from './turns.ts';

describe('slices of long work', () => {
  it('begin one in each turn, in the order in which they were asked for', async () => {
    const begun: string[] = [];
    for (const name of ['a', 'b', 'c']) void nextSlice().then(() => begun.push(name));
    assert.deepEqual(begun, []);
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await turn();
      assert.deepEqual(begun, expected);
    }
  });

  it('are due after a part of a millisecond, and anew after each turn', async () => {
    const slices = startSlices();
    assert.equal(slices.due(), false);
    work(1);
    assert.equal(slices.due(), true);
    await slices.next();
    assert.equal(slices.due(), false);
  });

  it('map in order, and leave turns to others', async () => {
    const items = Array.from({ length: 100 }, (_, n) => n);
    const double = (n: number, index: number) => {
      work(0.2);
      return n + index;
    };
    let results: number[] = [];
    const turns = await turnsOf(async () => (results = await mapInSlices(items, double)));
    assert.deepEqual(
      results,
      items.map((n) => 2 * n),
    );
    assert.ok(turns >= 20, String(turns));
  });

  it('end where the work fails', async () => {
    const seen: number[] = [];
    const fails = (n: number) => {
      seen.push(n);
      if (n === 2) throw new Error('two');
    };
    await assert.rejects(mapInSlices([1, 2, 3], fails), /two/);
    assert.deepEqual(seen, [1, 2]);
  });
});
