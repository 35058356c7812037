import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../../../src/errors.ts';
import { contentRange, parseCopyRange, parsePartNumber, parseRange, resolveRange } from '../../../../src/protocols/s3/objects/ranges.ts';

const resolve = (field: string, size: number) => resolveRange(parseRange(field), size, field);

describe('byte ranges', () => {
  const cases: readonly (readonly [field: string, size: number, expected: readonly [offset: number, length: number] | 'whole' | 416])[] = [
    ['bytes=0-0', 10, [0, 1]],
    ['bytes=0-', 10, [0, 10]],
    ['bytes=3-5', 10, [3, 3]],
    ['bytes=3-99999999999999999999', 10, [3, 7]],
    ['BYTES=3-5', 10, [3, 3]],
    ['bytes = 3 - 5', 10, [3, 3]],
    ['bytes=-3', 10, [7, 3]],
    ['bytes=-30', 10, [0, 10]],
    ['bytes=-1', 0, 'whole'],
    ['bytes=-0', 10, 416],
    ['bytes=10-', 10, 416],
    ['bytes=10-12', 10, 416],
    ['bytes=0-', 0, 416],
    ['bytes=5-3', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
    ['bytes=0-1,3-4', 10, 'whole'],
    ['items=0-1', 10, 'whole'],
    ['bytes=1 2-5', 10, 'whole'],
    ['bytes 0-1', 10, 'whole'],
  ];
  for (const [field, size, expected] of cases) {
    it(`${field} of ${size}`, () => {
      if (expected === 416) {
        assert.throws(
          () => resolve(field, size),
          (error) => isError(error, 'InvalidRange') && error.details.actualObjectSize === size,
        );
        return;
      }
      const range = resolve(field, size);
      assert.deepEqual(range, expected === 'whole' ? undefined : { offset: expected[0], length: expected[1] });
    });
  }

  it('takes no longer for much white space', () => {
    const field = `bytes=${' '.repeat(100_000)}x`;
    const began = performance.now();
    assert.equal(parseRange(field), undefined);
    assert.ok(performance.now() - began < 500);
  });

  it('never leaves the object, whatever the field says', () => {
    const rangeLike = fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`);
    const field = fc.oneof(
      fc.string(),
      rangeLike,
      fc.nat().map((n) => `bytes=-${n}`),
      fc.stringMatching(/^bytes=[0-9,-]{0,40}$/),
    );
    fc.assert(
      fc.property(field, fc.nat({ max: 5000 }), (text, size) => {
        try {
          const range = resolve(text, size);
          if (!range) return;
          assert.ok(range.length >= 1 && range.offset >= 0 && range.offset + range.length <= size);
          assert.match(contentRange(range, size), /^bytes \d+-\d+\/\d+$/);
        } catch (error) {
          assert.ok(isError(error, 'InvalidRange'));
        }
      }),
    );
  });

  it('a copy range has one form and stays within its source', () => {
    assert.deepEqual(parseCopyRange('bytes=2-4', 5), { offset: 2, length: 3 });
    for (const field of ['bytes=2-', 'bytes=-2', '2-4', 'bytes=4-2', 'bytes=2-5', 'bytes=0-1,2-3', '']) {
      assert.throws(
        () => parseCopyRange(field, 5),
        (error) => isError(error, 'InvalidArgument'),
        field,
      );
    }
  });

  it('part numbers are 1 to 10,000', () => {
    assert.equal(parsePartNumber('1'), 1);
    assert.equal(parsePartNumber('10000'), 10_000);
    for (const text of ['0', '10001', '-1', '1.5', '', ' 1', '0x1', '1e3']) {
      assert.throws(
        () => parsePartNumber(text),
        (error) => isError(error, 'InvalidArgument'),
        text,
      );
    }
  });
});
