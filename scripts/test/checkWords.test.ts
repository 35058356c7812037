import assert from 'node:assert/strict';
import { wordFaults } from '../checkWords.ts';

describe('words', () => {
  it('of one registry, one machine or one tracker are found, with their line', () => {
    const text = [
      'fine',
      'https://registry.npmjs.org/x',
      "cd '/root/x'",
      'see issue #12',
      'https://pypi.org/simple',
      'deb.debian.org',
    ].join('\n');
    assert.deepEqual(
      wordFaults('f', text).map((fault) => fault.split(':')[1]),
      ['2', '3', '4', '5', '6'],
    );
  });

  it('that only look alike are left alone', () => {
    assert.deepEqual(
      wordFaults('f', 'issued 12 tokens by an issuer\nthe root/leaf path, network/ and work/out\nhttps://example.org/root/'),
      [],
    );
  });
});
