import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import { createBearer, type Bearer } from '../../src/authn/bearer.ts';
import { createSessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { indexIssuers, type TrustedIssuer } from '../../src/authn/trustedIssuer.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { handmade, issuerKey, sign, startIssuer, type IssuerKey, type TestIssuer } from './issuer.ts';
import { refused } from './requests.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const TIMES = { timeout: 300, fresh: 600_000, stale: 3_600_000, cooldown: 10_000 };
let now = START;
const clock = () => now;

describe('OIDC bearer tokens', () => {
  let idp: TestIssuer;
  let key: IssuerKey;
  let bearer: Bearer;

  function bearerFor(settings: Partial<TrustedIssuer> = {}): Bearer {
    const issuers = indexIssuers([{ issuer: idp.url, audiences: ['bonded', 'sts.bonded'], ...settings }]);
    const sessions = createSessions({ keys: [ephemeralSigningKey()], clock, trusts: () => true });
    return createBearer({ issuers, sessions, clock, log: silentLog(), times: TIMES });
  }

  const token = (claims: JWTPayload = {}, by: IssuerKey = key) => sign(by, idp.url, claims, now);
  const fetches = (path: string) => idp.asked.get(path) ?? 0;

  before(async () => {
    key = await issuerKey('one');
  });

  beforeEach(async () => {
    now = START;
    idp = await startIssuer();
    idp.published = [key.jwk];
    bearer = bearerFor();
  });

  afterEach(() => idp.stop());

  it('become the principal of their subject, with all their claims', async () => {
    const principal = await bearer.verify(await token({ groups: ['a'], aud: ['other', 'sts.bonded'] }));
    assert.equal(principal.kind, 'oidc');
    assert.equal(principal.id, `oidc:${idp.url}|ci`);
    assert.equal(principal.oidc?.issuer, idp.url);
    assert.deepEqual(principal.oidc.claims['groups'], ['a']);
    assert.equal(principal.serviceAccount, undefined);
  });

  it('of a cluster become service accounts', async () => {
    const cluster = bearerFor({ kubernetes: true });
    const principal = await cluster.verify(await token({ sub: 'system:serviceaccount:team-a-ci:builder' }));
    assert.deepEqual(principal.serviceAccount, { namespace: 'team-a-ci', name: 'builder' });
    assert.equal((await cluster.verify(await token({ sub: 'system:node:one' }))).serviceAccount, undefined);
    assert.equal((await bearer.verify(await token({ sub: 'system:serviceaccount:a:b' }))).serviceAccount, undefined);
  });

  for (const alg of ['RS256', 'PS384', 'ES384', 'EdDSA']) {
    it(`may be signed with ${alg}`, async () => {
      const other = await issuerKey('other', alg);
      idp.published = [key.jwk, other.jwk];
      assert.equal((await bearer.verify(await token({}, other))).kind, 'oidc');
    });
  }

  it('may name no key, where one of several fits', async () => {
    const others = await Promise.all([issuerKey('a'), issuerKey('b')]);
    idp.published = [...others, key].map(({ jwk: { kid: _, ...jwk } }) => jwk);
    const jwt = await new SignJWT({ iss: idp.url, sub: 'ci', aud: 'bonded', exp: now / 1000 + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(key.privateKey);
    assert.equal((await bearer.verify(jwt)).kind, 'oidc');
    const stranger = await issuerKey('c');
    const forged = await new SignJWT({ iss: idp.url, sub: 'ci', aud: 'bonded', exp: now / 1000 + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(stranger.privateKey);
    await refused(() => bearer.verify(forged), 'TokenInvalid', /signature/);
  });

  describe('are refused', () => {
    it('for another audience, or none', async () => {
      await refused(async () => bearer.verify(await token({ aud: 'account' })), 'TokenInvalid', /audience.*bonded or sts\.bonded/);
      await refused(async () => bearer.verify(await token({ aud: undefined })), 'TokenInvalid', /audience/);
      await refused(async () => bearer.verify(await token({ aud: [] })), 'TokenInvalid', /audience/);
    });

    it('when expired, beyond the clock skew', async () => {
      const jwt = await token({ exp: START / 1000 });
      now = START + 29_000;
      await bearer.verify(jwt);
      now = START + 31_000;
      await refused(() => bearer.verify(jwt), 'TokenExpired');
    });

    it('before their time, beyond the clock skew', async () => {
      await bearer.verify(await token({ nbf: START / 1000 + 29 }));
      await refused(async () => bearer.verify(await token({ nbf: START / 1000 + 31 })), 'TokenInvalid', /not valid yet/);
      const exact = bearerFor({ clockSkewSeconds: 0 });
      await refused(async () => exact.verify(await token({ nbf: START / 1000 + 1 })), 'TokenInvalid', /not valid yet/);
    });

    it('without an end, or a subject that can be printed', async () => {
      await refused(async () => bearer.verify(await token({ exp: undefined })), 'TokenInvalid', /exp/);
      await refused(async () => bearer.verify(await token({ sub: undefined })), 'TokenInvalid', /sub/);
      await refused(async () => bearer.verify(await token({ sub: '' })), 'TokenInvalid', /subject/);
      await refused(async () => bearer.verify(await token({ sub: 'a\nb' })), 'TokenInvalid', /subject/);
    });

    it('of an issuer that is not trusted, without connecting to anyone', async () => {
      const lookalikes = [`${idp.url}/`, idp.url.toUpperCase(), `${idp.url}?x`, 'http://169.254.169.254/latest', ''];
      for (const iss of lookalikes)
        await refused(async () => bearer.verify(await token({ iss })), 'TokenInvalid', /not trusted|names no issuer/);
      await refused(() => bearer.verify(handmade({ alg: 'ES256' }, { sub: 'ci' }, 'x')), 'TokenInvalid', /names no issuer/);
      assert.equal(idp.asked.size, 0);
    });

    it('with alg none, in any spelling, without connecting to anyone', async () => {
      for (const alg of ['none', 'None', 'NONE', '', undefined, 7, ['ES256']]) {
        const jwt = handmade({ alg, kid: 'one' }, { iss: idp.url, sub: 'ci', aud: 'bonded', exp: START / 1000 + 60 });
        await refused(() => bearer.verify(jwt), 'TokenInvalid', /must be signed with/);
      }
      assert.equal(idp.asked.size, 0);
    });

    it('signed with HS256 by the public key', async () => {
      const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
      idp.published = [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'rsa' }];
      const unsigned = handmade({ alg: 'HS256', kid: 'rsa' }, { iss: idp.url, sub: 'ci', aud: 'bonded', exp: START / 1000 + 60 }).slice(
        0,
        -1,
      );
      const pem = pair.publicKey.export({ format: 'pem', type: 'spki' });
      const signature = createHmac('sha256', pem).update(unsigned).digest('base64url');
      await refused(() => bearer.verify(`${unsigned}.${signature}`), 'TokenInvalid', /must be signed with/);
    });

    it('with an algorithm that this issuer is not configured for', async () => {
      const strict = bearerFor({ algorithms: ['RS256'] });
      await refused(async () => strict.verify(await token()), 'TokenInvalid', /must be signed with one of RS256/);
    });

    it('signed with a symmetric key that the issuer published by mistake', async () => {
      const secret = randomBytes(32);
      idp.published = [{ kty: 'oct', k: secret.toString('base64url'), kid: 'oct', alg: 'HS256' }];
      const jwt = await new SignJWT({ iss: idp.url, sub: 'ci', aud: 'bonded', exp: START / 1000 + 60 })
        .setProtectedHeader({ alg: 'HS256', kid: 'oct' })
        .sign(secret);
      await refused(() => bearer.verify(jwt), 'TokenInvalid');
    });

    it('signed with a key of another issuer under a known name', async () => {
      const forger = await issuerKey('one');
      await refused(async () => bearer.verify(await token({}, forger)), 'TokenInvalid', /signature/);
    });

    it('when changed after signing', async () => {
      const [head, , signature] = (await token()).split('.');
      const payload = Buffer.from(JSON.stringify({ iss: idp.url, sub: 'admin', aud: 'bonded', exp: START / 1000 + 60 })).toString(
        'base64url',
      );
      await refused(() => bearer.verify(`${head}.${payload}.${signature}`), 'TokenInvalid', /signature/);
    });

    it('that bring their own key or demand unknown features', async () => {
      const forger = await issuerKey('forged');
      const claims = { iss: idp.url, sub: 'ci', aud: 'bonded', exp: START / 1000 + 60 };
      const brought = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'forged', jwk: forger.jwk, jku: `${idp.url}/evil` })
        .sign(forger.privateKey);
      await refused(() => bearer.verify(brought), 'TokenInvalid');
      assert.equal(fetches('/realms/dev/evil'), 0);
      await refused(() => bearer.verify(handmade({ alg: 'ES256', kid: 'one', crit: ['x'], x: 1 }, claims, 'AAAA')), 'TokenInvalid');
    });

    it('when they are too long or no JWT at all', async () => {
      await refused(() => bearer.verify(`eyJ.${'a'.repeat(17_000)}.x`), 'TokenInvalid', /16384 bytes/);
      for (const text of [
        '',
        'x',
        'a.b',
        'a.b.c',
        'a.b.c.d',
        '....',
        'a..c',
        `${handmade({ alg: 'ES256' }, [])}`,
        'bnds1.x.y',
        'bndb1.x.y',
      ]) {
        await refused(() => bearer.verify(text), 'TokenInvalid');
      }
    });
  });

  describe('are remembered', () => {
    it('for a minute at most, and never beyond their end', async () => {
      const jwt = await token({ exp: START / 1000 + 45 });
      const first = await bearer.verify(jwt);
      now += 44_000;
      assert.equal(await bearer.verify(jwt), first);
      now += 2_000;
      assert.notEqual(await bearer.verify(jwt), first);
      const long = await token({ sub: 'long' });
      const known = await bearer.verify(long);
      now += 59_000;
      assert.equal(await bearer.verify(long), known);
      now += 2_000;
      assert.notEqual(await bearer.verify(long), known);
    });
  });

  it('come from issuers that can be enforced as configured', async () => {
    const good: TrustedIssuer = { issuer: 'https://a.example', audiences: ['bonded'] };
    assert.equal(indexIssuers([good]).size, 1);
    const bad: readonly [TrustedIssuer[], RegExp][] = [
      [[good, good], /listed twice/],
      [[{ ...good, audiences: [] }], /at least one audience/],
      [[{ ...good, algorithms: ['HS256'] }], /HS256/],
      [[{ ...good, algorithms: ['none'] }], /none/],
      [[{ ...good, issuer: 'file:///etc/passwd' }], /http or https/],
      [[{ ...good, jwksUri: 'nonsense' }], /http or https/],
      [[{ ...good, clockSkewSeconds: 3600 }], /clock skew/],
    ];
    for (const [issuers, message] of bad) await refused(() => indexIssuers(issuers), 'InvalidArgument', message);
  });
});
