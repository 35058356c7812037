import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { canonicalPath, canonicalQuery, canonicalRequest, stringToSign } from '../../src/authn/canonicalRequest.ts';
import { createDerivedKeys, signText } from '../../src/authn/derivedKey.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { ArtefactError, type ErrorCode } from '../../src/errors.ts';
import { EMPTY_SHA256, EXAMPLE_KEY, EXAMPLE_TIME, head, lookup, refused, type Headers } from './requests.ts';

const HOST = 'store.example:8080';
const MINUTE = 60_000;
let now = EXAMPLE_TIME;
const sessionKeys = [ephemeralSigningKey()] as const;
const authn = createAuthenticator({ issuers: [], sessionKeys, clock: () => now });
const regional = createAuthenticator({ issuers: [], sessionKeys, clock: () => now, region: 'eu-west-1' });

interface Signing {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Headers;
  readonly signed?: readonly string[];
  readonly scope?: string;
  readonly payloadHash?: string;
}

/** A request signed with the example key, however odd. */
function signed(signing: Signing = {}) {
  const { method = 'GET', target = '/bucket/key', payloadHash = EMPTY_SHA256, scope = '20130524/us-east-1/s3/aws4_request' } = signing;
  const headers = { host: HOST, 'x-amz-date': '20130524T000000Z', 'x-amz-content-sha256': payloadHash, ...signing.headers };
  const names = signing.signed ?? Object.keys(headers).map((name) => name.toLowerCase());
  const request = head(method, target, headers);
  const [date = '', region = '', service = ''] = scope.split('/');
  const canonical = canonicalRequest({
    method,
    rawPath: request.rawPath,
    rawQuery: target.slice(request.rawPath.length + 1),
    rawHeaders: request.rawHeaders,
    signedHeaders: names,
    payloadHash,
  });
  const key = createDerivedKeys()(EXAMPLE_KEY.secretAccessKey, { date, region, service });
  const signature = signText(key, stringToSign('20130524T000000Z', scope, canonical));
  const authorization = `AWS4-HMAC-SHA256 Credential=${EXAMPLE_KEY.accessKeyId}/${scope}, SignedHeaders=${[...names].sort().join(';')}, Signature=${signature}`;
  return head(method, target, { ...headers, authorization });
}

/** The same request with headers changed after it was signed; undefined takes one away. */
function altered(changes: Record<string, string | undefined>, signing: Signing = {}) {
  const request = signed(signing);
  const headers = { ...request.headers, ...changes };
  const kept = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return head(request.method, request.target, Object.fromEntries(kept));
}

function authorized(authorization: string) {
  return altered({ authorization });
}

describe('SigV4 in the Authorization header', () => {
  beforeEach(() => {
    now = EXAMPLE_TIME;
  });

  it('answers the principal, the payload rule and the facts for policies', async () => {
    now = EXAMPLE_TIME + 5000;
    const { principal, mechanism, payload, conditions } = await authn.authenticate(signed(), lookup);
    assert.deepEqual(principal, {
      kind: 'accessKey',
      id: 'key:AKIAIOSFODNN7EXAMPLE',
      accessKey: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', namespace: 'team-a', secretName: 'example' },
    });
    assert.equal(mechanism, 'sigv4-header');
    assert.deepEqual(payload, { kind: 'plain', signed: true, sha256: EMPTY_SHA256 });
    assert.deepEqual(Object.fromEntries(conditions), {
      's3:x-amz-content-sha256': [EMPTY_SHA256],
      's3:authtype': ['REST-HEADER'],
      's3:signatureversion': ['AWS4-HMAC-SHA256'],
      's3:signatureage': ['5000'],
    });
  });

  for (const target of [
    '/bucket/a//b/../c/./d',
    '/bucket/%E2%82%AC%20%2B%25/x',
    "/bucket/(a)!*'~_-.,;=:@&$+",
    '/bucket?prefix=a%2Fb&delimiter=/&marker=x+y&versions&list-type=2&prefix=A',
    '/bucket?b=2&a=%20&a=&a=%7E&&B=1&%61z=3',
    '/',
  ]) {
    it(`signs the target as sent: ${target}`, async () => {
      const { principal } = await authn.authenticate(signed({ target }), lookup);
      assert.equal(principal.kind, 'accessKey');
    });
  }

  it('knows the canonical forms of paths and queries', () => {
    assert.equal(canonicalPath("/a//../%7e/%e2%82%ac(!)/%2F+'"), '/a//../~/%E2%82%AC%28%21%29//%2B%27');
    assert.equal(canonicalQuery('b=2&a=%2f&a=&a&B&x=y=z&q=a+b&&X-Amz-Signature=1'), 'B=&a=&a=&a=%2F&b=2&q=a%20b&x=y%3Dz');
    assert.equal(canonicalQuery(''), '');
  });

  it('trims and collapses white space, and joins repeated headers', async () => {
    const headers = { 'x-amz-meta-a': '  several \t  words ', 'x-amz-meta-b': ['one', ' two'] };
    await authn.authenticate(signed({ headers }), lookup);
    const plain = altered({ 'x-amz-meta-a': 'several words', 'x-amz-meta-b': 'one,two' }, { headers });
    await authn.authenticate(plain, lookup);
    await refused(() => authn.authenticate(altered({ 'x-amz-meta-b': 'two,one' }, { headers }), lookup), 'SignatureMismatch');
  });

  it('takes bytes of headers that are not ASCII as they are on the wire', async () => {
    const headers = { 'x-amz-meta-name': Buffer.from('Zürich à €').toString('latin1') };
    const { principal } = await authn.authenticate(signed({ headers }), lookup);
    assert.equal(principal.kind, 'accessKey');
  });

  it('takes a Date header where there is no x-amz-date', async () => {
    const signing = { headers: { 'x-amz-date': [] as string[], date: 'Fri, 24 May 2013 00:00:00 GMT' } };
    const { principal } = await authn.authenticate(signed({ ...signing, signed: ['date', 'host', 'x-amz-content-sha256'] }), lookup);
    assert.equal(principal.kind, 'accessKey');
  });

  it('takes the secret of the snapshot, not one it remembers', async () => {
    await authn.authenticate(signed(), lookup);
    await refused(() => authn.authenticate(signed(), () => ({ ...EXAMPLE_KEY, secretAccessKey: 'another' })), 'SignatureMismatch');
    await refused(() => authn.authenticate(signed(), () => undefined), 'AccessKeyUnknown');
  });

  const CREDENTIAL = 'Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  const REST = 'SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00';
  const REFUSALS: readonly [string, () => ReturnType<typeof head>, ErrorCode, RegExp][] = [
    ['a changed method', () => head('PUT', '/bucket/key', signed().headers as Headers), 'SignatureMismatch', /does not match/],
    ['a changed path', () => head('GET', '/bucket/other', signed().headers as Headers), 'SignatureMismatch', /does not match/],
    ['an added parameter', () => head('GET', '/bucket/key?acl', signed().headers as Headers), 'SignatureMismatch', /does not match/],
    ['another host', () => altered({ host: 'elsewhere.example' }), 'SignatureMismatch', /does not match/],
    ['another payload hash', () => altered({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }), 'SignatureMismatch', /does not match/],
    [
      'no payload hash',
      () => altered({ 'x-amz-content-sha256': undefined }),
      'InvalidRequest',
      /Missing required header.*x-amz-content-sha256/,
    ],
    ['no date', () => altered({ 'x-amz-date': undefined }), 'AccessDenied', /valid Date or x-amz-date/],
    ['a broken date', () => altered({ 'x-amz-date': '20130230T000000Z' }), 'AccessDenied', /valid Date or x-amz-date/],
    ['an x-amz header that is not signed', () => altered({ 'x-amz-acl': 'public-read' }), 'AccessDenied', /not signed/],
    ['a host that is not signed', () => signed({ signed: ['x-amz-content-sha256', 'x-amz-date'] }), 'AccessDenied', /not signed/],
    ['two components', () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host`), 'CredentialsMalformed', /three components/],
    [
      'a component twice',
      () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}, ${CREDENTIAL}, ${REST}`),
      'CredentialsMalformed',
      /three components/,
    ],
    [
      'a short credential',
      () => authorized(`AWS4-HMAC-SHA256 Credential=a/b, ${REST}`),
      'CredentialsMalformed',
      /Credential is mal-formed/,
    ],
    ['another terminal', () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}x, ${REST}`), 'CredentialsMalformed', /incorrect terminal/],
    ['another service', () => signed({ scope: '20130524/us-east-1/ec2/aws4_request' }), 'CredentialsMalformed', /incorrect service/],
    ['STS for an object', () => signed({ scope: '20130524/us-east-1/sts/aws4_request' }), 'CredentialsMalformed', /incorrect service/],
    ['another day', () => signed({ scope: '20130523/us-east-1/s3/aws4_request' }), 'CredentialsMalformed', /Invalid credential date/],
    [
      'upper-case signed headers',
      () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=Host, Signature=00`),
      'CredentialsMalformed',
      /SignedHeaders/,
    ],
    [
      'repeated signed headers',
      () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host;host, Signature=00`),
      'CredentialsMalformed',
      /SignedHeaders/,
    ],
    ['an endless header', () => authorized(`AWS4-HMAC-SHA256 ${'a'.repeat(9000)}`), 'CredentialsMalformed', /longer than/],
    ['a short signature', () => authorized(`AWS4-HMAC-SHA256 ${CREDENTIAL}, ${REST}`), 'SignatureMismatch', /does not match/],
    ['SigV2', () => authorized('AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg='), 'InvalidRequest', /Please use AWS4-HMAC-SHA256/],
    ['SigV4A', () => authorized('AWS4-ECDSA-P256-SHA256 Credential=x'), 'NotImplemented', /AWS4-HMAC-SHA256/],
    ['an unknown scheme', () => authorized('Digest username="x"'), 'InvalidArgument', /Unsupported Authorization Type/],
    [
      'an unknown key',
      () => authorized(`AWS4-HMAC-SHA256 Credential=NOBODY/20130524/us-east-1/s3/aws4_request, ${REST}`),
      'AccessKeyUnknown',
      /does not exist/,
    ],
    ['an unknown payload form', () => signed({ payloadHash: 'STREAMING-ELSE' }), 'InvalidArgument', /x-amz-content-sha256 must be/],
    ['chunks by SigV4A', () => signed({ payloadHash: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' }), 'NotImplemented', /AWS4-HMAC-SHA256/],
    ['broken percent-encoding', () => head('GET', '/bucket/%zz', signed().headers as Headers), 'MalformedUri', /URI/],
  ];
  for (const [name, request, code, message] of REFUSALS) {
    it(`refuses ${name}`, async () => {
      await refused(() => authn.authenticate(request(), lookup), code, message);
    });
  }

  it('says what S3 would say, in details that its renderer knows', async () => {
    const unsigned = await refused(() => authn.authenticate(altered({ 'x-amz-acl': 'x', 'x-amz-tagging': 'y' }), lookup), 'AccessDenied');
    assert.equal(unsigned.details['headersNotSigned'], 'x-amz-acl, x-amz-tagging');
    const malformed = await refused(() => authn.authenticate(authorized('AWS4-HMAC-SHA256 x'), lookup), 'CredentialsMalformed');
    assert.equal(malformed.details['s3Code'], 'AuthorizationHeaderMalformed');
    const mismatch = await refused(() => authn.authenticate(altered({ host: 'other' }), lookup), 'SignatureMismatch');
    assert.match(
      String(mismatch.details['stringToSign']),
      /^AWS4-HMAC-SHA256\n20130524T000000Z\n20130524\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/,
    );
    assert.match(String(mismatch.details['canonicalRequest']), /^GET\n\/bucket\/key\n\nhost:other\n/);
    assert.equal(JSON.stringify(mismatch.details).includes(EXAMPLE_KEY.secretAccessKey), false);
  });

  it('bears a clock that is 15 minutes off, and no more', async () => {
    for (const skew of [15 * MINUTE, -15 * MINUTE]) {
      now = EXAMPLE_TIME + skew;
      await authn.authenticate(signed(), lookup);
      now += Math.sign(skew) * 1000;
      const error = await refused(() => authn.authenticate(signed(), lookup), 'ClockSkew', /difference between the request time/);
      assert.equal(error.details['maxAllowedSkewMilliseconds'], 900_000);
      assert.equal(error.details['requestTime'], '20130524T000000Z');
    }
  });

  it('keeps to a region when one is configured', async () => {
    await regional.authenticate(signed({ scope: '20130524/eu-west-1/s3/aws4_request' }), lookup);
    const error = await refused(
      () => regional.authenticate(signed(), lookup),
      'CredentialsMalformed',
      /region 'us-east-1' is wrong; expecting 'eu-west-1'/,
    );
    assert.equal(error.details['region'], 'eu-west-1');
  });

  it('takes a signature for STS at the place where STS is', async () => {
    const request = signed({ method: 'POST', target: '/', scope: '20130524/us-east-1/sts/aws4_request' });
    assert.equal((await authn.authenticate(request, lookup)).principal.kind, 'accessKey');
  });

  it('answers an ArtefactError to any Authorization header, and lets none in', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'AWS4-HMAC-SHA256',
        'Credential=',
        'SignedHeaders=',
        'Signature=',
        ',',
        ' ',
        '/',
        ';',
        'host',
        '20130524',
        's3',
        'aws4_request',
      ),
      fc.string({ maxLength: 20 }),
    );
    const text = fc.array(piece, { maxLength: 24 }).map((pieces) => `AWS4-HMAC-SHA256 ${pieces.join('')}`);
    await fc.assert(
      fc.asyncProperty(text, async (authorization) => {
        const outcome = await authn.authenticate(authorized(authorization), lookup).catch((error: unknown) => error);
        assert.ok(outcome instanceof ArtefactError && outcome.code !== 'Internal', String(outcome));
      }),
    );
  });

  it('lets no signature pass for anything but what it signed', async () => {
    const byte = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    await fc.assert(
      fc.asyncProperty(fc.nat(), byte, async (place, character) => {
        const request = signed({ target: '/bucket/key?prefix=abc' });
        const authorization = request.headers['authorization'] ?? '';
        const at = place % authorization.length;
        if (authorization[at] === character || at < 'AWS4-HMAC-SHA256 '.length) return;
        const changed = authorization.slice(0, at) + character + authorization.slice(at + 1);
        const outcome = await authn
          .authenticate(altered({ authorization: changed }, { target: request.target }), lookup)
          .catch((error: unknown) => error);
        assert.ok(outcome instanceof ArtefactError, changed);
      }),
    );
  });
});
