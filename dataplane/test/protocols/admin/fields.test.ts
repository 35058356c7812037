import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError } from '../../../src/errors.ts';
import { PUT_BUCKET_FIELDS } from '../../../src/protocols/admin/bucketSettings.ts';
import {
  digits,
  flag,
  listOf,
  mapOf,
  matching,
  objectOf,
  oneOf,
  optional,
  readFields,
  text,
  wholeNumber,
  withDefault,
} from '../../../src/protocols/admin/fields.ts';
import type { Reader } from '../../../src/protocols/admin/fields.ts';
import { bucketName, cursor, digest, key } from '../../../src/protocols/admin/parameters.ts';

const refuses = (reader: Reader<unknown>, given: unknown, message: RegExp) =>
  assert.throws(
    () => reader(given, 'it'),
    (error: unknown) => error instanceof ArtefactError && error.code === 'InvalidArgument' && message.test(error.message),
  );

describe('fields from outside', () => {
  it('reads what fits', () => {
    assert.equal(text({ max: 3 })('äb', 'it'), 'äb');
    assert.equal(digits(1, 10)('10', 'it'), 10);
    assert.equal(wholeNumber(1, 10)(1, 'it'), 1);
    assert.equal(oneOf('a', 'b')('b', 'it'), 'b');
    assert.deepEqual(
      [undefined, 'false', 'true', ''].map((given) => flag(given, 'it')),
      [false, false, true, true],
    );
    assert.deepEqual(mapOf(text({ max: 9 }), text({ min: 0, max: 9 }), 2)({ a: '', b: 'x' }, 'it'), { a: '', b: 'x' });
    assert.equal(withDefault(7, digits(1, 10))(undefined, 'it'), 7);
    assert.equal(optional(digits(1, 10))(undefined, 'it'), undefined);
  });

  it('refuses what does not, naming the field', () => {
    refuses(text({ max: 3 }), 'äbc', /'it' must have 1 to 3 bytes/);
    refuses(text({ max: 3 }), '', /'it'/);
    refuses(text({ max: 3 }), 3, /'it' must be a string/);
    refuses(text({ max: 3 }), undefined, /'it' is missing/);
    refuses(text({ max: 9 }), 'a\0b', /U\+0000/);
    refuses(text({ max: 9 }), '\ud800', /well-formed/);
    refuses(digits(1, 10), '11', /from 1 to 10/);
    refuses(digits(1, 10), '1.5', /whole number/);
    refuses(digits(1, 10), '0x5', /whole number/);
    refuses(digits(1, 10), ' 5', /whole number/);
    refuses(wholeNumber(1, 10), '5', /whole number/);
    refuses(wholeNumber(1, 10), 1.5, /whole number/);
    refuses(oneOf('a', 'b'), 'c', /one of a, b/);
    refuses(flag, 'yes', /true or false/);
    refuses(listOf(oneOf('a'), { max: 1 }), ['a', 'a'], /0 to 1 elements/);
    refuses(listOf(oneOf('a'), { min: 1, max: 1 }), [], /1 to 1 elements/);
    refuses(listOf(oneOf('a'), { max: 2 }), ['a', 'b'], /'it\[1\]'/);
    refuses(objectOf({ a: oneOf('x') }), { a: 'x', b: 1 }, /'it\.b'.*known are a/);
    refuses(objectOf({ a: oneOf('x') }), { a: 'y' }, /'it\.a'/);
    refuses(objectOf({}), [], /object/);
    refuses(objectOf({}), null, /object/);
    refuses(mapOf(text({ max: 9 }), text({ max: 9 }), 1), { a: 'x', b: 'x' }, /at most 1/);
    refuses(matching(/^a+$/, 9, 'all a'), 'ab', /all a/);
  });

  it('refuses a name that is not listed, whatever JavaScript thinks of it', () => {
    for (const name of ['other', '__proto__', 'constructor', 'toString']) {
      assert.throws(
        () => readFields({ known: optional(flag) }, new Map([[name, 'x']]), 'query parameter'),
        new RegExp(`no query parameter '${name}'`),
      );
    }
  });

  it('does not let a message grow with a name from outside', () => {
    assert.throws(
      () => readFields({}, new Map([['x'.repeat(10_000), 'x']]), 'field'),
      (error: Error) => error.message.length < 200,
    );
  });

  it('keeps a __proto__ member as plain data', () => {
    const read = mapOf(text({ max: 20 }), text({ max: 9 }), 2)(JSON.parse('{"__proto__":"x"}'), 'it');
    assert.deepEqual(Object.entries(read), [['__proto__', 'x']]);
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
  });

  it('answers any JSON with a value or an ArtefactError', () => {
    const readers: readonly Reader<unknown>[] = [bucketName, cursor, digest, key, flag, digits(1, 9), objectOf(PUT_BUCKET_FIELDS)];
    const known = fc.record(
      {
        namespace: fc.oneof(fc.string(), fc.jsonValue()),
        versioning: fc.oneof(fc.constantFrom('Enabled', 'Disabled'), fc.jsonValue()),
        cors: fc.oneof(
          fc.array(fc.jsonValue()),
          fc.array(fc.dictionary(fc.constantFrom('allowedOrigins', 'allowedMethods', 'id'), fc.jsonValue())),
        ),
        tags: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), known, fc.string({ unit: 'binary' })), (given) => {
        for (const reader of readers) {
          try {
            reader(given, 'it');
          } catch (error) {
            if (!(error instanceof ArtefactError)) throw error;
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
