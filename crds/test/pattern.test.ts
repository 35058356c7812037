import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileGlob, compileWildcard } from '../src/pattern.ts';

/** The plain meaning, by backtracking: slow, and easy to see through. */
function naive(pattern: string, text: string, isGlob: boolean): boolean {
  if (pattern === '') return text === '';
  const slashFree = isGlob ? '[^/]' : '[^]';
  const source = pattern.replace(isGlob ? /\*\*|[^]/gu : /[^]/gu, (part) => {
    if (part === '**') return '[^]*';
    if (part === '*') return `${slashFree}*`;
    return part === '?' ? slashFree : part.replace(/[\\^$.|+()[\]{}/-]/g, '\\$&');
  });
  return new RegExp(`^(?:${source})$`, 'u').test(text);
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '😀', '.'), maxLength: 12 });
/** Without the form of whole segments, which has its own table. */
const glob = fc.array(fc.constantFrom('a', 'b', '/', '*', '**', '?', '😀', '.'), { maxLength: 8 }).map((parts) => parts.join(''));
const plainGlob = glob.filter((pattern) => !/(^|\/)\*\*\//.test(pattern) && !pattern.includes('***'));

describe('globs', () => {
  const matching: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['releases/**', ['releases/', 'releases/1', 'releases/1/2/3'], ['releases', 'releases-old/1', 'x/releases/1', '']],
    ['releases/*', ['releases/', 'releases/1'], ['releases/1/2', 'releases']],
    ['*.txt', ['a.txt', '.txt'], ['a/b.txt', 'a.txtx']],
    ['**.txt', ['a.txt', 'a/b.txt'], ['a.tx']],
    ['**/x', ['x', 'a/x', 'a/b/x'], ['ax', 'a/bx', 'x/a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'axb']],
    ['a?c', ['abc', 'a😀c'], ['ac', 'a/c', 'abbc']],
    ['**', ['', 'a', 'a/b'], []],
    ['*', ['', 'a'], ['a/b']],
    ['plain', ['plain'], ['plain/', 'plai', '']],
    ['[a]\\*', ['[a]\\', '[a]\\x'], ['a', '[a]*/']],
    ['', [''], ['a']],
  ];
  for (const [pattern, yes, no] of matching) {
    it(`${JSON.stringify(pattern)} matches just what it should`, () => {
      for (const name of yes) assert.ok(compileGlob(pattern).matches(name), `should match ${name}`);
      for (const name of no) assert.ok(!compileGlob(pattern).matches(name), `should not match ${name}`);
    });
  }

  it('mean what their plain translation means', () => {
    fc.assert(
      fc.property(plainGlob, text, (pattern, name) => assert.equal(compileGlob(pattern).matches(name), naive(pattern, name, true))),
      { numRuns: 2000 },
    );
  });

  const covering: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['releases/**', ['releases/', 'releases/1/', 'releases/x'], ['', 'releases', 'rel', 'other/']],
    ['releases/*', [], ['releases/', 'releases/1']],
    ['**', ['', 'a'], []],
    ['**.txt', [], ['', 'a.txt']],
    ['a/*/b/**', ['a/x/b/', 'a/x/b/c'], ['a/x/b', 'a/', 'a/x/y/b/']],
    ['plain', [], ['plain', '']],
  ];
  for (const [pattern, yes, no] of covering) {
    it(`${JSON.stringify(pattern)} covers just the prefixes whose every name it matches`, () => {
      for (const prefix of yes) assert.ok(compileGlob(pattern).covers(prefix), `should cover ${prefix}`);
      for (const prefix of no) assert.ok(!compileGlob(pattern).covers(prefix), `should not cover ${prefix}`);
    });
  }

  it('never claim to cover a prefix under which some name does not match, nor miss a name they reach', () => {
    fc.assert(
      fc.property(glob, text, text, (pattern, prefix, rest) => {
        const compiled = compileGlob(pattern);
        if (compiled.covers(prefix)) assert.ok(compiled.matches(prefix + rest));
        if (compiled.matches(prefix + rest)) assert.ok(compiled.reaches(prefix));
      }),
      { numRuns: 2000 },
    );
  });

  it('take time in proportion to the text, whatever the pattern', () => {
    const nasty = '**a*'.repeat(64);
    const began = performance.now();
    assert.ok(!compileGlob(`${nasty}b`).matches('a'.repeat(4096)));
    assert.ok(performance.now() - began < 2000);
  });
});

describe('wildcards', () => {
  it('cross slashes, unlike globs', () => {
    assert.ok(compileWildcard('b/*').matches('b/x/y'));
    assert.ok(compileWildcard('b?c').matches('b/c'));
  });

  it('mean what their plain translation means', () => {
    const wildcard = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '😀'), maxLength: 10 });
    fc.assert(
      fc.property(wildcard, text, (pattern, name) => assert.equal(compileWildcard(pattern).matches(name), naive(pattern, name, false))),
      {
        numRuns: 2000,
      },
    );
  });

  it('take what is put into them for what it is', () => {
    const pattern = compileWildcard(['home/', { literal: '*' }, '/*']);
    assert.ok(pattern.matches('home/*/x'));
    assert.ok(!pattern.matches('home/ann/x'));
  });
});
