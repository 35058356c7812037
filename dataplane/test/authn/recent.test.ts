import assert from 'node:assert/strict';
import { createRecent } from '../../src/authn/recent.ts';

describe('a bounded memory', () => {
  it('lets go of what was not used for longest', () => {
    const recent = createRecent<number>(2);
    recent.set('a', 1);
    recent.set('b', 2);
    assert.equal(recent.get('a'), 1);
    recent.set('c', 3);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => recent.get(name)),
      [1, undefined, 3],
    );
    recent.set('c', 4);
    recent.delete('a');
    assert.deepEqual(
      ['a', 'c'].map((name) => recent.get(name)),
      [undefined, 4],
    );
  });
});
