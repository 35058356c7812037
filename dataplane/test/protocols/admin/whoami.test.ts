import assert from 'node:assert/strict';
import type { BindingConfig } from '@bonded/crds';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import { BOB, createStage, NO_ACCESS, NOW } from './stage.ts';

describe('whoami in the JSON API', () => {
  it('describes an access key, and the bindings that name it', async () => {
    const binding = { namespace: 'team-a', name: 'ci', role: 'Publisher', resources: [{ bucket: 'builds', names: ['r/**'] }] } as const;
    const about: BindingConfig = { ...binding, subjects: [{ kind: 'accessKey', namespace: 'team-a', secretName: 'alice' }] };
    const stage = createStage({ access: { ...NO_ACCESS, bindingsOf: ({ id }) => (id === 'key:ALICE' ? [about] : []) } });
    assert.deepEqual((await stage.send('GET', '/api/v1/whoami')).json, {
      id: 'key:ALICE',
      kind: 'accessKey',
      accessKeyId: 'ALICE',
      bindings: [binding],
    });
  });

  it('describes a token by issuer and claims, shortened, without what could find the token again', async () => {
    const stage = createStage();
    const claims = {
      sub: 'bob',
      jti: 'abc',
      nonce: 'n',
      groups: Array(200).fill('g'),
      realm_access: { roles: ['admin'] },
      long: 'x'.repeat(1000),
      deep: { a: { b: { c: { d: 1 } } } },
    };
    stage.principal = {
      ...BOB,
      oidc: { issuer: 'https://issuer.test', claims },
      sessionExpires: NOW,
      serviceAccount: { namespace: 'ci', name: 'builder' },
    };
    const { json } = await stage.send('GET', '/api/v1/whoami');
    assert.deepEqual([json.kind, json.issuer, json.sessionExpires], ['oidc', 'https://issuer.test', new Date(NOW).toISOString()]);
    assert.deepEqual(json.serviceAccount, { namespace: 'ci', name: 'builder' });
    assert.deepEqual([json.claims.sub, json.claims.jti, json.claims.nonce], ['bob', undefined, undefined]);
    assert.deepEqual(json.claims.realm_access, { roles: ['admin'] });
    assert.deepEqual([json.claims.groups.length, json.claims.long.length], [100, 513]);
    assert.ok(JSON.stringify(json.claims.deep).includes('…'));
  });

  it('answers anyone', async () => {
    const stage = createStage();
    stage.principal = ANONYMOUS;
    stage.may = () => false;
    assert.deepEqual((await stage.send('GET', '/api/v1/whoami')).json, { id: 'anonymous', kind: 'anonymous', bindings: [] });
  });
});
