import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError } from '../../../src/errors.ts';
import { parametersOf, parseForm } from '../../../src/protocols/sts/form.ts';

const refused = (body: string) => {
  try {
    parseForm(body);
  } catch (error) {
    return (error as ArtefactError).code;
  }
  return undefined;
};

describe('forms that STS reads', () => {
  it('are decoded once, with + as a space', () => {
    assert.deepEqual(
      [...parseForm('a=1+2&b=%2B%26&&c&d==x')],
      [
        ['a', '1 2'],
        ['b', '+&'],
        ['c', ''],
        ['d', '=x'],
      ],
    );
    assert.deepEqual([...parseForm('')], []);
  });

  it('are refused when broken, ambiguous or too large', () => {
    assert.equal(refused('a=%'), 'MalformedForm');
    assert.equal(refused('a=%zz'), 'MalformedForm');
    assert.equal(refused('a=%ff'), 'MalformedForm');
    assert.equal(refused('=x'), 'MalformedForm');
    assert.equal(refused(`${'n'.repeat(129)}=x`), 'MalformedForm');
    assert.equal(refused('Policy=a&Policy=b'), 'InvalidArgument');
    assert.equal(refused(Array.from({ length: 65 }, (_, n) => `p${n}=`).join('&')), 'MalformedForm');
    assert.equal(refused(`${'&'.repeat(100)}Policy=a&Policy=b`), 'InvalidArgument', 'empty pieces hide nothing');
  });

  it('come back as they were written', () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme' })), { selector: ([key]) => key, maxLength: 20 }), (pairs) => {
        assert.deepEqual([...parseForm(new URLSearchParams(pairs).toString())], pairs);
        assert.deepEqual([...parametersOf(pairs)], pairs);
      }),
    );
  });

  it('never break on any text', () => {
    const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('&', '=', '%', '%C3', '%C3%A4', '+', '&&'));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseForm(pieces.join(''));
        } catch (error) {
          if (!(error instanceof ArtefactError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
