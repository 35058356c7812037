import assert from 'node:assert/strict';
import { createAuthenticator, type Authenticator } from '../../src/authn/authenticate.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { parseWebIdentityRequest } from '../../src/authn/sts.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { issuerKey, sign, startIssuer, type IssuerKey, type TestIssuer } from './issuer.ts';
import { head, lookup, refused } from './requests.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const GOOD = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: 'arn:aws:iam::123456789012:role/ci',
  RoleSessionName: 'build-1',
  WebIdentityToken: 'eyJ.eyJ.c2ln',
};
let now = START;

function parse(changes: Readonly<Record<string, string | undefined>> = {}) {
  const parameters = Object.entries<string | undefined>({ ...GOOD, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return parseWebIdentityRequest(new Map(parameters));
}

describe('AssumeRoleWithWebIdentity', () => {
  let idp: TestIssuer;
  let key: IssuerKey;
  let authn: Authenticator;

  before(async () => {
    key = await issuerKey('one');
    idp = await startIssuer();
    idp.published = [key.jwk];
    authn = createAuthenticator({
      issuers: [{ issuer: idp.url, audiences: ['bonded'], kubernetes: true }],
      sessionKeys: [ephemeralSigningKey()],
      clock: () => now,
    });
  });

  beforeEach(() => {
    now = START;
  });

  after(() => idp.stop());

  const token = (claims = {}) => sign(key, idp.url, claims, START);

  it('gives a session of the identity of the token', async () => {
    const sub = 'system:serviceaccount:team-a-ci:builder';
    const parameters = new Map(Object.entries({ ...GOOD, WebIdentityToken: await token({ sub }), DurationSeconds: '900' }));
    const role = await authn.assumeRole(parameters);
    assert.equal(role.subject, sub);
    assert.equal(role.audience, 'bonded');
    assert.equal(role.provider, idp.url);
    assert.equal(role.credentials.expiration, START + 900_000);
    assert.equal(role.assumedRoleUser.arn, 'arn:aws:sts::123456789012:assumed-role/ci/build-1');
    assert.equal(role.assumedRoleUser.assumedRoleId, `${role.credentials.accessKeyId}:build-1`);

    const request = head('GET', '/', { host: 'h', authorization: `Bearer ${role.credentials.bearerToken}` });
    const { principal } = await authn.authenticate(request, lookup);
    assert.equal(principal.id, `oidc:${idp.url}|${sub}`);
    assert.deepEqual(principal.serviceAccount, { namespace: 'team-a-ci', name: 'builder' });
    assert.equal(principal.sessionExpires, START + 900_000);
  });

  it('gives an hour, where nothing is said, even to a token that lives shorter', async () => {
    const { session } = await authn.startSession(await token());
    assert.equal(session.expiration, START + 3_600_000);
    now = START + 1_800_000;
    const request = head('GET', '/', { host: 'h', authorization: `Bearer ${session.bearerToken}` });
    assert.equal((await authn.authenticate(request, lookup)).principal.kind, 'oidc');
  });

  it('gives no session that outlives the session it is asked for with', async () => {
    const { session } = await authn.startSession(await token(), 900);
    now = START + 600_000;
    const next = await authn.startSession(session.bearerToken, 43_200);
    assert.equal(next.session.expiration, START + 900_000);
  });

  it('gives nothing for a token that does not hold', async () => {
    const withToken = (webIdentityToken: string) =>
      authn.assumeRole(new Map(Object.entries({ ...GOOD, WebIdentityToken: webIdentityToken })));
    await refused(() => withToken('nonsense'), 'TokenInvalid');
    await refused(async () => withToken(await token({ aud: 'other' })), 'TokenInvalid');
    await refused(async () => withToken(await token({ exp: START / 1000 - 60 })), 'TokenExpired');
    const { session } = await authn.startSession(await token());
    await refused(() => withToken(session.sessionToken), 'TokenInvalid');
  });

  it('takes roles and session names as they come, and none as well', () => {
    assert.deepEqual(parse(), {
      webIdentityToken: GOOD.WebIdentityToken,
      durationSeconds: undefined,
      roleArn: GOOD.RoleArn,
      roleSessionName: 'build-1',
    });
    const bare = parse({ RoleArn: undefined, RoleSessionName: undefined, Version: undefined, DurationSeconds: '43200' });
    assert.equal(bare.durationSeconds, 43_200);
    assert.equal(bare.roleSessionName, 'web-identity');
  });

  const REFUSALS: readonly [string, Record<string, string | undefined>, ErrorCode, RegExp, string?][] = [
    ['no action', { Action: undefined }, 'InvalidArgument', /Action/, 'MissingAction'],
    ['another action', { Action: 'AssumeRole' }, 'NotImplemented', /AssumeRoleWithWebIdentity/],
    ['another version', { Version: '2010-01-01' }, 'InvalidArgument', /Version/, 'InvalidParameterValue'],
    ['a session policy', { Policy: '{}' }, 'NotImplemented', /Policy is not implemented/],
    ['session policies', { 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/ReadOnlyAccess' }, 'NotImplemented', /PolicyArns/],
    ['a provider', { ProviderId: 'www.amazon.com' }, 'NotImplemented', /ProviderId/],
    ['an unknown parameter', { SourceIdentity: 'x' }, 'InvalidArgument', /Only the parameters/, 'InvalidParameterValue'],
    ['no token', { WebIdentityToken: undefined }, 'InvalidArgument', /WebIdentityToken/, 'MissingParameter'],
    ['an empty token', { WebIdentityToken: '' }, 'InvalidArgument', /WebIdentityToken/, 'MissingParameter'],
    ['a duration that is no number', { DurationSeconds: '1h' }, 'InvalidArgument', /DurationSeconds/, 'InvalidParameterValue'],
    ['a session name with spaces', { RoleSessionName: 'a b' }, 'InvalidArgument', /RoleSessionName/, 'InvalidParameterValue'],
    ['a role of control characters', { RoleArn: 'a\nb' }, 'InvalidArgument', /RoleArn/, 'InvalidParameterValue'],
  ];
  for (const [name, changes, code, message, stsCode] of REFUSALS) {
    it(`refuses ${name}`, async () => {
      const error = await refused(() => parse(changes), code, message);
      assert.equal(error.details['stsCode'], stsCode);
    });
  }

  it('refuses durations beyond 12 hours and under 15 minutes', async () => {
    for (const seconds of ['899', '43201', '0']) {
      await refused(
        () => authn.assumeRole(new Map(Object.entries({ ...GOOD, DurationSeconds: seconds }))),
        'InvalidArgument',
        /900 to 43200/,
      );
    }
  });
});
