import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Records, ScanItem, ScanQuery } from '../../../src/storage/contract.ts';
import type { Suite } from '../conformance.ts';
import { failsWith, newSpace } from './bodies.ts';
import { nameOf, scanNaively } from './naiveScan.ts';

export function describeScan({ group, test }: Suite): void {
  group('scanning records', () => {
    test('orders keys by their UTF-8 bytes, not by UTF-16', async ({ store: { records } }) => {
      const space = newSpace();
      const inOrder = [
        '!',
        'A',
        'a',
        'a\0b',
        'a!',
        'aa',
        'z',
        '\u007f',
        '\u0080',
        'é',
        '\ud7ff',
        '\ue000',
        '\uffff',
        '\u{10000}',
        '\u{1F600}',
        '\u{10ffff}',
      ];
      await fill(records, space, [...inOrder].reverse());
      assert.deepEqual(await names(records, { prefix: space, limit: 100 }, space), inOrder);
    });

    test('keeps to the prefix', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a', 'a/', 'a/b', 'a/b/c', 'a0', 'ab', 'b', '\u{10ffff}', '\u{10ffff}x', '\ud7ffx', '\ue000']);
      assert.deepEqual(await names(records, { prefix: `${space}a/`, limit: 100 }, space), ['a/', 'a/b', 'a/b/c']);
      assert.deepEqual(await names(records, { prefix: `${space}\u{10ffff}`, limit: 100 }, space), ['\u{10ffff}', '\u{10ffff}x']);
      assert.deepEqual(await names(records, { prefix: `${space}\ud7ff`, limit: 100 }, space), ['\ud7ffx']);
      assert.deepEqual(await names(records, { prefix: `${space}none`, limit: 100 }, space), []);
    });

    test('begins strictly after a key, wherever it lies', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a', 'a!', 'b', 'b/1', 'c']);
      const after = async (key: string, prefix = ''): Promise<string[]> =>
        names(records, { prefix: space + prefix, after: key, limit: 100 }, space);
      assert.deepEqual(await after(`${space}a`), ['a!', 'b', 'b/1', 'c']);
      assert.deepEqual(await after(`${space}aa`), ['b', 'b/1', 'c']);
      assert.deepEqual(await after(`${space}c`), []);
      assert.deepEqual(await after('!'), ['a', 'a!', 'b', 'b/1', 'c']);
      assert.deepEqual(await after('~~~'), []);
      assert.deepEqual(await after(`${space}a`, 'b'), ['b', 'b/1']);
      assert.deepEqual(await after(`${space}c`, 'b'), []);
    });

    test('collapses at the first delimiter after the prefix', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a', 'b/', 'b/1', 'b/2/3', 'c/1', 'd', 'e//f']);
      const at = (prefix: string): Promise<string[]> => names(records, { prefix: space + prefix, delimiter: '/', limit: 100 }, space);
      assert.deepEqual(await at(''), ['a', 'b/>', 'c/>', 'd', 'e/>']);
      assert.deepEqual(await at('b'), ['b/>']);
      assert.deepEqual(await at('b/'), ['b/', 'b/1', 'b/2/>']);
      assert.deepEqual(await at('e/'), ['e//>']);
    });

    test('collapses keys with empty segments where the prefix says', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['/', '//', '///', '////a', '//a/b', '/a//b', 'a//', 'a///b', 'a/b//c']);
      const at = (prefix: string, rest: Partial<ScanQuery> = {}): Promise<string[]> =>
        names(records, { prefix: space + prefix, delimiter: '/', limit: 100, ...rest }, space);
      assert.deepEqual(await at(''), ['/>', 'a/>']);
      assert.deepEqual(await at('/'), ['/', '//>', '/a/>']);
      assert.deepEqual(await at('//'), ['//', '///>', '//a/>']);
      assert.deepEqual(await at('///'), ['///', '////>']);
      assert.deepEqual(await at('////'), ['////a']);
      assert.deepEqual(await at('a/'), ['a//>', 'a/b/>']);
      assert.deepEqual(await at('a//'), ['a//', 'a///>']);
      // What is left over from one page begins the next.
      assert.deepEqual(await at('/', { limit: 2 }), ['/', '//>']);
      assert.deepEqual(await at('/', { after: `${space}//` }), ['/a/>']);
      assert.deepEqual(await at('/', { after: `${space}///` }), ['//>', '/a/>']);
    });

    test('goes on after a collapsed prefix with what is not beneath it', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a', 'b/', 'b/1', 'b/2', 'b0', 'c/1', 'd']);
      const after = (key: string, delimiter?: string): Promise<string[]> =>
        names(records, { prefix: space, after: space + key, delimiter, limit: 100 }, space);
      assert.deepEqual(await after('b/', '/'), ['b0', 'c/>', 'd']);
      assert.deepEqual(await after('b/'), ['b/1', 'b/2', 'b0', 'c/1', 'd']);
      assert.deepEqual(await after('b/1', '/'), ['b/>', 'b0', 'c/>', 'd']);
      assert.deepEqual(await after('b/2', '/'), ['b0', 'c/>', 'd']);
      assert.deepEqual(await after('b', '/'), ['b/>', 'b0', 'c/>', 'd']);
    });

    test('takes delimiters of several characters and of any script', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a--b', 'a--c', 'a-b', 'a---d', 'x\u{1F600}y', 'x\u{1F600}z', 'x\u{1F601}', 'éa', 'ée']);
      const by = (delimiter: string, after?: string): Promise<string[]> =>
        names(records, { prefix: space, delimiter, after: after === undefined ? undefined : space + after, limit: 100 }, space);
      assert.deepEqual(await by('--'), ['a-->', 'a-b', 'x\u{1F600}y', 'x\u{1F600}z', 'x\u{1F601}', 'éa', 'ée']);
      assert.deepEqual(await by('--', 'a--'), ['a-b', 'x\u{1F600}y', 'x\u{1F600}z', 'x\u{1F601}', 'éa', 'ée']);
      assert.deepEqual(await by('\u{1F600}'), ['a---d', 'a--b', 'a--c', 'a-b', 'x\u{1F600}>', 'x\u{1F601}', 'éa', 'ée']);
      assert.deepEqual(await by('é', 'x'), ['x\u{1F600}y', 'x\u{1F600}z', 'x\u{1F601}', 'é>']);
    });

    test('takes an empty delimiter for none', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(records, space, ['a', 'b']);
      assert.deepEqual(await names(records, { prefix: space, delimiter: '', limit: 100 }, space), ['a', 'b']);
    });

    test('passes over thousands of keys beneath a prefix', async ({ store: { records } }) => {
      const space = newSpace();
      await fill(
        records,
        space,
        ['a', 'b', 'c'].flatMap((top) => Array.from({ length: 1500 }, (_, n) => `${top}/${String(n).padStart(5, '0')}`)),
      );
      await fill(records, space, ['b', 'bb', 'd']);
      assert.deepEqual(await names(records, { prefix: space, delimiter: '/', limit: 100 }, space), ['a/>', 'b', 'b/>', 'bb', 'c/>', 'd']);
      assert.deepEqual(await names(records, { prefix: space, delimiter: '/', limit: 3 }, space), ['a/>', 'b', 'b/>']);
      assert.equal((await records.scan({ prefix: space, limit: 10_000 })).length, 4503);
    });

    test('answers as a naive model, and its pages make up the whole', async ({ store: { records } }) => {
      await fc.assert(
        fc.asyncProperty(scanCase, async ({ keys, ...query }) => {
          const space = newSpace();
          await fill(records, space, keys);
          await agrees(records, space, keys, query);
        }),
        { numRuns: 80 },
      );
    });

    test('refuses limits outside 1–10,000 and halves of characters', async ({ store: { records } }) => {
      for (const limit of [0, -1, 10_001, 2.5, Number.NaN])
        await assert.rejects(records.scan({ prefix: '', limit }), failsWith('InvalidArgument'));
      for (const query of [{ prefix: '\ud800' }, { prefix: '', after: '\udc00' }, { prefix: '', delimiter: '\ud800' }]) {
        await assert.rejects(records.scan({ ...query, limit: 5 }), failsWith('InvalidArgument'));
      }
    });
  });
}

/** Few characters, so that prefixes, delimiters and keys meet often; astral and private-use ones to tell the orders apart. */
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom('a', 'b', '/', '-', '.', '%', '\u{1F600}', '\ue000', '\u{10ffff}', '\ud7ff'), { maxLength })
    .map((parts) => parts.join(''));

const scanCase = fc.record({
  keys: fc.uniqueArray(text(6), { maxLength: 40 }),
  prefix: text(2),
  after: fc.option(text(4), { nil: undefined }),
  delimiter: fc.option(fc.constantFrom('/', '-', '--', '/-', '\u{1F600}', '\ue000', 'a'), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 9 }),
});

async function agrees(records: Records, space: string, keys: readonly string[], { prefix, after, ...rest }: ScanQuery): Promise<void> {
  const query = { ...rest, prefix: space + prefix, after: after === undefined ? undefined : space + after };
  const all = keys.map((key) => space + key);
  const expected = scanNaively(all, { ...query, limit: 10_000 });
  assert.deepEqual((await records.scan({ ...query, limit: 10_000 })).map(nameOf), expected);
  assert.deepEqual((await records.scan(query)).map(nameOf), expected.slice(0, query.limit));
  assert.deepEqual((await allPages(records, query)).map(nameOf), expected);
}

async function allPages(records: Records, query: ScanQuery): Promise<ScanItem[]> {
  const items: ScanItem[] = [];
  for (let after = query.after; ;) {
    const page = await records.scan({ ...query, after });
    items.push(...page);
    assert.ok(items.length <= 10_000, 'the pages do not come to an end');
    const last = page.at(-1);
    if (!last || page.length < query.limit) return items;
    after = 'key' in last ? last.key : last.prefix;
  }
}

async function fill(records: Records, space: string, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 1000) {
    await records.write(keys.slice(at, at + 1000).map((key) => ({ put: space + key, value: key })));
  }
}

/** What is listed, without the test's own prefix; collapsed prefixes are marked by `>`. */
async function names(records: Records, query: ScanQuery, space: string): Promise<string[]> {
  const items = await records.scan(query);
  for (const item of items) if ('key' in item) assert.equal(item.value, item.key.slice(space.length));
  return items.map(nameOf).map((name) => name.slice(space.length));
}
