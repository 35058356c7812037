import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareKeys, following, scanRange, successor } from '../../src/storage/keys.ts';

const bytesOrder = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

/** Well-formed strings, rich in the characters around the surrogates. */
const key = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom('\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', 'a', '\0'),
    ),
    {
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

describe('keys', () => {
  it('compares as UTF-8 bytes do', () => {
    fc.assert(
      fc.property(key, key, (left, right) => assert.equal(Math.sign(compareKeys(left, right)), bytesOrder(left, right))),
      { numRuns: 2000 },
    );
  });

  it('knows the first string after all that start with a prefix', () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        const next = successor(prefix);
        if (next === undefined) return assert.match(prefix, /^\u{10ffff}*$/u);
        assert.ok(next.isWellFormed());
        const before = bytesOrder(other, next) < 0;
        assert.equal(before, bytesOrder(other, prefix) < 0 || other.startsWith(prefix));
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the first string after one', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        assert.equal(bytesOrder(other, following(one)) < 0, bytesOrder(other, one) <= 0);
      }),
    );
  });

  it('finds no range where none can be', () => {
    assert.equal(scanRange({ prefix: 'a', after: 'b', limit: 1 }), undefined);
    assert.equal(scanRange({ prefix: '', after: '\u{10ffff}', delimiter: '\u{10ffff}', limit: 1 }), undefined);
    assert.deepEqual(scanRange({ prefix: '', limit: 1 }), { from: '', to: undefined });
    assert.deepEqual(scanRange({ prefix: 'b', after: 'a', limit: 1 }), { from: 'b', to: 'c' });
  });
});
