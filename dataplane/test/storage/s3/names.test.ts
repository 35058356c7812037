import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_KEY } from '../../../src/storage/contract.ts';
import { compareKeys } from '../../../src/storage/keys.ts';
import { afterFolder, namePrefix, nameOf, readFolder, readName } from '../../../src/storage/s3/names.ts';

/** Keys as the contract allows them, rich in what meets: separators, neighbours of ranges, long runs that cut segments and names. */
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '-',
    '!',
    '~',
    '_',
    '=',
    '+',
    '%',
    ' ',
    'a',
    'Z',
    '0',
    '9',
    ':',
    '@',
    '[',
    '`',
    '{',
    '\u007f',
    'é',
    '\u{1F600}',
    '\ue000',
    'a\0b',
  ),
  fc.tuple(fc.constantFrom('x', '/y', '-', 'é'), fc.integer({ min: 60, max: 420 })).map(([text, times]) => text.repeat(times)),
);
const key = fc
  .array(piece, { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(''))
  .filter((text) => Buffer.byteLength(text) <= MAX_KEY);

const isLong = (name: string): boolean => 'folder' in (readName(name) ?? {});

describe('names of records in a bucket', () => {
  it('are in the order of keys, but for long ones of one folder', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        const [a, b] = [nameOf(left), nameOf(right)];
        const together = isLong(a) && isLong(b) && JSON.stringify(readName(a)) === JSON.stringify(readName(b));
        if (together) return;
        assert.equal(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))), Math.sign(compareKeys(left, right)));
      }),
      { numRuns: 5000 },
    );
  });

  it('are taken by every server: ASCII, no empty or dot segments, none too long', () => {
    fc.assert(
      fc.property(key, (text) => {
        const name = nameOf(text);
        assert.match(name, /^[0-9A-Za-z\-=_~/!]+$/);
        assert.ok(name.length <= 900, `${name.length}`);
        for (const segment of name.split('/')) assert.ok(segment !== '' && segment.length <= 255 - 16, segment);
      }),
      { numRuns: 2000 },
    );
  });

  it('read back as their keys, or as the folder of long ones', () => {
    fc.assert(
      fc.property(key, (text) => {
        const name = nameOf(text);
        const read = readName(name);
        if (!isLong(name)) return assert.deepEqual(read, { key: text });
        assert.ok(read && 'folder' in read && name.startsWith(read.folder) && name < afterFolder(read.folder));
      }),
      { numRuns: 2000 },
    );
  });

  it('begin with the prefix of their keys', () => {
    fc.assert(
      fc.property(key, fc.nat(30), (text, length) =>
        assert.ok(nameOf(text).startsWith(namePrefix(Array.from(text).slice(0, length).join('')))),
      ),
      {
        numRuns: 2000,
      },
    );
  });

  it('never name a folder and an object alike', () => {
    fc.assert(fc.property(key, key, (left, right) => assert.ok(!nameOf(right).startsWith(`${nameOf(left)}/`))));
  });

  it('tell folders of keys from those that cut names', () => {
    assert.deepEqual(readFolder('a/b/'), { prefix: 'a/b/' });
    assert.equal(readFolder(`${'x'.repeat(200)}~/`), 'cut');
    assert.equal(readFolder('head~!/'), 'long');
    assert.equal(readFolder('%/'), undefined);
  });

  it('of other programs are no names', () => {
    for (const name of ['a', 'a%!', '-zz!', '~!', 'é!', '-2f-2f!', 'a-61!', '//!']) assert.equal(readName(name), undefined, name);
  });
});
