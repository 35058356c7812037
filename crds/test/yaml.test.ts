import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readYaml, writeYaml } from '../src/yaml.ts';

describe('YAML', () => {
  it('is read as documents with the lines of their parts; empty ones are left out', () => {
    const { documents, reasons } = readYaml('# none\n---\na:\n  b:\n    - 1\n    - c: x\n---\n---\nd: e\n');
    assert.deepEqual(reasons, []);
    assert.deepEqual(
      documents.map(({ value, line }) => [value, line]),
      [
        [{ a: { b: [1, { c: 'x' }] } }, 3],
        [{ d: 'e' }, 9],
      ],
    );
    const [first] = documents;
    assert.deepEqual(
      [first?.lineOf([]), first?.lineOf(['a', 'b']), first?.lineOf(['a', 'b', 1, 'c']), first?.lineOf(['a', 'missing', 'x'])],
      [3, 4, 6, 3],
    );
  });

  const broken: readonly (readonly [what: string, text: string, line: number])[] = [
    ['an open bracket', 'x: 1\na: [1, 2\nb: 3', 3],
    ['a key twice', 'a: 1\nb: 2\na: 3', 3],
    ['a tab', 'a:\n\tb: 1', 2],
    ['two colons', 'a: b: c', 1],
    ['an alias without its anchor', 'x: 1\ny: *no', 1],
    ['an alias within itself', 'a: &a [*a]', 1],
    ['an unknown tag', 'a: !!js/function x', 1],
    ['a key that is a list', '? [a]\n: b', 1],
    ['something after the end', 'a: "x" y', 1],
    ['depth beyond reason', `a: ${'['.repeat(5_000)}`, 1],
  ];
  for (const [what, text, line] of broken) {
    it(`with ${what} is refused with its line`, () => {
      const { reasons } = readYaml(text);
      assert.ok(reasons.length >= 1 && reasons.length <= 10);
      assert.equal(reasons[0]?.line, line);
    });
  }

  it('that grows by aliases is refused', () => {
    const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`)].join('\n');
    assert.match(readYaml(bomb).reasons[0]?.reason ?? '', /alias/);
  });

  it('is never quoted in what is said of it', () => {
    for (const text of [
      'secretAccessKey: "hunter2 x',
      'a: hunter2: x',
      '- hunter2\nx: hunter2',
      'a: "hunter2" hunter2',
      'a: *hunter2',
      'a: !hunter2 x',
    ]) {
      const { reasons } = readYaml(text);
      assert.ok(reasons.length > 0, text);
      assert.ok(!JSON.stringify(reasons).includes('hunter2'), text);
    }
  });

  it('of any kind makes documents or reasons, never anything else', () => {
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '- ',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&x ',
      '*x',
      '|',
      '>',
      '#',
      '%',
      '---\n',
      '!',
      '\t',
      '? ',
      ',',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const { documents, reasons } = readYaml(parts.join(''));
        for (const { value } of documents) assert.notEqual(JSON.stringify(value), undefined);
        for (const { line, reason } of reasons) assert.ok(line >= 1 && reason !== '');
      }),
      { numRuns: 500 },
    );
  });

  it('that is written is read again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const plain = JSON.parse(JSON.stringify({ value })) as unknown;
        assert.deepEqual(readYaml(writeYaml(plain)).documents[0]?.value, plain);
      }),
    );
  });
});
