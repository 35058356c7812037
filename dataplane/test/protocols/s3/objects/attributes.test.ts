import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ErrorCode } from '../../../../src/errors.ts';
import { isError } from '../../../../src/errors.ts';
import { readAttributes } from '../../../../src/protocols/s3/objects/attributes.ts';
import { writeContentHeaders } from '../../../../src/protocols/s3/objects/contentHeaders.ts';
import { fromField, toEncodedWords, toField } from '../../../../src/protocols/s3/objects/headerText.ts';
import { MAX_METADATA, metadataHeaders, readMetadata } from '../../../../src/protocols/s3/objects/metadata.ts';

describe('object attributes', () => {
  it('reads what travels with an object, and takes aws-chunked off', () => {
    const attributes = readAttributes({
      'content-type': 'text/plain',
      'content-encoding': 'aws-chunked,gzip',
      'content-disposition': toField('attachment; filename="ü.txt"'),
      expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
      'x-amz-website-redirect-location': '/there',
      'x-amz-meta-build': '4711',
      'x-amz-tagging': 'team=a%20b&empty=',
      'x-amz-storage-class': 'STANDARD_IA',
      'content-length': '12',
    });
    assert.deepEqual(attributes, {
      headers: {
        contentType: 'text/plain',
        contentEncoding: 'gzip',
        contentDisposition: 'attachment; filename="ü.txt"',
        expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
        websiteRedirectLocation: '/there',
      },
      metadata: { build: '4711' },
      tags: { team: 'a b', empty: '' },
      storageClass: 'STANDARD_IA',
    });
    const written = writeContentHeaders(attributes.headers);
    assert.equal(fromField(written['content-disposition']!), 'attachment; filename="ü.txt"');
    assert.equal(written['content-encoding'], 'gzip');
  });

  it('a coding that is only aws-chunked leaves none', () => {
    assert.equal(readAttributes({ 'content-encoding': 'aws-chunked' }).headers.contentEncoding, undefined);
    assert.equal(readAttributes({ 'content-encoding': 'gzip, br' }).headers.contentEncoding, 'gzip, br');
    assert.equal(writeContentHeaders({})['content-type'], 'binary/octet-stream');
  });

  const refusals: readonly (readonly [fields: Record<string, string>, code: ErrorCode])[] = [
    [{ 'x-amz-storage-class': 'GLACIER' }, 'InvalidStorageClass'],
    [{ 'x-amz-storage-class': 'DEEP_ARCHIVE' }, 'InvalidStorageClass'],
    [{ 'x-amz-storage-class': 'standard' }, 'InvalidStorageClass'],
    [{ 'x-amz-server-side-encryption': 'AES256' }, 'NotImplemented'],
    [{ 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }, 'NotImplemented'],
    [{ 'x-amz-copy-source-server-side-encryption-customer-key': 'x' }, 'NotImplemented'],
    [{ 'x-amz-write-offset-bytes': '5' }, 'NotImplemented'],
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }, 'InvalidRequest'],
    [{ 'x-amz-object-lock-legal-hold': 'ON' }, 'InvalidRequest'],
    [{ 'x-amz-website-redirect-location': 'javascript:alert(1)' }, 'InvalidArgument'],
    [{ 'x-amz-meta-a': 'x\u0001y' }, 'InvalidArgument'],
    [{ 'x-amz-meta-': 'x' }, 'InvalidArgument'],
    [{ 'x-amz-meta-a b': 'x' }, 'InvalidArgument'],
    [{ 'x-amz-meta-a': 'x'.repeat(MAX_METADATA) }, 'MetadataTooLarge'],
    [{ 'cache-control': `a\r\nset-cookie: b` }, 'InvalidArgument'],
    [{ 'content-type': 'x'.repeat(2049) }, 'InvalidArgument'],
    [{ 'x-amz-tagging': 'a=1&a=2' }, 'InvalidTag'],
    [{ 'x-amz-tagging': Array.from({ length: 11 }, (_, n) => `k${n}=v`).join('&') }, 'InvalidTag'],
    [{ 'x-amz-tagging': `${'k'.repeat(129)}=v` }, 'InvalidTag'],
    [{ 'x-amz-tagging': `k=${'v'.repeat(257)}` }, 'InvalidTag'],
    [{ 'x-amz-tagging': 'k=%zz' }, 'InvalidArgument'],
  ];
  for (const [fields, code] of refusals) {
    it(`refuses ${JSON.stringify(fields).slice(0, 80)} as ${code}`, () => {
      assert.throws(
        () => readAttributes(fields),
        (error) => isError(error, code),
      );
    });
  }

  it('metadata counts names and values in bytes, up to just 2 KB', () => {
    const name = 'n'.repeat(48);
    assert.doesNotThrow(() => readMetadata({ [`x-amz-meta-${name}`]: 'v'.repeat(2000) }));
    assert.throws(
      () => readMetadata({ [`x-amz-meta-${name}`]: 'v'.repeat(2001) }),
      (error) => isError(error, 'MetadataTooLarge'),
    );
    assert.throws(
      () => readMetadata({ 'x-amz-meta-a': toField('ü'.repeat(1024)) }),
      (error) => isError(error, 'MetadataTooLarge'),
    );
  });

  it('metadata beyond US-ASCII comes back as encoded words, and encoded words as they were', () => {
    assert.deepEqual(readMetadata({ 'x-amz-meta-a': toField('grün'), 'x-amz-meta-b': '=?UTF-8?Q?x?=' }), { a: 'grün', b: '=?UTF-8?Q?x?=' });
    assert.deepEqual(metadataHeaders({ a: 'grün', b: 'plain' }), { 'x-amz-meta-a': '=?UTF-8?B?Z3LDvG4=?=', 'x-amz-meta-b': 'plain' });
    assert.deepEqual(metadataHeaders({ 'no token': 'x', ok: 'y' }), { 'x-amz-meta-ok': 'y', 'x-amz-missing-meta': '1' });
  });

  it('a name like __proto__ is a name like any other', () => {
    const metadata = readMetadata({ 'x-amz-meta-__proto__': 'x' });
    assert.deepEqual(Object.entries(metadata), [['__proto__', 'x']]);
    assert.equal(metadataHeaders(metadata)['x-amz-meta-__proto__'], 'x');
  });

  it('text survives the way through fields and encoded words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(fromField(toField(text)), text);
        const words = toEncodedWords(text);
        assert.ok(/^[\x00-\x7f]*$/.test(words));
        const decoded = words
          .replaceAll('?= =?', '?==?')
          .replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, b64: string) => Buffer.from(b64, 'base64').toString());
        if (/[^\x00-\x7f]/.test(text)) assert.equal(decoded, text);
        for (const word of words.match(/=\?UTF-8\?B\?[^?]*\?=/g) ?? []) assert.ok(word.length <= 75);
      }),
    );
  });

  it('any tagging header is tags or a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z=&%0-9+]{0,60}$/)), (field) => {
        try {
          const { tags } = readAttributes({ 'x-amz-tagging': field });
          assert.ok(Object.keys(tags).length <= 10);
        } catch (error) {
          assert.ok(isError(error, 'InvalidTag', 'InvalidArgument'), String(error));
        }
      }),
    );
  });
});
