import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../../../src/errors.ts';
import { parseCopySource } from '../../../../src/protocols/s3/objects/copySource.ts';
import { toField } from '../../../../src/protocols/s3/objects/headerText.ts';

describe('x-amz-copy-source', () => {
  const cases: readonly (readonly [field: string, expected: object])[] = [
    ['b/k', { bucket: 'b', key: 'k' }],
    ['/b/k', { bucket: 'b', key: 'k' }],
    ['b/a/b/', { bucket: 'b', key: 'a/b/' }],
    ['b//k', { bucket: 'b', key: '/k' }],
    ['b%2Fk', { bucket: 'b', key: 'k' }],
    ['b/my%20file%2B1', { bucket: 'b', key: 'my file+1' }],
    ['b/my+file', { bucket: 'b', key: 'my file' }],
    ['b/k?versionId=null', { bucket: 'b', key: 'k', versionId: 'null' }],
    ['b/k%3Fa=b?versionId=01H', { bucket: 'b', key: 'k?a=b', versionId: '01H' }],
    ['b/k?other', { bucket: 'b', key: 'k?other' }],
    [toField('b/grün'), { bucket: 'b', key: 'grün' }],
    ['b/gr%C3%BCn', { bucket: 'b', key: 'grün' }],
  ];
  for (const [field, expected] of cases) it(field, () => assert.deepEqual(parseCopySource(field), expected));

  for (const field of [
    '',
    '/',
    'b',
    '/b',
    'b/',
    'b/%zz',
    'b/%ff',
    'b/k?versionId=',
    'arn:aws:s3:::b/k',
    `b/${'x'.repeat(1025)}`,
    'b/a%00b',
  ]) {
    it(`refuses ${field.slice(0, 30)}`, () =>
      assert.throws(
        () => parseCopySource(field),
        (error) => isError(error, 'InvalidArgument'),
      ));
  }

  it('reads back every source that is encoded as SDKs do', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
      .filter((text) => !text.includes('\0') && Buffer.byteLength(text) <= 1024);
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/),
        key,
        fc.option(fc.stringMatching(/^[0-9A-Za-z._-]{1,40}$/)),
        (bucket, name, versionId) => {
          const field = `${bucket}/${encodeURIComponent(name)}${versionId === null ? '' : `?versionId=${versionId}`}`;
          assert.deepEqual(parseCopySource(field), { bucket, key: name, ...(versionId === null ? {} : { versionId }) });
        },
      ),
    );
  });

  it('any text is either a source or an InvalidArgument', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (field) => {
        try {
          const { bucket, key } = parseCopySource(field);
          assert.ok(bucket.length > 0 && key.length > 0);
        } catch (error) {
          assert.ok(isError(error, 'InvalidArgument'), String(error));
        }
      }),
    );
  });
});
