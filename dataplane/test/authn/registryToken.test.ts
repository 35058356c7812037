import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccessKeyConfig } from '@bonded/crds';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { presignAs } from '../../src/authn/presign.ts';
import { ANONYMOUS, type Limit, type Principal } from '../../src/authn/principal.ts';
import { createRegistryTokens, isRegistryToken, type RegistryTokens } from '../../src/authn/registryToken.ts';
import { createSessions } from '../../src/authn/session.ts';
import { keyPrincipal } from '../../src/authn/signer.ts';
import { ephemeralSigningKey, type SigningKeys } from '../../src/authn/signingKey.ts';
import { ArtefactError } from '../../src/errors.ts';
import { EXAMPLE_KEY, head, lookup, refused } from './requests.ts';

const ISSUER = 'https://issuer.example';
const SECOND = 1000;
const HOUR = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const LIMITS: readonly Limit[] = [{ bucket: 'builds', name: 'app', actions: ['read', 'list'] }, { actions: ['list'] }];
const ANN: Principal = {
  kind: 'oidc',
  id: `oidc:${ISSUER}|ann`,
  oidc: { issuer: ISSUER, claims: { sub: 'ann', iss: ISSUER, groups: ['a', 'b'], exp: (START + HOUR) / 1000, iat: 1, jti: 'x' } },
};
const BUILDER: Principal = {
  kind: 'oidc',
  id: `oidc:${ISSUER}|system:serviceaccount:team-a:builder`,
  oidc: { issuer: ISSUER, claims: { sub: 'system:serviceaccount:team-a:builder' } },
  serviceAccount: { namespace: 'team-a', name: 'builder' },
  sessionExpires: START + 100 * SECOND,
};
const KEY = keyPrincipal(EXAMPLE_KEY);
const [OLD, NEW] = [ephemeralSigningKey(), ephemeralSigningKey()];
let now = START;
let trusted = true;

function tokensWith(...keys: SigningKeys): RegistryTokens {
  return createRegistryTokens({ keys, clock: () => now, trusts: (issuer) => trusted && issuer === ISSUER });
}

function knowing(...keys: readonly AccessKeyConfig[]) {
  return (accessKeyId: string) => keys.find((key) => key.accessKeyId === accessKeyId);
}

const tokens = tokensWith(NEW);
const expiring = (principal: Principal) => tokens.issue(principal, LIMITS, lookup).expires - START;
const issued = (principal: Principal, limits = LIMITS) => tokens.issue(principal, limits, lookup).token;

describe('tokens of the registry', () => {
  beforeEach(() => {
    now = START;
    trusted = true;
  });

  it('come back as whom they were made for, limited, without what was of another token alone', () => {
    const terms = { limits: LIMITS, sessionExpires: START + 300 * SECOND };
    assert.deepEqual(tokens.open(issued(ANN), lookup), {
      ...ANN,
      oidc: { issuer: ISSUER, claims: { sub: 'ann', iss: ISSUER, groups: ['a', 'b'] } },
      ...terms,
    });
    assert.deepEqual(tokens.open(issued(KEY), lookup), { ...KEY, ...terms });
    assert.deepEqual(tokens.open(issued(ANONYMOUS), lookup), { ...ANONYMOUS, ...terms });
    assert.deepEqual(tokens.open(issued(BUILDER), lookup), { ...BUILDER, limits: LIMITS });
    assert.deepEqual(tokens.open(issued(KEY, []), lookup).limits, [], 'no scopes are limits too');
  });

  it('are the same principal at every use, so that what is kept of one is found again', () => {
    const token = issued(KEY);
    assert.equal(tokens.open(token, lookup), tokens.open(token, lookup));
  });

  it('show nothing of whom they are for', () => {
    const token = issued(KEY);
    assert.ok(isRegistryToken(token));
    const bytes = Buffer.from(token.split('.')[2] ?? '', 'base64url').toString('latin1');
    for (const text of [EXAMPLE_KEY.secretAccessKey, EXAMPLE_KEY.accessKeyId, 'builds']) assert.equal(bytes.includes(text), false);
  });

  it('last five minutes, and never longer than what they were made from', () => {
    assert.equal(expiring(KEY), 300 * SECOND);
    assert.equal(expiring(ANN), 300 * SECOND);
    assert.equal(expiring(BUILDER), 100 * SECOND, 'a session');
    now = START + HOUR - 90 * SECOND;
    assert.equal(expiring(ANN), HOUR, 'an OIDC token');
  });

  it('are not made of what ends in less than a minute', async () => {
    now = START + HOUR - 60 * SECOND;
    issued(ANN);
    now += 1;
    await refused(() => issued(ANN), 'TokenExpired');
  });

  it('end', async () => {
    const token = issued(KEY);
    now = START + 300 * SECOND - 1;
    tokens.open(token, lookup);
    now += 1;
    await refused(() => tokens.open(token, lookup), 'TokenExpired');
  });

  it('end with their access key, with its secret, and with its place', async () => {
    const [token, refresh] = [issued(KEY), tokens.issueRefresh(KEY, lookup)];
    const others: readonly (readonly AccessKeyConfig[])[] = [
      [],
      [{ ...EXAMPLE_KEY, secretAccessKey: `${EXAMPLE_KEY.secretAccessKey}x` }],
      [{ ...EXAMPLE_KEY, namespace: 'team-b' }],
      [{ ...EXAMPLE_KEY, secretName: 'another' }],
    ];
    for (const keys of others) {
      await refused(() => tokens.open(token, knowing(...keys)), 'TokenInvalid');
      await refused(() => tokens.openRefresh(refresh, knowing(...keys)), 'TokenInvalid');
    }
    tokens.open(token, lookup);
    await refused(() => tokens.issue(KEY, LIMITS, knowing()), 'AccessKeyUnknown');
  });

  it('end when their issuer is trusted no longer', async () => {
    const [token, refresh] = [issued(ANN), tokens.issueRefresh(ANN, lookup)];
    tokens.open(token, lookup);
    trusted = false;
    await refused(() => tokens.open(token, lookup), 'TokenInvalid');
    await refused(() => tokens.openRefresh(refresh, lookup), 'TokenInvalid');
  });

  it('survive a rotation of the signing key, and no other key opens them', async () => {
    const token = tokensWith(OLD).issue(KEY, LIMITS, lookup).token;
    assert.deepEqual(tokensWith(NEW, OLD).open(token, lookup).limits, LIMITS);
    await refused(() => tokensWith(NEW).open(token, lookup), 'TokenInvalid');
  });

  it('of two kinds do not pass for each other, nor for a session, also when they were seen before', async () => {
    const sessions = createSessions({ keys: [NEW], clock: () => now, trusts: () => true });
    const { bearerToken, sessionToken } = sessions.issue(ANN, now + HOUR);
    const [access, refresh] = [issued(ANN), tokens.issueRefresh(ANN, lookup)];
    tokens.open(access, lookup);
    tokens.openRefresh(refresh, lookup);
    for (const other of [refresh, bearerToken, sessionToken]) {
      await refused(() => tokens.open(other, lookup), 'TokenInvalid');
      await refused(() => tokens.open(other.replace(/^bnd.1/, 'bndr1'), lookup), 'TokenInvalid');
    }
    for (const other of [access, bearerToken, sessionToken]) {
      await refused(() => tokens.openRefresh(other, lookup), 'TokenInvalid');
      await refused(() => tokens.openRefresh(other.replace(/^bnd.1/, 'bndf1'), lookup), 'TokenInvalid');
    }
    for (const use of ['bearer', 'signature'] as const) {
      for (const other of [access, refresh]) {
        await refused(() => sessions.open(other, use), 'TokenInvalid');
        await refused(() => sessions.open(other.replace(/^bnd.1/, use === 'bearer' ? 'bndb1' : 'bnds1'), use), 'TokenInvalid');
      }
    }
  });

  it('are refused where they would be too long, or could not be opened again', async () => {
    const names = (count: number, size: number) =>
      Array.from({ length: count }, (_, n): Limit => ({ bucket: 'builds', name: `${n}`.padEnd(size, 'x'), actions: ['read', 'list'] }));
    assert.equal(tokens.open(issued(KEY, names(50, 1000)), lookup).limits?.length, 50);
    await refused(() => issued(KEY, names(100, 1000)), 'InvalidRequest', /fewer scopes/);
    const random = Array.from({ length: 400 }, () => ephemeralSigningKey().secrets.toString('hex'));
    const many: Principal = { ...ANN, oidc: { issuer: ISSUER, claims: { sub: 'ann', random } } };
    await refused(() => issued(many), 'InvalidRequest', /fewer claims/);
  });

  it('open for no changed token, and fail only with an ArtefactError', () => {
    const token = issued(KEY);
    // but for the last character, which may hold bits that belong to no byte
    const place = fc.nat({ max: token.length - 2 });
    fc.assert(
      fc.property(place, fc.constantFrom(...'ABCabc019-_.'), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        if (changed !== token) assert.throws(() => tokens.open(changed, lookup), ArtefactError);
      }),
    );
    const parts = fc.tuple(fc.constantFrom('bndr1', 'bndf1'), fc.constantFrom(NEW.id, OLD.id, ''), fc.base64String());
    const texts = fc.oneof(
      fc.string(),
      parts.map((each) => each.join('.')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        assert.throws(() => tokens.open(text, lookup), ArtefactError);
        assert.throws(() => tokens.openRefresh(text, lookup), ArtefactError);
      }),
    );
  });

  describe('that refresh', () => {
    it('speak for the same identity, without limits, for 12 hours or as long as their session', async () => {
      const opened = tokens.openRefresh(tokens.issueRefresh(KEY, lookup), lookup);
      assert.deepEqual(opened, { ...KEY, sessionExpires: START + 12 * HOUR });
      assert.deepEqual(tokens.openRefresh(tokens.issueRefresh(BUILDER, lookup), lookup), BUILDER);
      const refresh = tokens.issueRefresh(ANN, lookup);
      now = START + 12 * HOUR - 60 * SECOND;
      const principal = tokens.openRefresh(refresh, lookup);
      assert.equal(tokens.issue(principal, LIMITS, lookup).expires, START + 12 * HOUR, 'an access token ends with it');
      now = START + 12 * HOUR;
      await refused(() => tokens.openRefresh(refresh, lookup), 'TokenExpired');
    });

    it('are for somebody', () => refused(() => tokens.issueRefresh(ANONYMOUS, lookup), 'AccessDenied').then(() => undefined));
  });

  it('buy nothing that would be without limits', async () => {
    const sessions = createSessions({ keys: [NEW], clock: () => now, trusts: () => true });
    const request = { method: 'GET', endpoint: 'https://store.example', bucket: 'builds', key: 'app', expiresSeconds: 60 };
    for (const principal of [ANN, KEY]) {
      const limited = tokens.open(issued(principal), lookup);
      await refused(() => tokens.issue(limited, LIMITS, lookup), 'AccessDenied');
      await refused(() => tokens.issueRefresh(limited, lookup), 'AccessDenied');
      await refused(() => sessions.issue(limited, now + HOUR), 'AccessDenied');
      await refused(() => presignAs(limited, request, { lookup, sessions }, now), 'AccessDenied');
      assert.ok(presignAs(principal, request, { lookup, sessions }, now));
    }
  });
});

describe('the authenticator, given a token of the registry', () => {
  const authenticator = createAuthenticator({
    issuers: [{ issuer: ISSUER, audiences: ['bonded'] }],
    sessionKeys: [NEW],
    clock: () => now,
  });
  const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}` });
  const ask = (headers: Record<string, string>, known = lookup) => authenticator.authenticate(head('GET', '/builds/app', headers), known);

  beforeEach(() => {
    now = START;
  });

  it('takes it as Bearer and as a password, limited', async () => {
    const { token } = authenticator.registryTokens.issue(KEY, LIMITS, lookup);
    for (const headers of [{ authorization: `Bearer ${token}` }, basic(token)]) {
      const { principal } = await ask(headers);
      assert.deepEqual([principal.id, principal.limits], [KEY.id, LIMITS]);
      await refused(() => ask(headers, knowing()), 'TokenInvalid');
    }
    now += 300 * SECOND;
    for (const headers of [{ authorization: `Bearer ${token}` }, basic(token)]) await refused(() => ask(headers), 'TokenExpired');
  });

  it('takes no refresh token', async () => {
    const refresh = authenticator.registryTokens.issueRefresh(KEY, lookup);
    await refused(() => ask({ authorization: `Bearer ${refresh}` }), 'TokenInvalid');
    await refused(() => ask(basic(refresh)), 'TokenInvalid');
    await refused(() => authenticator.logIn({ username: 'anyone', password: refresh }, lookup), 'TokenInvalid');
  });

  it('makes neither a session nor a role of it', async () => {
    for (const principal of [ANN, KEY]) {
      const { token } = authenticator.registryTokens.issue(principal, LIMITS, lookup);
      await refused(() => authenticator.startSession(token), 'TokenInvalid');
      const parameters = new Map([
        ['Action', 'AssumeRoleWithWebIdentity'],
        ['WebIdentityToken', token],
      ]);
      await refused(() => authenticator.assumeRole(parameters), 'TokenInvalid');
    }
  });
});
