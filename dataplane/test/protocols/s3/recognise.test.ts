import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError, isError } from '../../../src/errors.ts';
import { objectRow } from '../../../src/protocols/s3/operation.ts';
import type { Method, ObjectParams, RowOf } from '../../../src/protocols/s3/operation.ts';
import { recognise } from '../../../src/protocols/s3/recognise.ts';
import { bucketRow } from '../../../src/protocols/s3/operation.ts';
import { head, ROWS } from './fakes.ts';
import type { HeadOptions } from './fakes.ts';

const object = (name: string, method: Method, more: Partial<RowOf<ObjectParams>> = {}) =>
  objectRow({ name: `s3.${name}`, method, action: 'read', s3Action: 's3:Any', handle: async () => ({ status: 200 }), ...more });

const rows = [
  ...ROWS,
  object('GetObject', 'GET'),
  object('PutObject', 'PUT'),
  object('CopyObject', 'PUT', { header: 'x-amz-copy-source' }),
  object('UploadPart', 'PUT', { subresource: 'uploadId', query: ['partNumber'] }),
  object('UploadPartCopy', 'PUT', { subresource: 'uploadId', query: ['partNumber'], header: 'x-amz-copy-source' }),
  object('CompleteMultipartUpload', 'POST', { subresource: 'uploadId' }),
  object('PutObjectTagging', 'PUT', { subresource: 'tagging' }),
  bucketRow({
    name: 's3.PostObject',
    method: 'POST',
    form: true,
    authenticates: 'handler',
    demands: () => [],
    handle: async () => ({ status: 204 }),
  }),
];

const find = (method: string, target: string, options?: HeadOptions) =>
  recognise(head(method, target, options), { rows, domains: ['s3.test'] });
const named = (method: string, target: string, options?: HeadOptions): string => find(method, target, options).operation.name;
const refusal = (method: string, target: string, options?: HeadOptions): ArtefactError => {
  try {
    find(method, target, options);
  } catch (error) {
    if (error instanceof ArtefactError) return error;
    throw error;
  }
  throw new Error(`${method} ${target} was recognised`);
};

describe('S3 requests', () => {
  const RECOGNISED: readonly (readonly [method: string, target: string, operation: string, options?: HeadOptions])[] = [
    ['GET', '/', 's3.ListBuckets'],
    ['GET', '/?x-id=ListBuckets', 's3.ListBuckets'],
    ['GET', '/', 's3.ListObjects', { host: 'builds.s3.test' }],
    ['GET', '/builds', 's3.ListObjects'],
    ['GET', '/builds/?prefix=a&unheard-of=1', 's3.ListObjects'],
    ['GET', '/builds?list-type=2', 's3.ListObjectsV2'],
    ['GET', '/builds?versions&prefix=x', 's3.ListObjectVersions'],
    ['GET', '/builds?location=', 's3.GetBucketLocation'],
    ['HEAD', '/builds', 's3.HeadBucket'],
    ['PUT', '/builds', 's3.CreateBucket'],
    ['DELETE', '/builds', 's3.DeleteBucket'],
    ['PUT', '/builds?policy', 's3.PutBucketPolicy'],
    ['DELETE', '/builds?cors', 's3.DeleteBucketCors'],
    ['GET', '/builds?publicAccessBlock', 's3.GetPublicAccessBlock'],
    ['OPTIONS', '/builds?policy', 's3.Preflight'],
    ['OPTIONS', '/builds/key?uploadId=1&acl', 's3.Preflight'],
    ['POST', '/builds', 's3.PostObject', { headers: { 'content-type': 'Multipart/Form-Data; boundary=x' } }],
    ['GET', '/builds/key?versionId=1&response-content-type=x', 's3.GetObject'],
    ['GET', '/builds/key?partNumber=2', 's3.GetObject'],
    ['PUT', '/builds/key', 's3.PutObject'],
    ['PUT', '/builds/key', 's3.CopyObject', { headers: { 'x-amz-copy-source': 'a/b' } }],
    ['PUT', '/builds/key?x-amz-copy-source=a/b&X-Amz-Signature=x', 's3.CopyObject'],
    ['PUT', '/builds/key?x-amz-copy-source=a/b', 's3.PutObject'],
    ['PUT', '/builds/key?partNumber=1&uploadId=u', 's3.UploadPart'],
    ['PUT', '/builds/key?partNumber=1&uploadId=u', 's3.UploadPartCopy', { headers: { 'x-amz-copy-source': 'a/b' } }],
    ['PUT', '/builds/key?tagging', 's3.PutObjectTagging', { headers: { 'x-amz-copy-source': 'a/b' } }],
    ['POST', '/builds/key?uploadId=u', 's3.CompleteMultipartUpload'],
  ];
  for (const [method, target, operation, options] of RECOGNISED) {
    it(`${method} ${options?.host ?? ''}${target} is ${operation}`, () => assert.equal(named(method, target, options), operation));
  }

  it('carry the names out of the path', () => {
    assert.deepEqual(find('GET', '/builds/a%20b').params, { bucket: 'builds', key: 'a b' });
  });

  const NOT_BUILT: readonly (readonly [method: string, target: string])[] = [
    ['PUT', '/builds?encryption'],
    ['PUT', '/builds?lifecycle'],
    ['DELETE', '/builds?lifecycle'],
    ['PUT', '/builds?replication'],
    ['PUT', '/builds?website'],
    ['PUT', '/builds?logging'],
    ['PUT', '/builds?notification'],
    ['PUT', '/builds?requestPayment'],
    ['PUT', '/builds?accelerate'],
    ['PUT', '/builds?object-lock'],
    ['PUT', '/builds?publicAccessBlock'],
    ['GET', '/builds?intelligent-tiering&id=1'],
    ['GET', '/builds?inventory'],
    ['PUT', '/builds?metrics&id=1'],
    ['GET', '/builds?analytics'],
    ['GET', '/builds?session'],
    ['POST', '/builds?metadataTable'],
    ['GET', '/builds/key?torrent'],
    ['PUT', '/builds/key?retention'],
    ['GET', '/builds/key?legal-hold'],
    ['POST', '/builds/key?restore'],
    ['POST', '/builds/key?select&select-type=2'],
    ['PUT', '/builds/key?renameObject'],
  ];
  for (const [method, target] of NOT_BUILT) {
    it(`${method} ${target} is NotImplemented, and never the plain operation`, () =>
      assert.equal(refusal(method, target).code, 'NotImplemented'));
  }

  it('with a method that a place does not have are told which it has', () => {
    assert.deepEqual(refusal('POST', '/').details, { method: 'POST', resourceType: 'SERVICE', allow: 'GET' });
    assert.equal(refusal('PUT', '/builds?location').details.allow, 'GET');
    assert.equal(refusal('PATCH', '/builds/key').code, 'MethodNotAllowed');
    assert.equal(refusal('HEAD', '/builds?policy').code, 'MethodNotAllowed');
    assert.equal(refusal('GET', '/builds/key?policy').code, 'MethodNotAllowed');
    assert.equal(refusal('OPTIONS', '/').code, 'MethodNotAllowed');
  });

  it('with two subresources are refused', () => {
    assert.equal(refusal('GET', '/builds?acl&policy').code, 'InvalidArgument');
    assert.equal(named('GET', '/builds?acl&acl'), 's3.GetBucketAcl');
  });

  it('with half of a multipart address never become another operation', () => {
    assert.equal(refusal('PUT', '/builds/key?partNumber=1').code, 'InvalidArgument');
    assert.deepEqual(refusal('PUT', '/builds/key?uploadId=u').details, { argumentName: 'partNumber', argumentValue: '' });
  });

  it('that post something else than a form to a bucket are refused as S3 does', () => {
    const error = refusal('POST', '/builds', { headers: { 'content-type': 'application/json' } });
    assert.equal(error.code, 'PreconditionFailed');
    assert.match(String(error.details.condition), /multipart\/form-data/);
  });

  it('of any kind are recognised or refused in a known way', () => {
    const known = [
      'MethodNotAllowed',
      'NotImplemented',
      'InvalidArgument',
      'MalformedUri',
      'InvalidBucketName',
      'NameTooLong',
      'PreconditionFailed',
    ] as const;
    const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND');
    const path = fc.constantFrom('/', '/builds', '/builds/', '/builds/k', '/builds/%', '/x');
    const query = fc.array(
      fc.constantFrom('acl', 'policy', 'uploads', 'uploadId=1', 'partNumber=1', 'delete', 'versions', 'list-type=2', 'x'),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(method, path, query, (verb, rawPath, parameters) => {
        try {
          find(verb, `${rawPath}?${parameters.join('&')}`);
        } catch (error) {
          assert.ok(isError(error, ...known), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('The rows on buckets', () => {
  it('demands something of every operation but the public ones and the one that filters its answer', () => {
    const params = { bucket: 'builds', key: 'k' };
    const free = ROWS.filter(({ operation }) => operation.demands(head('GET', '/builds'), params).length === 0).map(
      ({ operation }) => operation.name,
    );
    assert.deepEqual([...new Set(free)], ['s3.ListBuckets', 's3.Preflight']);
  });

  it('needs administer to change a bucket, and list to look at it', () => {
    for (const { operation, method, scope } of ROWS) {
      for (const { action, s3Action, resource } of operation.demands(head(method, '/builds'), { bucket: 'builds' })) {
        assert.equal(action, method === 'GET' || method === 'HEAD' ? 'list' : 'administer', operation.name);
        assert.match(s3Action, /^s3:[A-Z]/);
        if (scope === 'bucket') assert.equal(resource.bucket, 'builds');
      }
    }
  });
});
