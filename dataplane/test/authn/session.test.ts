import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Principal } from '../../src/authn/principal.ts';
import { createSessions, isSessionKeyId, isSessionToken, sessionEnd, type Sessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey, type SigningKeys } from '../../src/authn/signingKey.ts';
import { ArtefactError } from '../../src/errors.ts';
import { refused } from './requests.ts';

const ISSUER = 'https://issuer.example';
const HOUR = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const CLAIMS = {
  sub: 'ci',
  iss: ISSUER,
  aud: 'bonded',
  groups: ['a', 'b'],
  realm_access: { roles: ['r'] },
  exp: 1,
  iat: 1,
  nbf: 1,
  jti: 'x',
  nonce: 'y',
};
const PRINCIPAL: Principal = {
  kind: 'oidc',
  id: `oidc:${ISSUER}|ci`,
  oidc: { issuer: ISSUER, claims: CLAIMS },
  serviceAccount: { namespace: 'team-a', name: 'builder' },
};
const [OLD, NEW] = [ephemeralSigningKey(), ephemeralSigningKey()];
let now = START;
let trusted = true;

function sessionsWith(...keys: SigningKeys): Sessions {
  return createSessions({ keys, clock: () => now, trusts: (issuer) => trusted && issuer === ISSUER });
}

describe('sessions', () => {
  const sessions = sessionsWith(NEW);

  beforeEach(() => {
    now = START;
    trusted = true;
  });

  it('come back as the principal they were issued for, without what was of the token alone', () => {
    const issued = sessions.issue(PRINCIPAL, now + HOUR);
    const opened = sessions.open(issued.sessionToken, 'signature');
    assert.deepEqual(opened.principal, {
      ...PRINCIPAL,
      oidc: { issuer: ISSUER, claims: { sub: 'ci', iss: ISSUER, aud: 'bonded', groups: ['a', 'b'], realm_access: { roles: ['r'] } } },
      sessionExpires: START + HOUR,
    });
    assert.equal(opened.accessKeyId, issued.accessKeyId);
    assert.equal(opened.secretAccessKey, issued.secretAccessKey);
    assert.deepEqual(sessions.open(issued.bearerToken, 'bearer').principal, opened.principal);
    assert.equal(issued.expiration, START + HOUR);
  });

  it('have keys of the form that clients expect, new ones each time', () => {
    const [one, two] = [sessions.issue(PRINCIPAL, now + HOUR), sessions.issue(PRINCIPAL, now + HOUR)];
    assert.match(one.accessKeyId, /^BSIA[A-Z2-7]{16}$/);
    assert.match(one.secretAccessKey, /^[\w-]{40}$/);
    assert.ok(isSessionKeyId(one.accessKeyId) && isSessionToken(one.sessionToken) && isSessionToken(one.bearerToken));
    assert.notEqual(one.accessKeyId, two.accessKeyId);
    assert.notEqual(one.secretAccessKey, two.secretAccessKey);
    assert.equal(one.sessionToken.includes(Buffer.from('team-a').toString('base64url')), false);
  });

  it('keep their two tokens apart: what goes with signatures proves nothing alone', async () => {
    const issued = sessions.issue(PRINCIPAL, now + HOUR);
    await refused(() => sessions.open(issued.sessionToken, 'bearer'), 'TokenInvalid');
    await refused(() => sessions.open(issued.bearerToken, 'signature'), 'TokenInvalid');
    const swapped = issued.sessionToken.replace(/^bnds1/, 'bndb1');
    await refused(() => sessions.open(swapped, 'bearer'), 'TokenInvalid');
  });

  it('end', async () => {
    const { sessionToken } = sessions.issue(PRINCIPAL, now + HOUR);
    now = START + HOUR - 1;
    sessions.open(sessionToken, 'signature');
    now += 1;
    await refused(() => sessions.open(sessionToken, 'signature'), 'TokenExpired');
  });

  it('end with the session they came from', () => {
    const issued = sessions.issue({ ...PRINCIPAL, sessionExpires: now + 1000 }, now + HOUR);
    assert.equal(issued.expiration, START + 1000);
  });

  it('end when their issuer is trusted no longer', async () => {
    const { bearerToken } = sessions.issue(PRINCIPAL, now + HOUR);
    trusted = false;
    await refused(() => sessions.open(bearerToken, 'bearer'), 'TokenInvalid');
  });

  it('survive a rotation of the signing key, and no other key opens them', async () => {
    const issued = sessionsWith(OLD).issue(PRINCIPAL, now + HOUR);
    const rotated = sessionsWith(NEW, OLD);
    assert.equal(rotated.open(issued.sessionToken, 'signature').secretAccessKey, issued.secretAccessKey);
    await refused(() => sessionsWith(NEW).open(issued.sessionToken, 'signature'), 'TokenInvalid');
    await refused(() => sessionsWith(OLD).open(rotated.issue(PRINCIPAL, now + HOUR).sessionToken, 'signature'), 'TokenInvalid');
  });

  it('last from 15 minutes to 12 hours, an hour by default', async () => {
    assert.equal(sessionEnd(START), START + HOUR);
    assert.equal(sessionEnd(START, 900), START + 900_000);
    assert.equal(sessionEnd(START, 43_200), START + 12 * HOUR);
    for (const seconds of [899, 43_201, 900.5, Number.NaN, -1])
      await refused(() => sessionEnd(START, seconds), 'InvalidArgument', /900 to 43200/);
  });

  it('are for identities of tokens only', async () => {
    await refused(() => sessions.issue({ kind: 'anonymous', id: 'anonymous' }, now + HOUR), 'AccessDenied');
    await refused(() => sessions.issue({ kind: 'accessKey', id: 'key:a' }, now + HOUR), 'AccessDenied');
  });

  it('hold many claims, and refuse too many', async () => {
    const groups = Array.from({ length: 300 }, (_, index) => `/organisation/department-${index % 10}/team-${index}`);
    const issued = sessions.issue({ ...PRINCIPAL, oidc: { issuer: ISSUER, claims: { sub: 'ci', groups } } }, now + HOUR);
    assert.deepEqual(sessions.open(issued.sessionToken, 'signature').principal.oidc?.claims, { sub: 'ci', groups });
    const random = Array.from({ length: 400 }, () => ephemeralSigningKey().secrets.toString('hex'));
    const many = { ...PRINCIPAL, oidc: { issuer: ISSUER, claims: { sub: 'ci', random } } };
    await refused(() => sessions.issue(many, now + HOUR), 'InvalidRequest', /too many claims/);
  });

  it('open for no changed token', () => {
    const { sessionToken } = sessions.issue(PRINCIPAL, now + HOUR);
    // but for the last character, which may hold bits that belong to no byte
    const place = fc.nat({ max: sessionToken.length - 2 });
    fc.assert(
      fc.property(place, fc.constantFrom(...'ABCabc019-_.'), (at, character) => {
        const changed = sessionToken.slice(0, at) + character + sessionToken.slice(at + 1);
        if (changed !== sessionToken) assert.throws(() => sessions.open(changed, 'signature'), ArtefactError);
      }),
    );
  });

  it('open for no text at all, and fail only with an ArtefactError', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom('bnds1', 'bndb1'), fc.constantFrom(NEW.id, OLD.id, ''), fc.base64String()).map((parts) => parts.join('.')),
    );
    fc.assert(fc.property(texts, (text) => assert.throws(() => sessions.open(text, 'signature'), ArtefactError)));
  });
});
