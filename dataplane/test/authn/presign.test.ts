import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { presign, type PresignRequest } from '../../src/authn/presign.ts';
import { createSessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { ArtefactError, type ErrorCode } from '../../src/errors.ts';
import { EMPTY_SHA256, EXAMPLE_KEY, EXAMPLE_TIME, head, lookup, refused, type Headers } from './requests.ts';

const ISSUER = 'https://issuer.example';
const PRINCIPAL = { kind: 'oidc', id: `oidc:${ISSUER}|ci`, oidc: { issuer: ISSUER, claims: { sub: 'ci' } } } as const;
const KEY_PRINCIPAL = {
  kind: 'accessKey',
  id: 'key:x',
  accessKey: { accessKeyId: EXAMPLE_KEY.accessKeyId, namespace: 'a', secretName: 'b' },
} as const;
const REQUEST: PresignRequest = { method: 'GET', endpoint: 'http://store.example:8080', bucket: 'bucket', key: 'a/b', expiresSeconds: 600 };
const SECOND = 1000;
let now = EXAMPLE_TIME;
const sessionKeys = [ephemeralSigningKey()] as const;
const clock = () => now;
const authn = createAuthenticator({ issuers: [{ issuer: ISSUER, audiences: ['bonded'] }], sessionKeys, clock });
const sessions = createSessions({ keys: sessionKeys, clock, trusts: () => true });

/** The request that a URL makes. */
function visit(url: string, method = 'GET', headers: Headers = {}) {
  const { host } = new URL(url);
  return head(method, url.slice(url.indexOf(host) + host.length), { host, ...headers });
}

function withQuery(change: (url: URL) => void, request: PresignRequest = REQUEST) {
  const url = new URL(presign(request, EXAMPLE_KEY, EXAMPLE_TIME));
  change(url);
  return visit(url.href);
}

describe('presigned URLs', () => {
  beforeEach(() => {
    now = EXAMPLE_TIME;
  });

  it('are accepted whatever the key and the parameters are', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((raw) => raw.toWellFormed());
    const methods = fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'POST');
    await fc.assert(
      fc.asyncProperty(methods, text, fc.array(fc.tuple(text, text), { maxLength: 3 }), async (method, key, query) => {
        if (query.some(([name]) => /^(x-amz-|signature$|awsaccesskeyid$)/i.test(name))) return;
        const url = presign({ ...REQUEST, method, key, query }, EXAMPLE_KEY, now);
        const { principal, mechanism, payload } = await authn.authenticate(visit(url, method), lookup);
        assert.equal(principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
        assert.equal(mechanism, 'sigv4-query');
        assert.deepEqual(payload, { kind: 'plain', signed: true });
      }),
    );
  });

  it('say how old they are, for policies', async () => {
    now += 5 * SECOND;
    const { conditions } = await authn.authenticate(visit(presign(REQUEST, EXAMPLE_KEY, EXAMPLE_TIME)), lookup);
    assert.deepEqual(Object.fromEntries(conditions), {
      's3:x-amz-content-sha256': ['UNSIGNED-PAYLOAD'],
      's3:authtype': ['REST-QUERY-STRING'],
      's3:signatureversion': ['AWS4-HMAC-SHA256'],
      's3:signatureage': ['5000'],
    });
  });

  it('hold the client to the headers and the payload they were signed with', async () => {
    const headers = { 'content-type': 'text/plain', 'x-amz-content-sha256': EMPTY_SHA256, 'x-amz-meta-ü': 'é' };
    const request = { ...REQUEST, method: 'PUT', headers: { 'content-type': 'text/plain', 'x-amz-meta-a': 'é €' } };
    const url = presign(request, EXAMPLE_KEY, now);
    const sent = { 'content-type': 'text/plain', 'x-amz-meta-a': Buffer.from('é €').toString('latin1') };
    assert.equal((await authn.authenticate(visit(url, 'PUT', sent), lookup)).principal.kind, 'accessKey');
    await refused(() => authn.authenticate(visit(url, 'PUT', { ...sent, 'content-type': 'text/html' }), lookup), 'SignatureMismatch');
    await refused(() => authn.authenticate(visit(url, 'PUT', {}), lookup), 'SignatureMismatch');
    await refused(() => authn.authenticate(visit(url, 'PUT', { ...sent, ...headers }), lookup), 'AccessDenied', /not signed/);
  });

  it('hold for the time they say', async () => {
    const request = visit(presign(REQUEST, EXAMPLE_KEY, EXAMPLE_TIME));
    now = EXAMPLE_TIME + 600 * SECOND;
    await authn.authenticate(request, lookup);
    now += 1;
    const error = await refused(() => authn.authenticate(request, lookup), 'RequestExpired', /Request has expired/);
    assert.equal(error.details['expires'], '2013-05-24T00:10:00.000Z');
    now = EXAMPLE_TIME - 900 * SECOND;
    await authn.authenticate(request, lookup);
    now -= SECOND;
    await refused(() => authn.authenticate(request, lookup), 'AccessDenied', /not yet valid/);
  });

  const set = (name: string, value: string) => withQuery((url) => url.searchParams.set(name, value));
  const REFUSALS: readonly [string, () => ReturnType<typeof head>, ErrorCode, RegExp][] = [
    [
      'a missing parameter',
      () => withQuery((url) => url.searchParams.delete('X-Amz-Date')),
      'CredentialsMalformed',
      /requires the X-Amz-Algorithm/,
    ],
    [
      'a missing signature',
      () => withQuery((url) => url.searchParams.delete('X-Amz-Signature')),
      'CredentialsMalformed',
      /requires the X-Amz-Algorithm/,
    ],
    ['a parameter twice', () => withQuery((url) => url.searchParams.append('x-amz-expires', '9')), 'CredentialsMalformed', /given once/],
    ['a longer life', () => set('X-Amz-Expires', '601'), 'SignatureMismatch', /does not match/],
    ['an endless life', () => set('X-Amz-Expires', '604801'), 'CredentialsMalformed', /less than 604800/],
    ['a negative life', () => set('X-Amz-Expires', '-1'), 'CredentialsMalformed', /non-negative/],
    ['no life', () => set('X-Amz-Expires', '0'), 'CredentialsMalformed', /at least 1/],
    ['a life that is no number', () => set('X-Amz-Expires', '1e3'), 'CredentialsMalformed', /should be a number/],
    ['another algorithm', () => set('X-Amz-Algorithm', 'AWS4-HMAC-SHA1'), 'CredentialsMalformed', /only supports/],
    ['a broken date', () => set('X-Amz-Date', '2013-05-24'), 'CredentialsMalformed', /ISO8601 Long Format/],
    ['another day', () => set('X-Amz-Date', '20130525T000000Z'), 'CredentialsMalformed', /Invalid credential date/],
    [
      'a broken credential',
      () => set('X-Amz-Credential', 'x'),
      'CredentialsMalformed',
      /Error parsing the X-Amz-Credential parameter; the Credential is mal-formed/,
    ],
    ['an unknown key', () => set('X-Amz-Credential', 'NOBODY/20130524/us-east-1/s3/aws4_request'), 'AccessKeyUnknown', /does not exist/],
    ['no signed host', () => set('X-Amz-SignedHeaders', 'range'), 'AccessDenied', /not signed/],
    ['another parameter', () => withQuery((url) => url.searchParams.set('versionId', '1')), 'SignatureMismatch', /does not match/],
    [
      'a second mechanism',
      () => visit(presign(REQUEST, EXAMPLE_KEY, now), 'GET', { authorization: 'Bearer x' }),
      'InvalidArgument',
      /Only one auth mechanism/,
    ],
    ['SigV2', () => visit('http://h/b/k?AWSAccessKeyId=x&Expires=1&Signature=y'), 'InvalidRequest', /Please use AWS4-HMAC-SHA256/],
    ['SigV2 in part', () => visit('http://h/b/k?Signature=y'), 'InvalidRequest', /Please use AWS4-HMAC-SHA256/],
    ['a token of nobody', () => set('X-Amz-Security-Token', 'bnds1.00000000.AAAA'), 'TokenInvalid', /malformed/],
  ];
  for (const [name, request, code, message] of REFUSALS) {
    it(`refuse ${name}`, async () => {
      const error = await refused(() => authn.authenticate(request(), lookup), code, message);
      if (code === 'CredentialsMalformed') assert.equal(error.details['s3Code'], 'AuthorizationQueryParametersError');
    });
  }

  it('answer an ArtefactError to any query, and let none in', async () => {
    const name = fc.constantFrom(
      'X-Amz-Algorithm',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Expires',
      'X-Amz-SignedHeaders',
      'X-Amz-Signature',
      'x-amz-security-token',
    );
    const value = fc.oneof(
      fc.constantFrom(
        'AWS4-HMAC-SHA256',
        'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
        '20130524T000000Z',
        '60',
        'host',
        '0'.repeat(64),
      ),
      fc.string({ maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 9 }), async (parameters) => {
        const outcome = await authn
          .authenticate(visit(`http://h/b?${new URLSearchParams(parameters).toString()}`), lookup)
          .catch((error: unknown) => error);
        assert.ok(outcome instanceof ArtefactError && outcome.code !== 'Internal', String(outcome));
      }),
    );
  });

  describe('for a principal', () => {
    it('are signed with its own access key, for a week at most', async () => {
      const url = authn.presign(KEY_PRINCIPAL, { ...REQUEST, expiresSeconds: 604_800 }, lookup);
      assert.equal((await authn.authenticate(visit(url), lookup)).principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
      await refused(() => authn.presign(KEY_PRINCIPAL, { ...REQUEST, expiresSeconds: 604_801 }, lookup), 'InvalidArgument');
      await refused(() => authn.presign(KEY_PRINCIPAL, REQUEST, () => undefined), 'AccessKeyUnknown');
    });

    it('are signed with a session of its own that ends with them', async () => {
      const url = authn.presign(PRINCIPAL, REQUEST, lookup);
      const { principal } = await authn.authenticate(visit(url), lookup);
      assert.deepEqual(principal, { ...PRINCIPAL, sessionExpires: EXAMPLE_TIME + 600 * SECOND });
      await refused(() => authn.presign(PRINCIPAL, { ...REQUEST, expiresSeconds: 43_201 }, lookup), 'InvalidArgument', /43200/);
    });

    it('end no later than the session that asks for them', async () => {
      const asking = { ...PRINCIPAL, sessionExpires: now + 60 * SECOND };
      await refused(() => authn.presign(asking, REQUEST, lookup), 'InvalidArgument', /60 seconds/);
      authn.presign(asking, { ...REQUEST, expiresSeconds: 60 }, lookup);
    });

    it('give away nothing but what they are for', async () => {
      const token = new URL(authn.presign(PRINCIPAL, REQUEST, lookup)).searchParams.get('X-Amz-Security-Token') ?? '';
      const target = visit('http://h/bucket/other');
      const asBearer = head('GET', '/bucket/other', { host: 'h', authorization: `Bearer ${token}` });
      const asPassword = head('GET', '/bucket/other', {
        host: 'h',
        authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
      });
      await refused(() => authn.authenticate(asBearer, lookup), 'TokenInvalid');
      await refused(() => authn.authenticate(asPassword, lookup), 'TokenInvalid');
      await refused(
        () => authn.authenticate(head('GET', '/b', { ...(target.headers as Headers), 'x-amz-security-token': token }), lookup),
        'CredentialsMalformed',
      );
    });

    it('hold for the access key that their session token belongs to', async () => {
      const credentials = sessions.issue(PRINCIPAL, now + 900 * SECOND);
      await authn.authenticate(visit(presign(REQUEST, credentials, now)), lookup);
      for (const accessKeyId of [EXAMPLE_KEY.accessKeyId, 'BSIAOTHER']) {
        await refused(() => authn.authenticate(visit(presign(REQUEST, { ...credentials, accessKeyId }, now)), lookup), 'TokenInvalid');
      }
    });

    it('are refused to the anonymous', async () => {
      await refused(() => authn.presign({ kind: 'anonymous', id: 'anonymous' }, REQUEST, lookup), 'AccessDenied');
    });

    it('work with the token as a header that is signed', async () => {
      const { sessionToken, ...keys } = sessions.issue(PRINCIPAL, now + 900 * SECOND);
      const url = presign({ ...REQUEST, headers: { 'x-amz-security-token': sessionToken } }, keys, now);
      const { principal } = await authn.authenticate(visit(url, 'GET', { 'x-amz-security-token': sessionToken }), lookup);
      assert.equal(principal.id, PRINCIPAL.id);
      await refused(() => authn.authenticate(visit(url), lookup), 'AccessKeyUnknown', /send its session token/);
    });
  });
});
