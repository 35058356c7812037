import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { createBearer, type Bearer } from '../../src/authn/bearer.ts';
import { createSessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { indexIssuers, type TrustedIssuer } from '../../src/authn/trustedIssuer.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { ONE, TWO } from '../http/certificates.ts';
import { handmade, issuerKey, sign, startIssuer, type Fault, type IssuerKey, type TestIssuer } from './issuer.ts';
import { refused } from './requests.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const TIMES = { timeout: 300, fresh: 600_000, stale: 3_600_000, cooldown: 10_000 };
const KEYS = '/realms/dev/keys';
const DISCOVERY = '/realms/dev/.well-known/openid-configuration';
let now = START;
const clock = () => now;

describe('the keys of an issuer', () => {
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

  describe('while it answers', () => {
    it('are found by discovery when the first token comes, and kept', async () => {
      assert.equal(idp.asked.size, 0);
      for (const sub of ['a', 'b', 'c']) await bearer.verify(await token({ sub }));
      assert.deepEqual([fetches(DISCOVERY), fetches(KEYS)], [1, 1]);
    });

    it('are fetched once for all who wait', async () => {
      const tokens = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((sub) => token({ sub })));
      await Promise.all(tokens.map((jwt) => bearer.verify(jwt)));
      assert.deepEqual([fetches(DISCOVERY), fetches(KEYS)], [1, 1]);
    });

    it('may be at a configured address, without discovery', async () => {
      await bearerFor({ jwksUri: `${idp.url}/keys` }).verify(await token());
      assert.deepEqual([fetches(DISCOVERY), fetches(KEYS)], [0, 1]);
    });

    it('are fetched again when they were rotated', async () => {
      const old = await token({ sub: 'old' });
      await bearer.verify(old);
      const next = await issuerKey('two');
      idp.published = [next.jwk];
      now += TIMES.cooldown;
      assert.equal((await bearer.verify(await token({}, next))).kind, 'oidc');
      assert.equal(fetches(KEYS), 2);
      // the key is gone, and so is what was remembered of its tokens
      await refused(() => bearer.verify(old), 'TokenInvalid', /does not publish/);
    });

    it('are fetched again when they are old, so that a withdrawn one is noticed', async () => {
      await bearer.verify(await token({ sub: 'a' }));
      idp.published = [(await issuerKey('two')).jwk];
      now += TIMES.fresh + 1;
      await refused(async () => bearer.verify(await token({ sub: 'b' })), 'TokenInvalid', /does not publish/);
    });

    it('are not fetched for every unknown name', async () => {
      await bearer.verify(await token());
      for (let count = 0; count < 50; count += 1) {
        const jwt = handmade(
          { alg: 'ES256', kid: `unknown-${count}` },
          { iss: idp.url, sub: 'ci', aud: 'bonded', exp: START / 1000 + 60 },
          'AAAA',
        );
        await refused(() => bearer.verify(jwt), 'TokenInvalid');
        now += 100;
      }
      assert.equal(fetches(KEYS), 1);
      now += TIMES.cooldown;
      await refused(() => bearer.verify(handmade({ alg: 'ES256', kid: 'unknown' }, { iss: idp.url }, 'AAAA')), 'TokenInvalid');
      assert.equal(fetches(KEYS), 2);
    });
  });

  describe('while it fails', () => {
    const faults: readonly Fault[] = [
      'status 500',
      'hang up',
      'silence',
      'huge',
      'redirect',
      'not JSON',
      'other issuer',
      'issuer in other letters',
    ];
    for (const fault of faults) {
      it(`make a token's answer Unavailable, and no more: ${fault}`, async () => {
        idp.fault = fault;
        const started = Date.now();
        await refused(async () => bearer.verify(await token()), 'Unavailable', /cannot be reached/);
        assert.ok(Date.now() - started < 2000);
        assert.equal(fetches('/realms/dev/elsewhere'), 0);
      });
    }

    it('are not asked for again at once, and are when it has had time', async () => {
      idp.fault = 'status 500';
      const jwt = await token();
      for (let count = 0; count < 20; count += 1) await refused(() => bearer.verify(jwt), 'Unavailable');
      assert.equal(fetches(DISCOVERY), 1);
      idp.fault = 'none';
      now += TIMES.cooldown;
      assert.equal((await bearer.verify(jwt)).kind, 'oidc');
    });

    it('stay in use for an hour', async () => {
      await bearer.verify(await token({ sub: 'a' }));
      idp.fault = 'hang up';
      now += TIMES.fresh + 1;
      assert.equal((await bearer.verify(await token({ sub: 'b' }))).id, `oidc:${idp.url}|b`);
      now += TIMES.stale;
      await refused(async () => bearer.verify(await token({ sub: 'c' })), 'Unavailable');
    });

    it('cannot tell an unknown key from a new one', async () => {
      await bearer.verify(await token());
      idp.fault = 'silence';
      now += TIMES.cooldown;
      const next = await issuerKey('two');
      await refused(async () => bearer.verify(await token({}, next)), 'Unavailable');
      assert.equal((await bearer.verify(await token({ sub: 'known key' }))).kind, 'oidc');
    });

    it('come over TLS only from a server with a certificate of its CA', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'bonded-ca-'));
      const secure = await startIssuer(ONE);
      try {
        secure.published = [key.jwk];
        const caFile = join(directory, 'ca.pem');
        const jwt = await sign(key, secure.url, {}, now);
        await writeFile(caFile, ONE.certificate);
        assert.equal((await bearerFor({ issuer: secure.url, caFile }).verify(jwt)).kind, 'oidc');
        await writeFile(caFile, TWO.certificate);
        await refused(() => bearerFor({ issuer: secure.url, caFile }).verify(jwt), 'Unavailable');
        await refused(() => bearerFor({ issuer: secure.url }).verify(jwt), 'Unavailable');
      } finally {
        await secure.stop();
        await rm(directory, { recursive: true });
      }
    });

    it('are not fetched from another origin without TLS, nor from where no web server is', async () => {
      const other = await startIssuer();
      try {
        other.published = [key.jwk];
        for (const address of [`${other.url}/keys`, 'file:///etc/passwd', 'nonsense']) {
          idp.keysAt = address;
          await refused(async () => bearerFor().verify(await token()), 'Unavailable');
        }
        assert.equal(other.asked.size, 0);
      } finally {
        await other.stop();
      }
    });

    it('of other issuers are as they were', async () => {
      const other = await startIssuer();
      try {
        other.published = [key.jwk];
        idp.fault = 'silence';
        const issuers = indexIssuers([idp, other].map(({ url }) => ({ issuer: url, audiences: ['bonded'] })));
        const sessions = createSessions({ keys: [ephemeralSigningKey()], clock, trusts: () => true });
        const both = createBearer({ issuers, sessions, clock, log: silentLog(), times: TIMES });
        const waiting = refused(async () => both.verify(await token()), 'Unavailable');
        const started = Date.now();
        assert.equal((await both.verify(await sign(key, other.url, {}, now))).kind, 'oidc');
        assert.ok(Date.now() - started < TIMES.timeout);
        await waiting;
      } finally {
        await other.stop();
      }
    });
  });
});
