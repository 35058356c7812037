import assert from 'node:assert/strict';
import type { Role } from '@bonded/crds';
import type { Principal } from '../../src/authn/principal.ts';
import type { Action } from '../../src/authz/action.ts';
import { authorise } from '../../src/authz/authorise.ts';
import { account, anonymous, bearer, decide, holder, house, may, root } from './house.ts';

const BUCKETS = `
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
kind: Bucket
metadata: { name: other, namespace: team-a }
spec: {}
---
kind: Bucket
metadata: { name: theirs, namespace: team-b }
spec: {}
`;

function binding(spec: string, namespace = 'team-a', name = 'b'): string {
  return `---\nkind: AccessBinding\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
}

function secret(name: string, namespace = 'team-a'): string {
  const keys = `{ accessKeyId: ID-${namespace}-${name}, secretAccessKey: secret-of-${name}-0123456789 }`;
  return `---\nkind: Secret\nmetadata: { name: ${name}, namespace: ${namespace} }\nstringData: ${keys}\n`;
}

const ann = bearer({ sub: 'ann', groups: ['team-a', 'devs'] });

describe('nobody', () => {
  it('may do anything without a binding or a policy', () => {
    const snapshot = house(BUCKETS);
    for (const principal of [anonymous, ann, holder('key'), account('ci', 'builder')]) {
      for (const question of [
        'read builds/x',
        'list builds',
        'create builds/x',
        'overwrite builds/x',
        'delete builds/x',
        'attach builds/x',
        'administer builds',
        'read nowhere/x',
      ]) {
        assert.ok(!may(snapshot, principal, question), `${principal.id} ${question}`);
      }
    }
  });
});

describe('the built-in Owner', () => {
  it('may do everything everywhere', () => {
    const snapshot = house(BUCKETS);
    for (const question of ['read builds/x', 'delete theirs/x', 'administer theirs', 'read nowhere/x'])
      assert.ok(may(snapshot, root, question), question);
  });
});

describe('roles', () => {
  const actions: readonly Action[] = ['read', 'list', 'create', 'overwrite', 'delete', 'attach', 'administer'];
  const table: Readonly<Record<Role, readonly Action[]>> = {
    Reader: ['read', 'list'],
    Publisher: ['read', 'list', 'create'],
    Maintainer: ['read', 'list', 'create', 'overwrite', 'delete'],
    Signer: ['read', 'list', 'attach'],
    Owner: actions,
  };
  for (const [role, allowed] of Object.entries(table)) {
    it(`${role} may ${allowed.join(', ')}`, () => {
      const snapshot = house(
        BUCKETS + binding(`{ role: ${role}, subjects: [{ oidc: { issuer: https://issuer.example, claims: { sub: [ann] } } }] }`),
      );
      for (const action of actions) {
        const question = action === 'administer' || action === 'list' ? `${action} builds` : `${action} builds/x`;
        assert.equal(may(snapshot, ann, question), allowed.includes(action), question);
      }
    });
  }
});

describe('subjects', () => {
  const rows: readonly (readonly [subject: string, yes: readonly Principal[], no: readonly Principal[]])[] = [
    [
      'oidc: { issuer: https://issuer.example, claims: { groups: [team-a, team-x] } }',
      [ann, bearer({ sub: 'b', groups: 'team-x' })],
      [bearer({ sub: 'c', groups: ['team'] }), bearer({ sub: 'd' }), anonymous],
    ],
    [
      'oidc: { issuer: https://issuer.example, claims: { groups: [team-a] } }',
      [],
      [bearer({ sub: 'ann', groups: ['team-a'] }, 'https://cluster.example')],
    ],
    [
      'oidc: { issuer: https://issuer.example, claims: { groups: [devs], sub: [ann] } }',
      [ann],
      [bearer({ sub: 'bob', groups: ['devs'] }), bearer({ sub: 'ann', groups: ['ops'] })],
    ],
    [
      'oidc: { issuer: https://issuer.example, claims: { repository_id: ["4711"], main: ["true"] } }',
      [bearer({ sub: 'x', repository_id: 4711, main: true })],
      [bearer({ sub: 'x', repository_id: 4712, main: true })],
    ],
    [
      'oidc: { issuer: https://issuer.example, claims: { realm_access.roles: [dev] } }',
      [bearer({ sub: 'x', realm_access: { roles: ['a', 'dev'] } }), bearer({ sub: 'x', 'realm_access.roles': 'dev' })],
      [
        bearer({ sub: 'x', realm_access: { roles: [['dev']] } }),
        bearer({ sub: 'x', realm_access: 'dev' }),
        bearer({ sub: 'x', roles: ['dev'] }),
      ],
    ],
    [
      'oidc: { issuer: https://issuer.example, claims: { resource_access.my.client.roles: [dev] } }',
      [bearer({ sub: 'x', resource_access: { 'my.client': { roles: ['dev'] } } })],
      [bearer({ sub: 'x', resource_access: { my: { client: {} } } })],
    ],
    ['oidc: { issuer: https://issuer.example, claims: { constructor.name: [Object] } }', [], [ann]],
    [
      'serviceAccount: { namespace: ci, name: builder }',
      [account('ci', 'builder')],
      [account('ci', 'other'), account('other', 'builder'), bearer({ sub: 'system:serviceaccount:ci:builder' })],
    ],
    ['accessKey: { secretName: key }', [holder('key')], [holder('other'), holder('key', 'team-b'), anonymous]],
    ['anonymous: {}', [anonymous, ann, holder('key'), account('ci', 'builder')], []],
  ];
  for (const [subject, yes, no] of rows) {
    it(`${subject} is about just whom it names`, () => {
      const snapshot = house(BUCKETS + secret('key') + binding(`{ role: Reader, subjects: [{ ${subject} }] }`));
      for (const principal of yes) assert.ok(may(snapshot, principal, 'read builds/x'), JSON.stringify(principal));
      for (const principal of no) assert.ok(!may(snapshot, principal, 'read builds/x'), JSON.stringify(principal));
    });
  }
});

describe('the reach of a binding', () => {
  const reader = '{ role: Reader, subjects: [{ anonymous: {} }] }';

  it('is every bucket of its namespace, and no other', () => {
    const snapshot = house(BUCKETS + binding(reader));
    assert.deepEqual(
      ['read builds/x', 'read other/x', 'read theirs/x'].map((question) => may(snapshot, anonymous, question)),
      [true, true, false],
    );
  });

  it("cannot be widened by naming another team's bucket", () => {
    const snapshot = house(BUCKETS + binding('{ role: Reader, subjects: [{ anonymous: {} }], resources: [{ bucket: theirs }] }'));
    assert.ok(!may(snapshot, anonymous, 'read theirs/x'));
  });

  it('is every bucket from the namespace of Bonded', () => {
    const snapshot = house(BUCKETS + binding(reader, 'bonded-system'));
    assert.ok(['read builds/x', 'read theirs/x'].every((question) => may(snapshot, anonymous, question)));
  });

  it('is the buckets that it names, when it names some', () => {
    const snapshot = house(BUCKETS + binding('{ role: Reader, subjects: [{ anonymous: {} }], resources: [{ bucket: builds }] }'));
    assert.deepEqual(
      ['read builds/x', 'list builds', 'read other/x'].map((question) => may(snapshot, anonymous, question)),
      [true, true, false],
    );
  });
});

describe('a binding to some names', () => {
  const snapshot = house(
    BUCKETS +
      binding('{ role: Maintainer, subjects: [{ anonymous: {} }], resources: [{ bucket: builds, names: ["releases/**", "*.txt"] }] }'),
  );
  const rows: readonly (readonly [question: string, allowed: boolean])[] = [
    ['read builds/releases/1/app', true],
    ['delete builds/releases/', true],
    ['read builds/a.txt', true],
    ['read builds/a/b.txt', false],
    ['read builds/releases', false],
    ['read builds/other', false],
    // a listing shows what lies under its prefix: all of that must be within
    ['list builds/releases/', true],
    ['list builds/releases/1/', true],
    ['list builds/releases', false],
    ['list builds/', false],
    ['list builds/a.txt', false],
    ['list s3:ListBucketVersions builds/releases/', true],
    ['list s3:ListBucketMultipartUploads builds/rel', false],
    // parts of an upload belong to one name
    ['list s3:ListMultipartUploadParts builds/a.txt', true],
    // the bucket as such is more than the names
    ['list builds', false],
    ['read s3:GetBucketLocation builds', false],
    ['delete s3:DeleteObject builds', false],
    ['administer builds', false],
  ];
  for (const [question, allowed] of rows)
    it(`${allowed ? 'allows' : 'does not allow'} ${question}`, () => assert.equal(may(snapshot, anonymous, question), allowed));
});

describe('making a bucket', () => {
  const owner = (resources = ''): string => `{ role: Owner, subjects: [{ accessKey: { secretName: key } }]${resources} }`;
  const key = holder('key');
  const create = (snapshot: Parameters<typeof decide>[0], principal: Principal, bucket: string): string | boolean => {
    const { allowed, namespace } = decide(snapshot, principal, `administer s3:CreateBucket ${bucket}`);
    return allowed && (namespace ?? 'nowhere');
  };

  it('is for an Owner of a namespace, in that namespace, also where the bucket is there already (it is then taken)', () => {
    const snapshot = house(BUCKETS + secret('key') + binding(owner()));
    assert.equal(create(snapshot, key, 'new-one'), 'team-a');
    assert.equal(create(snapshot, key, 'theirs'), 'team-a');
    assert.equal(create(snapshot, ann, 'new-one'), false);
  });

  it('is for an Owner of just that name, not of some names in it', () => {
    const snapshot = house(BUCKETS + secret('key') + binding(owner(', resources: [{ bucket: mine }, { bucket: part, names: ["**"] }]')));
    assert.deepEqual(
      ['mine', 'part', 'else'].map((bucket) => create(snapshot, key, bucket)),
      ['team-a', false, false],
    );
  });

  it('with a binding of the namespace of Bonded makes it in default', () => {
    assert.equal(create(house(BUCKETS), root, 'new-one'), 'default');
  });

  it('is not for a Maintainer, nor for anybody without credentials, whatever a policy says', () => {
    const snapshot = house(BUCKETS + secret('key') + binding(owner().replace('Owner', 'Maintainer')));
    assert.equal(create(snapshot, key, 'new-one'), false);
    assert.equal(create(snapshot, anonymous, 'new-one'), false);
  });

  it('by an Owner of several namespaces goes by name, then team, then order', () => {
    const claims = '{ role: Owner, subjects: [{ oidc: { issuer: https://issuer.example, claims: { sub: [ann] } } }]';
    const snapshot = house(
      BUCKETS +
        binding(`${claims} }`, 'bonded-system') +
        binding(`${claims} }`, 'team-b') +
        binding(`${claims} }`, 'team-a') +
        binding(`${claims}, resources: [{ bucket: named }] }`, 'team-c'),
    );
    assert.deepEqual([create(snapshot, ann, 'any-bucket'), create(snapshot, ann, 'named')], ['team-a', 'team-c']);
  });
});

describe('a bucket that is not there', () => {
  const key = holder('key');
  const told = (spec: string, namespace?: string): boolean =>
    may(house(BUCKETS + secret('key', namespace) + binding(spec, namespace)), holder('key', namespace), 'read missing/x');

  it('is told to whom it would let in, and to no other', () => {
    const subject = 'subjects: [{ accessKey: { secretName: key } }]';
    assert.ok(told(`{ role: Owner, ${subject} }`), 'who may make it');
    assert.ok(told(`{ role: Reader, ${subject}, resources: [{ bucket: missing }] }`), 'who has a binding that names it');
    assert.ok(told(`{ role: Reader, ${subject} }`, 'bonded-system'), 'who reads every bucket');
    assert.ok(!told(`{ role: Reader, ${subject} }`), 'who reads the buckets of a team');
    assert.ok(!told(`{ role: Reader, ${subject}, resources: [{ bucket: missing, names: ["y"] }] }`), 'who may not read that name');
  });

  it('looks the same as one of another team', () => {
    const snapshot = house(BUCKETS + secret('key') + binding('{ role: Reader, subjects: [{ accessKey: { secretName: key } }] }'));
    assert.deepEqual([may(snapshot, key, 'read theirs/x'), may(snapshot, key, 'read missing/x')], [false, false]);
  });
});

describe('the installation as a whole', () => {
  const over = (principal: Principal, action: Action, manifests = ''): boolean =>
    authorise(house(BUCKETS + manifests), principal, { action, s3Action: 's3:ListAllMyBuckets', resource: {} }).allowed;

  it('lists its buckets to whoever has credentials, since the answer is filtered', () => {
    assert.deepEqual([over(ann, 'list'), over(holder('key'), 'list'), over(anonymous, 'list')], [true, true, false]);
    assert.ok(!over(anonymous, 'list', binding('{ role: Reader, subjects: [{ anonymous: {} }] }', 'bonded-system')));
  });

  it('is administered by Owners of everything only', () => {
    const ofKey = (resources = ''): string => `{ role: Owner, subjects: [{ accessKey: { secretName: key } }]${resources} }`;
    assert.ok(over(root, 'administer'));
    assert.ok(over(holder('key', 'bonded-system'), 'administer', secret('key', 'bonded-system') + binding(ofKey(), 'bonded-system')));
    assert.ok(
      !over(
        holder('key', 'bonded-system'),
        'administer',
        secret('key', 'bonded-system') + binding(ofKey(', resources: [{ bucket: builds }]'), 'bonded-system'),
      ),
    );
    assert.ok(!over(holder('key'), 'administer', secret('key') + binding(ofKey())));
    assert.ok(!over(ann, 'read'));
  });
});

describe('a decision', () => {
  const snapshot = house(BUCKETS + binding('{ role: Reader, subjects: [{ anonymous: {} }] }'));

  it('has a reason for the log', () => {
    assert.deepEqual(decide(snapshot, ann, 'read builds/x'), { allowed: true, reason: 'Reader by binding team-a/b', namespace: 'team-a' });
    assert.deepEqual(decide(snapshot, ann, 'create builds/x'), { allowed: false, reason: 'no binding or policy allows it' });
  });

  it('on an action that S3 does not have is no, also for the Owner', () => {
    assert.deepEqual(decide(snapshot, root, 'read s3:Fly builds/x'), { allowed: false, reason: 'the action s3:Fly is not known' });
  });
});
