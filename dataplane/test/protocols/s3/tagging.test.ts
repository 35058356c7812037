import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError } from '../../../src/errors.ts';
import { parseTagging, parseTaggingHeader, taggingFields } from '../../../src/protocols/s3/tagging.ts';
import { parseXml, renderXml } from '../../../src/protocols/s3/xml.ts';

const parse = (text: string, of: 'bucket' | 'object' = 'object') => parseTagging(parseXml(Buffer.from(text), ['Tagging']), of);
const document = (...pairs: readonly (readonly [string, string])[]) =>
  renderXml('Tagging', { TagSet: { Tag: pairs.map(([Key, Value]) => ({ Key, Value })) } });
const refuses = (code: string, text: string, of?: 'bucket' | 'object') => assert.throws(() => parse(text, of), { code }, text);
const many = (count: number) => document(...Array.from({ length: count }, (_, index) => [`k${index}`, ''] as const));

describe('S3 tag sets', () => {
  it('are keys and values in letters, digits, spaces and a few signs', () => {
    assert.deepEqual(parse(document(['team', 'a b'], ['Größe', '+-=._:/@'], ['empty', ''])), { team: 'a b', Größe: '+-=._:/@', empty: '' });
    assert.deepEqual(parse('<Tagging><TagSet/></Tagging>'), {});
  });

  it('are refused with other characters, lengths, doubles, or the name of the system', () => {
    refuses('InvalidTag', document(['', 'x']));
    refuses('InvalidTag', document(['k'.repeat(129), 'x']));
    refuses('InvalidTag', document(['k', 'v'.repeat(257)]));
    assert.ok(parse(document(['ü'.repeat(128), 'ü'.repeat(256)])));
    for (const bad of ['a*b', 'a\nb', 'a<b', 'a&b', '\u0001']) {
      refuses('InvalidTag', document([bad, 'x']));
      refuses('InvalidTag', document(['k', bad]));
    }
    refuses('InvalidTag', document(['k', '1'], ['k', '2']));
    refuses('InvalidTag', document(['aws:x', '1']));
  });

  it('of an object have no keys that policies could not tell apart', () => {
    refuses('InvalidTag', document(['env', 'prod'], ['ENV', 'dev']));
    assert.throws(() => parseTaggingHeader('env=prod&Env=dev'), { code: 'InvalidTag' });
    assert.deepEqual(parse(document(['env', 'a'], ['ENV', 'b']), 'bucket'), { env: 'a', ENV: 'b' });
  });

  it('have at most 10 tags on an object and 50 on a bucket', () => {
    assert.equal(Object.keys(parse(many(10))).length, 10);
    assert.equal(Object.keys(parse(many(50), 'bucket')).length, 50);
    for (const [count, of] of [
      [11, 'object'],
      [51, 'bucket'],
    ] as const) {
      assert.throws(
        () => parse(many(count), of),
        (error) => error instanceof ArtefactError && error.details.s3Code === 'BadRequest',
      );
    }
  });

  it('are refused in another shape', () => {
    for (const inner of [
      '',
      '<TagSet/><TagSet/>',
      '<Tags/>',
      '<TagSet><Tag/></TagSet>',
      '<TagSet><Tag><Key>a</Key></Tag></TagSet>',
      '<TagSet><X/></TagSet>',
    ]) {
      refuses('MalformedBody', `<Tagging>${inner}</Tagging>`);
    }
  });

  it('come as a header too', () => {
    assert.deepEqual(parseTaggingHeader('a=1&b=two+words&c=%C3%BC&d'), { a: '1', b: 'two words', c: 'ü', d: '' });
    assert.deepEqual(parseTaggingHeader(''), {});
    assert.throws(() => parseTaggingHeader('a=%zz'), { code: 'InvalidArgument' });
    assert.throws(() => parseTaggingHeader('a=1&a=2'), { code: 'InvalidTag' });
    assert.throws(() => parseTaggingHeader('=1'), { code: 'InvalidTag' });
  });

  it('read any header or refuse it', () => {
    const piece = fc.constantFrom('a', '=', '&', '%', '%41', '%00', '+', '__proto__', 'ü');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseTaggingHeader(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof ArtefactError && ['InvalidTag', 'InvalidArgument'].includes(error.code), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('come back as they were written', () => {
    const key = fc.stringMatching(/^[a-zA-Z0-9_.:/=+@-]{1,20}$/).filter((text) => !text.startsWith('aws:'));
    fc.assert(
      fc.property(fc.dictionary(key, key, { maxKeys: 10 }), (tags) => {
        assert.deepEqual(Object.entries(parse(renderXml('Tagging', taggingFields(tags)))).sort(), Object.entries(tags).sort());
      }),
    );
  });
});
