import assert from 'node:assert/strict';
import type { CorsRule } from '@bonded/crds';
import { corsHeaders } from '../../../../src/protocols/s3/cors/actual.ts';
import { ruleFor } from '../../../../src/protocols/cors.ts';
import { bucket, head, perform, recordingConfiguration, snapshot, textOf } from '../fakes.ts';

const RULES: readonly CorsRule[] = [
  {
    id: 'ui',
    allowedOrigins: ['https://ui.example', 'https://*.preview.example'],
    allowedMethods: ['GET', 'PUT'],
    allowedHeaders: ['x-amz-*', 'Content-Type'],
    exposeHeaders: ['ETag'],
    maxAgeSeconds: 600,
  },
  { allowedOrigins: ['*'], allowedMethods: ['GET'] },
];
const world = { snapshot: snapshot(bucket('builds', { cors: RULES }), bucket('silent')), may: () => false };
const ask = (origin: string, method: string, asked?: string, target = '/builds/key') =>
  perform(world, 'OPTIONS', target, {
    headers: {
      origin,
      'access-control-request-method': method,
      ...(asked === undefined ? {} : { 'access-control-request-headers': asked }),
    },
  });

describe('CORS preflight', () => {
  it('answers anyone by the first rule that fits', async () => {
    const { status, headers } = await ask('https://ui.example', 'PUT', 'X-Amz-Date, content-type');
    assert.equal(status, 200);
    assert.deepEqual(headers, {
      'access-control-allow-origin': 'https://ui.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-amz-date, content-type',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
      'content-length': '0',
    });
  });

  it('says * only where the rule does, and then without credentials', async () => {
    const { headers } = await ask('https://elsewhere.example', 'GET');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal((await ask('https://x.preview.example', 'PUT')).headers['access-control-allow-origin'], 'https://x.preview.example');
  });

  it('refuses origins, methods and headers that no rule allows', async () => {
    for (const [origin, method, asked] of [
      ['https://elsewhere.example', 'PUT'],
      ['https://ui.example', 'DELETE'],
      ['https://ui.example', 'PUT', 'authorization'],
      ['https://ui.example.evil', 'PUT'],
      ['https://.preview.exampl', 'PUT'],
    ] as const) {
      const { status, body, headers } = await ask(origin, method, asked);
      assert.deepEqual(
        [status, textOf(body, 'Code'), headers['access-control-allow-origin']],
        [403, 'AccessForbidden', undefined],
        `${origin} ${method}`,
      );
    }
  });

  it('says the same of a bucket without rules and of none at all', async () => {
    const [silent, nothing] = await Promise.all([
      ask('https://ui.example', 'GET', undefined, '/silent/k'),
      ask('https://ui.example', 'GET', undefined, '/nothing/k'),
    ]);
    assert.equal(silent.status, 403);
    assert.equal(textOf(silent.body, 'Message'), textOf(nothing.body, 'Message'));
  });

  it('must be one', async () => {
    assert.equal(textOf((await perform(world, 'OPTIONS', '/builds/key')).body, 'Code'), 'BadRequest');
    assert.equal(
      textOf((await perform(world, 'OPTIONS', '/builds', { headers: { origin: 'https://ui.example' } })).body, 'Code'),
      'BadRequest',
    );
    const many = Array.from({ length: 101 }, (_, index) => `x-amz-${index}`).join(',');
    assert.equal(textOf((await ask('https://ui.example', 'PUT', many)).body, 'Code'), 'BadRequest');
  });
});

describe('CORS on the answers themselves', () => {
  const decorate = (method: string, origin?: string, name: string | undefined = 'builds') =>
    corsHeaders(head(method, `/${name}/key`, { headers: origin === undefined ? {} : { origin } }), world.snapshot, name);

  it('lets pages of allowed origins read them, errors too', () => {
    assert.equal(decorate('PUT', 'https://ui.example')['access-control-allow-origin'], 'https://ui.example');
    assert.equal(decorate('PUT', 'https://ui.example')['access-control-expose-headers'], 'ETag');
  });

  it('says nothing but Vary to others', () => {
    assert.deepEqual(Object.keys(decorate('PUT', 'https://elsewhere.example')), ['vary']);
    assert.deepEqual(Object.keys(decorate('GET')), ['vary']);
    assert.deepEqual(decorate('GET', 'https://ui.example', 'silent'), {});
    assert.deepEqual(decorate('GET', 'https://ui.example', 'nothing'), {});
    assert.deepEqual(corsHeaders(head('GET', '/'), world.snapshot, undefined), {});
    assert.deepEqual(decorate('OPTIONS', 'https://ui.example'), {});
  });
});

describe('CORS wildcards', () => {
  const allows = (pattern: string, origin: string) =>
    ruleFor([{ allowedOrigins: [pattern], allowedMethods: ['GET'] }], { origin, method: 'GET', headers: [] }) !== undefined;

  it('stand for any characters, also none, and never for what is written twice', () => {
    assert.ok(allows('https://*.x', 'https://a.b.x') && allows('*', 'null') && allows('a*', 'a') && allows('ab*ba', 'abba'));
    assert.ok(!allows('ab*ba', 'aba') && !allows('https://*.x', 'https://x') && !allows('a', 'A'));
  });
});

describe('CORS settings', () => {
  const put = async (body: string) => {
    const { configuration, told } = recordingConfiguration();
    const answer = await perform({ snapshot: world.snapshot, core: { configuration } }, 'PUT', '/builds?cors', { body });
    return { ...answer, code: textOf(answer.body, 'Code'), told };
  };
  const rule = (inner: string) => `<CORSConfiguration><CORSRule>${inner}</CORSRule></CORSConfiguration>`;
  const MINIMAL = '<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>';

  it('come back as they were put', async () => {
    const { body } = await perform({ snapshot: world.snapshot }, 'GET', '/builds?cors');
    const { status, told } = await put(body);
    assert.deepEqual([status, told], [200, [['updateBucket', 'builds', { cors: RULES }]]]);
  });

  it('are not there before, and not after', async () => {
    assert.equal(textOf((await perform({ snapshot: world.snapshot }, 'GET', '/silent?cors')).body, 'Code'), 'NoSuchCORSConfiguration');
    const { configuration, told } = recordingConfiguration();
    assert.equal((await perform({ snapshot: world.snapshot, core: { configuration } }, 'DELETE', '/builds?cors')).status, 204);
    assert.deepEqual(told, [['updateBucket', 'builds', { cors: [] }]]);
  });

  it('are refused for what S3 refuses', async () => {
    const refused: readonly (readonly [body: string, code: string])[] = [
      ['<CORSConfiguration/>', 'MalformedXML'],
      [rule('<AllowedMethod>GET</AllowedMethod>'), 'MalformedXML'],
      [rule('<AllowedOrigin>*</AllowedOrigin>'), 'MalformedXML'],
      [rule(`${MINIMAL}<Unheard/>`), 'MalformedXML'],
      [rule('<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>'), 'InvalidRequest'],
      [rule('<AllowedMethod>get</AllowedMethod><AllowedOrigin>*</AllowedOrigin>'), 'InvalidRequest'],
      [rule('<AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://*.x.*</AllowedOrigin>'), 'InvalidRequest'],
      [rule('<AllowedMethod>GET</AllowedMethod><AllowedOrigin></AllowedOrigin>'), 'InvalidRequest'],
      [rule(`${MINIMAL}<AllowedHeader>*-*</AllowedHeader>`), 'InvalidRequest'],
      [rule(`${MINIMAL}<ExposeHeader>x-*</ExposeHeader>`), 'InvalidRequest'],
      [rule(`${MINIMAL}<ExposeHeader>a&#13;&#10;b</ExposeHeader>`), 'InvalidRequest'],
      [rule(`${MINIMAL}<MaxAgeSeconds>-1</MaxAgeSeconds>`), 'MalformedXML'],
      [rule(`${MINIMAL}<MaxAgeSeconds>2147483648</MaxAgeSeconds>`), 'MalformedXML'],
      [rule(`${MINIMAL}<ID>${'x'.repeat(256)}</ID>`), 'InvalidRequest'],
      [`<CORSConfiguration>${`<CORSRule>${MINIMAL}</CORSRule>`.repeat(101)}</CORSConfiguration>`, 'MalformedXML'],
      [rule(`${MINIMAL}<ID>${' '.repeat(64 * 1024)}</ID>`), 'MaxMessageLengthExceeded'],
    ];
    for (const [body, code] of refused) {
      const answer = await put(body);
      assert.deepEqual([answer.code, answer.told.length], [code, 0], body.slice(0, 200));
    }
    assert.equal((await put(rule(MINIMAL))).status, 200);
  });
});
