/** Tokens of the registry at the real gate, for a protocol that takes them: its one operation does what the path and the method say. */
import assert from 'node:assert/strict';
import { createAuthenticator, type Authenticator } from '../../../../src/authn/authenticate.ts';
import type { Limit, Principal } from '../../../../src/authn/principal.ts';
import { ephemeralSigningKey } from '../../../../src/authn/signingKey.ts';
import type { LoadedSnapshot } from '../../../../src/config/snapshot.ts';
import { createGate } from '../../../../src/main/gate.ts';
import { accessKeysIn } from '../../../../src/protocols/accessKeys.ts';
import type { Demand, Protocol, RequestHead } from '../../../../src/protocols/contract.ts';
import { silentLog } from '../../../../src/telemetry/log.ts';
import { bearer as ofIssuer, house, ISSUER } from '../../../authz/house.ts';
import { stage, strike } from '../../../http/stage.ts';

const PUBLISHER = `
kind: AccessBinding
metadata: { name: ci, namespace: team-a }
spec: { subjects: [{ accessKey: { secretName: ci } }, { oidc: { issuer: '${ISSUER}', claims: { sub: [ci] } } }], role: Publisher }
`;
const OPEN = `
kind: AccessBinding
metadata: { name: everybody, namespace: team-a }
spec: { subjects: [{ anonymous: {} }], role: Reader, resources: [{ bucket: builds, names: [open] }] }
`;

/** The configuration with these bindings, and the key's secret. */
function snapshotOf(bindings: string, secret = 'secret-of-ci-0123456789abcdef'): LoadedSnapshot {
  return house(`
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
kind: Secret
metadata: { name: ci, namespace: team-a }
stringData: { accessKeyId: ID-ci, secretAccessKey: ${secret} }
---
${bindings}`);
}

const CI: Principal = { kind: 'accessKey', id: 'key:ID-ci', accessKey: { accessKeyId: 'ID-ci', namespace: 'team-a', secretName: 'ci' } };
const JOB: Principal = ofIssuer({ sub: 'ci' });
const PULL_PUSH: readonly Limit[] = [{ bucket: 'builds', name: 'app', actions: ['read', 'list', 'create', 'overwrite'] }];
const ACTIONS: Readonly<Record<string, Demand['action']>> = { GET: 'read', PUT: 'create', DELETE: 'delete', POST: 'overwrite' };

function shelf(takesLimited: boolean): Protocol {
  const operation = {
    name: 'shelf.Do',
    authenticates: 'request',
    demands: ({ method, rawPath }: RequestHead): readonly Demand[] => {
      const [, bucket = '', ...name] = rawPath.split('/');
      return [{ action: ACTIONS[method] ?? 'administer', s3Action: 's3:GetObject', resource: { bucket, name: name.join('/') } }];
    },
    handle: async () => ({ status: 200, body: 'done' }),
  } as const;
  return {
    name: 'shelf',
    takesLimited,
    recognise: () => ({ operation, params: undefined }),
    renderError: ({ code }) => ({ status: 403, body: code }),
  };
}

describe('a token of the registry, used', () => {
  let now: number;
  let snapshot: LoadedSnapshot;
  let authenticator: Authenticator;
  /** What a request with the token comes to: `done`, or the error. */
  let use: (token: string, method: string, path: string, scheme?: string) => Promise<string>;
  const issue = (principal: Principal, limits: readonly Limit[] = PULL_PUSH) =>
    authenticator.registryTokens.issue(principal, limits, accessKeysIn(snapshot)).token;

  beforeEach(async () => {
    now = Date.now();
    snapshot = snapshotOf(`${PUBLISHER}---${OPEN}`);
    const issuers = [{ issuer: ISSUER, audiences: ['bonded'] }];
    authenticator = createAuthenticator({ issuers, sessionKeys: [ephemeralSigningKey()], clock: () => now });
    const mounts = [{ path: '/closed', protocol: shelf(false) }, { protocol: shelf(true) }];
    const gate = createGate(authenticator, silentLog());
    const { port } = await stage({ gate, snapshot: () => snapshot }, { mounts });
    use = async (token, method, path, scheme = 'Bearer') => {
      const authorization = scheme === 'Bearer' ? `Bearer ${token}` : `Basic ${Buffer.from(`x:${token}`).toString('base64')}`;
      return (await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization } })).text();
    };
  });
  afterEach(strike);

  it('does what its scopes and its owner’s bindings both allow', async () => {
    for (const token of [issue(CI), issue({ ...JOB, sessionExpires: now + 90_000 })]) {
      for (const scheme of ['Bearer', 'Basic']) {
        assert.equal(await use(token, 'GET', '/builds/app', scheme), 'done');
        assert.equal(await use(token, 'PUT', '/builds/app', scheme), 'done');
        assert.equal(await use(token, 'POST', '/builds/app', scheme), 'AccessDenied', 'a Publisher overwrites nothing');
        for (const path of ['/builds/app/web', '/builds/ap', '/builds/application', '/builds/open', '/builds/', '/other/app'])
          assert.equal(await use(token, 'GET', path, scheme), 'AccessDenied', path);
        assert.equal(await use(token, 'DELETE', '/builds/app', scheme), 'AccessDenied');
        assert.equal(await use(token, 'GET', '/closed/app', scheme), 'AccessDenied');
      }
    }
    assert.equal(await use(issue(CI, []), 'GET', '/builds/app'), 'AccessDenied');
  });

  it('of nobody in particular does what anybody may', async () => {
    const token = issue({ kind: 'anonymous', id: 'anonymous' }, [
      { bucket: 'builds', name: 'open', actions: ['read', 'create'] },
      ...PULL_PUSH,
    ]);
    assert.equal(await use(token, 'GET', '/builds/open'), 'done');
    assert.equal(await use(token, 'PUT', '/builds/open'), 'AccessDenied');
    assert.equal(await use(token, 'GET', '/builds/app'), 'AccessDenied');
  });

  it('loses what its owner loses, at once', async () => {
    const [token, ofJob] = [issue(CI), issue(JOB)];
    for (const each of [token, ofJob]) assert.equal(await use(each, 'PUT', '/builds/app'), 'done');
    snapshot = snapshotOf(PUBLISHER.replace('Publisher', 'Reader'));
    for (const each of [token, ofJob]) {
      assert.equal(await use(each, 'PUT', '/builds/app'), 'AccessDenied');
      assert.equal(await use(each, 'GET', '/builds/app'), 'done');
    }
    snapshot = snapshotOf(OPEN);
    assert.equal(await use(ofJob, 'GET', '/builds/app'), 'AccessDenied');
    assert.equal(await use(token, 'GET', '/builds/app'), 'TokenInvalid', 'a key that no binding names is none');
    snapshot = snapshotOf(PUBLISHER, 'another-secret-0123456789abcdef');
    assert.equal(await use(token, 'GET', '/builds/app'), 'TokenInvalid', 'the key has another secret');
    snapshot = house('kind: Bucket\nmetadata: { name: builds, namespace: team-a }\nspec: {}');
    assert.equal(await use(token, 'GET', '/builds/app'), 'TokenInvalid', 'the key is gone');
  });

  it('gains nothing that its owner gains', async () => {
    const token = issue(CI);
    snapshot = snapshotOf(PUBLISHER.replace('Publisher', 'Owner'));
    assert.equal(await use(token, 'POST', '/builds/app'), 'done', 'within its scopes');
    assert.equal(await use(token, 'DELETE', '/builds/app'), 'AccessDenied');
    assert.equal(await use(token, 'PATCH', '/builds/app'), 'AccessDenied');
  });

  it('is refused past its time, changed, or of another kind, and never taken for none', async () => {
    const token = issue(CI, [{ bucket: 'builds', name: 'open', actions: ['read'] }]);
    const refresh = authenticator.registryTokens.issueRefresh(CI, accessKeysIn(snapshot));
    const middle = token.length >> 1;
    const bad = {
      changed: `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`,
      cut: token.slice(0, -4),
      'a refresh token': refresh,
      'a refresh token by another name': refresh.replace('bndf1', 'bndr1'),
      'by the name of a session': token.replace('bndr1', 'bndb1'),
    };
    for (const scheme of ['Bearer', 'Basic']) {
      assert.equal(await use(token, 'GET', '/builds/open', scheme), 'done');
      for (const [what, text] of Object.entries(bad)) assert.equal(await use(text, 'GET', '/builds/open', scheme), 'TokenInvalid', what);
    }
    now += 300_000;
    for (const scheme of ['Bearer', 'Basic']) assert.equal(await use(token, 'GET', '/builds/open', scheme), 'TokenExpired');
  });
});
