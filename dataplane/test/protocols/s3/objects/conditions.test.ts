import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ObjectVersion } from '../../../../src/core/object.ts';
import { isError } from '../../../../src/errors.ts';
import {
  judgeCopySource,
  judgeRead,
  parseETags,
  rangeStillMeant,
  READ_CONDITIONS,
  readDeleteConditions,
  readWriteConditions,
} from '../../../../src/protocols/s3/objects/conditions.ts';

const MODIFIED = Date.UTC(2026, 3, 1, 12, 0, 0) + 789;
const SAME = new Date(MODIFIED).toUTCString();
const EARLIER = new Date(MODIFIED - 60_000).toUTCString();
const LATER = new Date(MODIFIED + 60_000).toUTCString();
const version = { etag: 'abc', modified: MODIFIED } as ObjectVersion;

describe('read conditions', () => {
  const cases: readonly (readonly [fields: Record<string, string>, expected: 'send' | 'unchanged' | 412])[] = [
    [{}, 'send'],
    [{ 'if-match': '"abc"' }, 'send'],
    [{ 'if-match': 'abc' }, 'send'],
    [{ 'if-match': '*' }, 'send'],
    [{ 'if-match': '"x", "abc"' }, 'send'],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-match': 'W/"abc"' }, 412],
    [{ 'if-none-match': '"abc"' }, 'unchanged'],
    [{ 'if-none-match': 'W/"abc"' }, 'unchanged'],
    [{ 'if-none-match': '*' }, 'unchanged'],
    [{ 'if-none-match': '"x"' }, 'send'],
    [{ 'if-modified-since': SAME }, 'unchanged'],
    [{ 'if-modified-since': EARLIER }, 'send'],
    [{ 'if-modified-since': 'yesterday, I think' }, 'send'],
    [{ 'if-unmodified-since': SAME }, 'send'],
    [{ 'if-unmodified-since': EARLIER }, 412],
    [{ 'if-unmodified-since': 'nonsense' }, 'send'],
    // precedence, RFC 9110 §13.2.2
    [{ 'if-match': '"abc"', 'if-unmodified-since': EARLIER }, 'send'],
    [{ 'if-none-match': '"x"', 'if-modified-since': LATER }, 'send'],
    [{ 'if-none-match': '"abc"', 'if-modified-since': EARLIER }, 'unchanged'],
    [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 412],
  ];
  for (const [fields, expected] of cases) {
    it(`${JSON.stringify(fields)} → ${expected}`, () => {
      if (expected === 412)
        assert.throws(
          () => judgeRead(fields, READ_CONDITIONS, version),
          (error) => isError(error, 'PreconditionFailed'),
        );
      else assert.equal(judgeRead(fields, READ_CONDITIONS, version), expected);
    });
  }

  it('a failure names the condition in S3’s capitals', () => {
    const named = (fields: Record<string, string>) => {
      try {
        judgeCopySource(fields, version);
        return undefined;
      } catch (error) {
        return isError(error, 'PreconditionFailed') ? error.details.condition : error;
      }
    };
    assert.equal(named({ 'x-amz-copy-source-if-match': '"x"' }), 'x-amz-copy-source-If-Match');
    assert.equal(named({ 'x-amz-copy-source-if-none-match': '"abc"' }), 'x-amz-copy-source-If-None-Match');
    assert.equal(named({ 'x-amz-copy-source-if-modified-since': LATER }), 'x-amz-copy-source-If-Modified-Since');
    assert.equal(named({ 'x-amz-copy-source-if-unmodified-since': EARLIER }), 'x-amz-copy-source-If-Unmodified-Since');
    assert.equal(named({ 'x-amz-copy-source-if-match': '"abc"', 'x-amz-copy-source-if-unmodified-since': EARLIER }), undefined);
    assert.equal(named({ 'if-match': '"x"' }), undefined);
  });

  it('If-Range keeps a range only for the same representation', () => {
    assert.equal(rangeStillMeant(undefined, version), true);
    assert.equal(rangeStillMeant('"abc"', version), true);
    assert.equal(rangeStillMeant('"x"', version), false);
    assert.equal(rangeStillMeant('W/"abc"', version), false);
    assert.equal(rangeStillMeant(SAME, version), true);
    assert.equal(rangeStillMeant(LATER, version), false);
    assert.equal(rangeStillMeant('some, nonsense', version), false);
  });

  it('any text is either ETags or an InvalidArgument', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[W/" ,*a-f0-9]{0,60}$/));
    fc.assert(
      fc.property(text, (field) => {
        try {
          assert.ok(parseETags('If-Match', field).length > 0);
        } catch (error) {
          assert.ok(isError(error, 'InvalidArgument'));
        }
      }),
    );
  });

  it('reads back every list of ETags that it is given', () => {
    const etags = fc.array(fc.stringMatching(/^[a-f0-9-]{1,40}$/), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(etags, (list) => {
        assert.deepEqual(parseETags('If-Match', list.map((etag) => `"${etag}"`).join(', ')), list);
        assert.deepEqual(parseETags('If-Match', list.join(',')), list);
      }),
    );
  });
});

describe('write conditions', () => {
  it('If-None-Match takes * only, and dates are refused', () => {
    assert.deepEqual(readWriteConditions({ 'if-none-match': '*' }), { ifMatch: undefined, ifNoneMatch: ['*'] });
    assert.deepEqual(readWriteConditions({ 'if-match': '"a"' }), { ifMatch: ['a'], ifNoneMatch: undefined });
    const refused: readonly Record<string, string>[] = [
      { 'if-none-match': '"a"' },
      { 'if-match': '"a"', 'if-none-match': '*' },
      { 'if-modified-since': SAME },
      { 'if-unmodified-since': SAME },
    ];
    for (const fields of refused)
      assert.throws(
        () => readWriteConditions(fields),
        (error) => isError(error, 'NotImplemented'),
      );
  });

  it('deletes may name ETag, time and size', () => {
    const fields = { 'if-match': '"a"', 'x-amz-if-match-last-modified-time': SAME, 'x-amz-if-match-size': '12' };
    assert.deepEqual(readDeleteConditions(fields), { ifMatch: ['a'], ifMatchModified: Date.parse(SAME), ifMatchSize: 12 });
    for (const bad of [{ 'x-amz-if-match-size': '-1' }, { 'x-amz-if-match-last-modified-time': 'soon' }] as Record<string, string>[]) {
      assert.throws(
        () => readDeleteConditions(bad),
        (error) => isError(error, 'InvalidArgument'),
      );
    }
  });
});
