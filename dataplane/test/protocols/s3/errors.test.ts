import assert from 'node:assert/strict';
import { ArtefactError } from '../../../src/errors.ts';
import type { ErrorCode, ErrorDetails } from '../../../src/errors.ts';
import { S3_CODES, S3_ERRORS } from '../../../src/protocols/s3/errorCodes.ts';
import type { S3Code } from '../../../src/protocols/s3/errorCodes.ts';
import { invalidArgument, notImplemented, renderS3Error, s3Error } from '../../../src/protocols/s3/errors.ts';
import { parseXml } from '../../../src/protocols/s3/xml.ts';

const SUBJECT = { requestId: 'R1', method: 'GET', bucket: 'builds', key: 'a&b\u0001' };

function render(error: ArtefactError, subject: typeof SUBJECT | { requestId: string; method: string } = SUBJECT) {
  const reply = renderS3Error(error, subject);
  return { ...reply, headers: reply.headers ?? {}, body: reply.body as string };
}

const elementsOf = (body: string): Record<string, string> =>
  Object.fromEntries(parseXml(Buffer.from(body), ['Error']).children.map(({ name, text }) => [name, text]));

const fail = (code: ErrorCode, details: ErrorDetails = {}) => render(new ArtefactError(code, 'words', { details }));

describe('S3 errors', () => {
  for (const code of Object.keys(S3_ERRORS) as ErrorCode[]) {
    it(`say ${code} in S3's form`, () => {
      const { status, headers, body } = fail(code);
      assert.equal(status, S3_ERRORS[code].status);
      if (status === 304) return assert.equal(body, undefined);
      assert.equal(headers['content-type'], 'application/xml');
      const elements = elementsOf(body);
      assert.equal(elements.Code, S3_ERRORS[code].code);
      assert.deepEqual([elements.Message, elements.RequestId], ['words', 'R1']);
    });
  }

  it('have no namespace', () => assert.ok(!fail('AccessDenied').body.includes('xmlns')));

  it('take a finer code out of the fixed list, and none that is not in it', () => {
    for (const code of Object.keys(S3_CODES) as S3Code[]) {
      const { status, body } = render(s3Error('SettingUnset', code, 'words'));
      assert.deepEqual([status, elementsOf(body).Code], [S3_CODES[code], code]);
    }
    for (const s3Code of ['MadeUp', 'toString', '__proto__', 1]) {
      assert.equal(elementsOf(fail('InvalidRequest', { s3Code }).body).Code, 'InvalidRequest');
    }
  });

  it('name what they are about', () => {
    assert.equal(elementsOf(fail('BucketUnknown').body).BucketName, 'builds');
    assert.equal(elementsOf(fail('NameUnknown').body).Key, 'a&b\u0001');
    assert.equal(elementsOf(fail('VersionUnknown', { versionId: 'v1' }).body).VersionId, 'v1');
    assert.equal(elementsOf(render(invalidArgument('max-keys', 'x', 'words')).body).ArgumentValue, 'x');
    assert.equal(elementsOf(render(notImplemented('?lifecycle')).body).Header, '?lifecycle');
    assert.equal(elementsOf(fail('AccessDenied').body).Resource, '/builds/a&b\u0001');
    assert.equal(elementsOf(render(new ArtefactError('AccessDenied', 'x'), { requestId: 'R', method: 'GET' }).body).Resource, '/');
  });

  it('show what was signed, so that people can find the difference', () => {
    const { body } = fail('SignatureMismatch', {
      accessKeyId: 'AK',
      stringToSign: 'AWS4\nx',
      signatureProvided: 'ff',
      canonicalRequest: 'GET',
    });
    const elements = elementsOf(body);
    assert.deepEqual([elements.AWSAccessKeyId, elements.StringToSign, elements.SignatureProvided], ['AK', 'AWS4\nx', 'ff']);
    assert.deepEqual([elements.StringToSignBytes, elements.CanonicalRequestBytes], ['41 57 53 34 0a 78', '47 45 54']);
  });

  it('say in headers what clients read there', () => {
    const range = fail('InvalidRange', { rangeRequested: 'bytes=9-', actualObjectSize: 5 });
    assert.equal(range.headers['content-range'], 'bytes */5');
    assert.deepEqual([elementsOf(range.body).RangeRequested, elementsOf(range.body).ActualObjectSize], ['bytes=9-', '5']);
    assert.equal(fail('MethodNotAllowed', { allow: 'GET, PUT' }).headers.allow, 'GET, PUT');
    assert.equal(fail('SlowDown').headers['retry-after'], '1');
  });

  it('answer 304 with what caches go by, and no body', () => {
    const { status, headers, body } = fail('NotModified', {
      etag: 'abc',
      lastModified: Date.UTC(2026, 0, 1),
      versionId: 'v',
      cacheControl: 'no-cache',
    });
    assert.deepEqual([status, body], [304, undefined]);
    assert.deepEqual(headers, {
      etag: '"abc"',
      'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
      'cache-control': 'no-cache',
      'x-amz-version-id': 'v',
    });
  });

  it('tell a delete marker that was asked for by version from one that hides a key', () => {
    const hidden = fail('DeleteMarkerFound', { versionId: 'v1', byVersionId: false });
    assert.deepEqual([hidden.status, elementsOf(hidden.body).Code], [404, 'NoSuchKey']);
    const named = fail('DeleteMarkerFound', { versionId: 'v1', byVersionId: true });
    assert.deepEqual(
      [named.status, elementsOf(named.body).Code, elementsOf(named.body).ResourceType],
      [405, 'MethodNotAllowed', 'DeleteMarker'],
    );
    for (const { headers } of [hidden, named])
      assert.deepEqual([headers['x-amz-delete-marker'], headers['x-amz-version-id']], ['true', 'v1']);
  });

  it('never show a cause, an unlisted detail, or anything of an internal error', () => {
    const error = new ArtefactError('Internal', 'words', {
      cause: new Error('secret-cause'),
      details: { detail: 'secret-detail', password: 'secret' },
    });
    assert.ok(!render(error).body.includes('secret'));
    assert.ok(!fail('InvalidRequest', { password: 'secret', byVersionId: true, s3Code: 'secret' }).body.includes('secret'));
  });
});
