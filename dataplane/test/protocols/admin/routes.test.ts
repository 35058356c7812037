import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ArtefactError } from '../../../src/errors.ts';
import { accepts } from '../../../src/protocols/admin/protocol.ts';
import { bucketNamed, createStage, headOf } from './stage.ts';
import type { Request } from './stage.ts';

type Case = readonly [method: string, target: string, request: Request, status: number, code: string, message: RegExp];

const REFUSALS: readonly Case[] = [
  ['GET', '/api', {}, 404, 'RouteUnknown', /openapi\.json/],
  ['GET', '/api/v2/whoami', {}, 404, 'RouteUnknown', /nothing at this path/],
  ['GET', '/api/v1/whoami/', {}, 404, 'RouteUnknown', /nothing at this path/],
  ['GET', '/api/v1/buckets/builds/keys', {}, 404, 'RouteUnknown', /nothing at this path/],
  ['GET', '/auth', {}, 404, 'RouteUnknown', /nothing at this path/],
  ['POST', '/api/v1/whoami', {}, 405, 'MethodNotAllowed', /takes GET, HEAD, not POST/],
  ['PATCH', '/api/v1/buckets/builds', {}, 405, 'MethodNotAllowed', /takes GET, HEAD, PUT, DELETE/],
  ['GET', '/auth/sessions', {}, 405, 'MethodNotAllowed', /takes POST/],
  ['GET', '/api/v1/buckets/%zz', {}, 400, 'MalformedUri', /percent-encoding/],
  ['GET', '/api/v1/buckets/%FF', {}, 400, 'MalformedUri', /percent-encoding/],
  ['GET', '/api/v1/buckets/Builds', {}, 400, 'InvalidBucketName', /3 to 63/],
  ['GET', '/api/v1/buckets/a%2Fb', {}, 400, 'InvalidBucketName', /3 to 63/],
  ['GET', '/api/v1/whoami?verbose', {}, 400, 'InvalidArgument', /no query parameter 'verbose': none is taken/],
  ['GET', '/api/v1/buckets?limt=1', {}, 400, 'InvalidArgument', /'limt': known are prefix, limit, cursor/],
  ['GET', '/api/v1/buckets?limit=1&limit=2', {}, 400, 'InvalidArgument', /'limit' is given twice/],
  ['GET', '/api/v1/buckets?limit=0', {}, 400, 'InvalidArgument', /from 1 to 1000/],
  ['GET', '/api/v1/buckets?cursor=AAAA', {}, 400, 'InvalidArgument', /does not belong to this question/],
  ['GET', '/api/v1/buckets/builds?bucket=other', {}, 400, 'InvalidArgument', /no query parameter 'bucket'/],
  ['GET', '/api/v1/digests/sha512:00/keep', {}, 400, 'InvalidDigest', /Only sha256/],
  ['GET', '/api/v1/digests/sha256:00/keep', {}, 400, 'InvalidDigest', /64/],
  ['GET', '/api/v1/journal?after=%2F', {}, 400, 'InvalidArgument', /'after'/],
  ['GET', '/api/v1/search?meta=x', {}, 400, 'InvalidArgument', /meta\.<name>=<value>/],
  ['GET', '/api/v1/search?glob=', {}, 400, 'InvalidArgument', /'glob'/],
  ['DELETE', '/api/v1/buckets/builds?force=1', {}, 400, 'InvalidArgument', /true or false/],
  [
    'PUT',
    '/api/v1/buckets/builds',
    { rawBody: '{}', headers: { 'content-type': 'text/plain' } },
    415,
    'InvalidRequest',
    /application\/json/,
  ],
  ['PUT', '/api/v1/buckets/builds', { rawBody: '{}' }, 415, 'InvalidRequest', /application\/json/],
  [
    'PUT',
    '/api/v1/buckets/builds',
    { rawBody: '{', headers: { 'content-type': 'application/json' } },
    400,
    'MalformedBody',
    /not valid JSON/,
  ],
  [
    'PUT',
    '/api/v1/buckets/builds',
    { rawBody: Buffer.from([0x22, 0xff, 0x22]), headers: { 'content-type': 'application/json' } },
    400,
    'MalformedBody',
    /UTF-8/,
  ],
  ['PUT', '/api/v1/buckets/builds', { body: [] }, 400, 'MalformedBody', /must be an object/],
  ['PUT', '/api/v1/buckets/builds', { body: { versionning: 'Enabled' } }, 400, 'InvalidArgument', /no field 'versionning'/],
  ['PUT', '/api/v1/buckets/builds', { body: { versioning: 'Disabled' } }, 400, 'InvalidArgument', /one of Enabled, Suspended/],
  [
    'PUT',
    '/api/v1/buckets/builds',
    { body: { cors: [{ allowedOrigins: ['*'], allowedMethods: ['TRACE'] }] } },
    400,
    'InvalidArgument',
    /cors\[0\]\.allowedMethods\[0\]/,
  ],
  ['PUT', '/api/v1/buckets/builds', { body: { tags: { 'aws:x': '' } } }, 400, 'InvalidArgument', /not beginning with aws:/],
  ['PUT', '/api/v1/buckets/builds', { body: {}, signedSha256: '00'.repeat(32) }, 400, 'PayloadMismatch', /sign it again/],
  [
    'PUT',
    '/api/v1/buckets/builds',
    { rawBody: ' '.repeat(1024 * 1024 + 1), headers: { 'content-type': 'application/json' } },
    413,
    'BodyTooLarge',
    /1048576/,
  ],
  ['POST', '/api/v1/collection', { body: { now: true } }, 400, 'InvalidArgument', /no field 'now': none is taken/],
  ['POST', '/auth/sessions?format=xml', {}, 400, 'InvalidArgument', /one of session, credential_process/],
];

describe('the routes of the JSON API', () => {
  for (const [method, target, request, status, code, message] of REFUSALS) {
    it(`refuses ${method} ${target} with ${code} (${message.source})`, async () => {
      const answer = await createStageWithBucket().send(method, target, request);
      assert.deepEqual([answer.status, answer.json.code], [status, code]);
      assert.match(answer.json.detail, message);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
    });
  }

  it('says what a path takes, and what a body must be', async () => {
    const stage = createStageWithBucket();
    assert.equal((await stage.send('OPTIONS', '/api/v1/buckets/builds')).headers.allow, 'GET, HEAD, PUT, DELETE');
    assert.equal((await stage.send('PUT', '/api/v1/buckets/builds', { rawBody: '<a/>' })).headers.accept, 'application/json');
  });

  it('takes a body that the signature covers, with parameters behind the media type', async () => {
    const rawBody = '{"versioning":"Enabled"}';
    const signedSha256 = createHash('sha256').update(rawBody).digest('hex');
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const answer = await createStageWithBucket().send('PUT', '/api/v1/buckets/builds', { rawBody, signedSha256, headers });
    assert.deepEqual([answer.status, answer.json.versioning], [200, 'Enabled']);
  });

  it('answers HEAD as GET, without the body', async () => {
    const answer = await createStageWithBucket().send('HEAD', '/api/v1/buckets/builds');
    assert.deepEqual([answer.status, answer.body], [200, undefined]);
    assert.equal(answer.headers['content-type'], 'application/json');
  });

  it('lets nobody keep an answer', async () => {
    const stage = createStageWithBucket();
    assert.equal((await stage.send('GET', '/api/v1/whoami')).headers['cache-control'], 'no-store');
    assert.equal((await stage.send('GET', '/api/v1/nothing')).headers['cache-control'], 'no-store');
  });

  it('never says what of a broken body it could not read', async () => {
    const answer = await createStageWithBucket().send('POST', '/auth/sessions', {
      rawBody: '{"token": secret123}',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.json.code, 'MalformedBody');
    assert.ok(!JSON.stringify(answer.json).includes('secret123'));
  });

  it('takes its own paths and no bucket', () => {
    const taken = ['/api', '/api/', '/api/v1/x', '/auth/sessions', '/auth'];
    const left = ['/', '/apis', '/authors/x', '/builds/api/v1', '//api/v1'];
    assert.deepEqual(
      taken.map((rawPath) => accepts({ rawPath })),
      taken.map(() => true),
    );
    assert.deepEqual(
      left.map((rawPath) => accepts({ rawPath })),
      left.map(() => false),
    );
  });

  it('recognises or refuses any request line, and never breaks', () => {
    const { protocol } = createStage();
    const segment = fc.oneof(
      fc.constantFrom('api', 'v1', 'buckets', 'builds', 'search', 'journal', 'digests', 'keep', 'auth', 'sessions', '%', ''),
      fc.string({ maxLength: 12 }),
    );
    const target = fc.tuple(
      fc.array(segment, { maxLength: 6 }),
      fc.array(fc.tuple(fc.constantFrom('limit', 'cursor', 'meta.a', 'meta', 'after', 'force', '__proto__'), fc.string()), {
        maxLength: 3,
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'X'), target, (method, [segments, query]) => {
        const path = `/${segments.join('/').replaceAll('?', '')}`;
        try {
          protocol.recognise(headOf(method, `${path}?${new URLSearchParams(query as [string, string][]).toString()}`));
        } catch (error) {
          if (!(error instanceof ArtefactError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

function createStageWithBucket() {
  const stage = createStage();
  stage.buckets.push(bucketNamed('builds'));
  return stage;
}
