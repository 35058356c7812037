import assert from 'node:assert/strict';
import type { Principal } from '../../src/authn/principal.ts';
import { bucketsVisibleTo } from '../../src/authz/visible.ts';
import { anonymous, bearer, holder, house, root } from './house.ts';

const BASE =
  ['aaa', 'bbb', 'ccc'].map((name) => `kind: Bucket\nmetadata: { name: ${name}, namespace: team-a }\nspec: {}\n---\n`).join('') +
  'kind: Bucket\nmetadata: { name: ddd, namespace: team-b }\nspec: {}\n';

const ann = bearer({ sub: 'ann' });

function binding(resources: string, namespace = 'team-a'): string {
  return `---\nkind: AccessBinding\nmetadata: { name: b, namespace: ${namespace} }\nspec: { role: Reader, subjects: [{ oidc: { issuer: https://issuer.example, claims: { sub: [ann] } } }]${resources} }\n`;
}

function policy(bucket: string, statement: object, name = 'p'): string {
  const document = { Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*', ...statement } };
  return `---\nkind: BucketPolicy\nmetadata: { name: ${name}, namespace: team-a }\nspec: { bucket: ${bucket}, document: ${JSON.stringify(document)} }\n`;
}

function visible(manifests: string, principal: Principal = ann): string {
  return bucketsVisibleTo(house(BASE + manifests), principal)
    .map(({ name }) => name)
    .join(' ');
}

describe('the buckets that one sees', () => {
  it('are none without a binding', () => {
    assert.deepEqual([visible(''), visible('', anonymous), visible('', holder('key'))], ['', '', '']);
  });

  it('are all for the built-in Owner', () => assert.equal(visible('', root), 'aaa bbb ccc ddd'));

  it('are those that a binding reaches, also for some names only', () => {
    assert.equal(visible(binding('')), 'aaa bbb ccc');
    assert.equal(visible(binding(', resources: [{ bucket: bbb, names: ["x/**"] }, { bucket: ddd }]')), 'bbb');
    assert.equal(visible(binding('', 'bonded-system')), 'aaa bbb ccc ddd');
  });

  it('are those too in which a policy lets one list, or read something', () => {
    assert.equal(visible(policy('bbb', { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::bbb' })), 'bbb');
    assert.equal(
      visible(policy('ccc', { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::ccc/public/*' }), anonymous),
      'ccc',
    );
    assert.equal(visible(policy('ccc', { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::ccc/*' })), '');
  });

  it('are not those in which everything is denied', () => {
    assert.equal(visible(binding('') + policy('bbb', {})), 'aaa ccc');
    assert.equal(visible(binding('') + policy('bbb', { Action: ['s3:GetObject'], Resource: 'arn:aws:s3:::bbb/secret/*' })), 'aaa bbb ccc');
    assert.equal(visible(binding('') + policy('bbb', { Action: ['s3:ListBucket'], Resource: 'arn:aws:s3:::bbb' })), 'aaa bbb ccc');
  });

  it('are not those that are closed', () => {
    const snapshot = { ...house(BASE + binding('')), closedBuckets: new Map([['aaa', 'why']]) };
    assert.deepEqual(
      bucketsVisibleTo(snapshot, ann).map(({ name }) => name),
      ['bbb', 'ccc'],
    );
  });
});
