import assert from 'node:assert/strict';
import type { BindingConfig } from '@bonded/crds';
import { claimSubject, indexGrants } from '../../src/config/grants.ts';

const ISSUER = 'https://issuer.example';

function binding(name: string, claims: Readonly<Record<string, readonly string[]>>): BindingConfig {
  return { namespace: `ns-${name}`, name, role: 'Reader', subjects: [{ kind: 'oidc', issuer: ISSUER, claims }] };
}

describe('the index of grants', () => {
  it('files a subject under its rarest claim, so that a common one gathers nothing', () => {
    const many = Array.from({ length: 1000 }, (_, at) => binding(`b${at}`, { ref: ['refs/heads/main'], repository_id: [String(at)] }));
    const { bySubject, claimsOfIssuer } = indexGrants(many);
    assert.equal(bySubject.get(claimSubject(ISSUER, 'ref', 'refs/heads/main')), undefined);
    const grants = [...(bySubject.get(claimSubject(ISSUER, 'repository_id', '7'))?.values() ?? [])].flat();
    assert.deepEqual(
      grants.map((grant) => grant.binding),
      ['b7'],
    );
    assert.deepEqual([...(claimsOfIssuer.get(ISSUER) ?? [])], ['repository_id']);
  });

  it('files a subject under each value of that claim, once', () => {
    const { bySubject } = indexGrants([binding('b', { groups: ['x', 'y', 'x'] })]);
    for (const value of ['x', 'y']) assert.equal(bySubject.get(claimSubject(ISSUER, 'groups', value))?.get('ns-b')?.length, 1);
  });

  it('finds nobody for a subject without claims', () => {
    assert.equal(indexGrants([binding('b', {})]).bySubject.size, 0);
  });

  it('finds a binding fast among 20,000 for 10,000 buckets', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => binding(`b${at}`, { groups: [`g${at}`], ref: ['main'] }));
    const index = indexGrants(many);
    const began = performance.now();
    for (let at = 0; at < 20_000; at += 1) assert.ok(index.bySubject.get(claimSubject(ISSUER, 'groups', `g${at}`)));
    assert.ok(performance.now() - began < 1000);
  });
});
