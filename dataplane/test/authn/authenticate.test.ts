import assert from 'node:assert/strict';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { EMPTY_SHA256, EXAMPLE_TIME, head, lookup, refused } from './requests.ts';

describe('authentication as a whole', () => {
  const authn = createAuthenticator({ issuers: [], sessionKeys: [ephemeralSigningKey()], clock: () => EXAMPLE_TIME });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it('answers anonymous where there are no credentials at all', async () => {
    const got = await authn.authenticate(head('GET', '/bucket?prefix=Signature', { host: 'h' }), lookup);
    assert.equal(got.principal.kind, 'anonymous');
    assert.equal(got.mechanism, 'anonymous');
    assert.deepEqual(got.payload, { kind: 'plain', signed: false });
    assert.equal(got.conditions.size, 0);
  });

  it('answers the key of Basic credentials, in any case of the scheme', async () => {
    const authorization = basic('AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY').replace('Basic', 'bAsIc');
    const got = await authn.authenticate(head('PUT', '/b/k', { host: 'h', authorization, 'x-amz-content-sha256': EMPTY_SHA256 }), lookup);
    assert.equal(got.principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
    assert.equal(got.mechanism, 'basic');
    assert.deepEqual(got.payload, { kind: 'plain', signed: false, sha256: EMPTY_SHA256 });
    assert.deepEqual([...got.conditions], [['s3:x-amz-content-sha256', [EMPTY_SHA256]]]);
  });

  const WRONG: readonly [string, string, Readonly<Record<string, string | readonly string[]>>, ErrorCode][] = [
    ['an empty Authorization header', '/b', { authorization: '' }, 'InvalidArgument'],
    ['a scheme alone', '/b', { authorization: 'Bearer' }, 'TokenInvalid'],
    ['an unknown bearer token', '/b', { authorization: 'Bearer abc' }, 'TokenInvalid'],
    ['a wrong password', '/b', { authorization: basic('AKIAIOSFODNN7EXAMPLE:x') }, 'AccessKeyUnknown'],
    ['Basic that is not base64', '/b', { authorization: 'Basic $$$' }, 'CredentialsMalformed'],
    ['a signature in part', '/b?X-Amz-Credential=x', {}, 'CredentialsMalformed'],
    ['a signature in part, in lower case', '/b?x-amz-signature=x', {}, 'CredentialsMalformed'],
    ['a date of a signature alone', '/b?X-Amz-Date=20130524T000000Z', {}, 'CredentialsMalformed'],
    ['a security token alone', '/b', { 'x-amz-security-token': 'x' }, 'CredentialsMalformed'],
    ['a security token alone, in the query', '/b?X-Amz-Security-Token=x', {}, 'CredentialsMalformed'],
    ['two Authorization headers', '/b', { authorization: ['Bearer a', basic('a:b')] }, 'InvalidArgument'],
    ['a header and a query', '/b?X-Amz-Signature=x', { authorization: 'Bearer a' }, 'InvalidArgument'],
    ['a query of both versions', '/b?X-Amz-Signature=x&AWSAccessKeyId=y', {}, 'InvalidArgument'],
  ];
  for (const [name, target, headers, code] of WRONG) {
    it(`never takes for anonymous: ${name}`, async () => {
      const error = await refused(() => authn.authenticate(head('GET', target, { host: 'h', ...headers }), lookup), code);
      assert.equal(JSON.stringify(error.details).includes('Bearer a'), false);
    });
  }
});
