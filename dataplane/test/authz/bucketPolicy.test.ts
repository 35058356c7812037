import assert from 'node:assert/strict';
import type { LoadedSnapshot } from '../../src/config/snapshot.ts';
import { ANONYMOUS } from '../../src/authn/principal.ts';
import { account, anonymous, bearer, decide, holder, house, may, root } from './house.ts';

type Elements = Readonly<Record<string, unknown>>;

const BASE = `
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
kind: Secret
metadata: { name: key, namespace: team-a }
stringData: { accessKeyId: ID-team-a-key, secretAccessKey: secret-of-key-0123456789 }
---
kind: Secret
metadata: { name: owner, namespace: team-a }
stringData: { accessKeyId: ID-team-a-owner, secretAccessKey: secret-of-owner-0123456789 }
---
kind: AccessBinding
metadata: { name: owner, namespace: team-a }
spec: { role: Owner, subjects: [{ accessKey: { secretName: owner } }] }
---
kind: AccessBinding
metadata: { name: releases, namespace: team-a }
spec: { role: Publisher, subjects: [{ accessKey: { secretName: key } }], resources: [{ bucket: builds, names: ["releases/**"] }] }
`;

function withPolicy(
  statements: Elements | readonly Elements[],
  { namespace = 'team-a', version = '2012-10-17', base = BASE } = {},
): LoadedSnapshot {
  const list = (Array.isArray(statements) ? statements : [statements]) as readonly Elements[];
  const document = {
    Version: version,
    Statement: list.map((statement) => ({
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::builds/*',
      ...statement,
    })),
  };
  return house(
    `${base}---\nkind: BucketPolicy\nmetadata: { name: p, namespace: ${namespace} }\nspec: { bucket: builds, document: ${JSON.stringify(document)} }\n`,
  );
}

const owner = holder('owner');
const key = holder('key');
const ann = bearer({ sub: 'ann', groups: ['a', 'b'] });

describe('an Allow', () => {
  it('adds to what bindings give, for just its actions, names and principals', () => {
    const snapshot = withPolicy({ Principal: { AWS: 'ID-team-a-key' }, Action: 's3:Get*', Resource: 'arn:aws:s3:::builds/public/*' });
    assert.deepEqual(
      [
        may(snapshot, key, 'read builds/public/a/b'),
        may(snapshot, key, 'read builds/private'),
        may(snapshot, key, 'delete builds/public/a'),
        may(snapshot, anonymous, 'read builds/public/a'),
      ],
      [true, false, false, false],
    );
    assert.equal(decide(snapshot, key, 'read builds/public/a').reason, 'allowed by policy team-a/p#0');
  });

  it('on everybody includes those without credentials, but never lets them administer', () => {
    const snapshot = withPolicy({ Action: 's3:*', Resource: '*' });
    assert.ok(
      may(snapshot, anonymous, 'read builds/x') && may(snapshot, anonymous, 'list builds') && may(snapshot, ann, 'administer builds'),
    );
    assert.ok(!may(snapshot, anonymous, 'administer builds'));
  });

  it('of another team is without effect', () => {
    assert.ok(!may(withPolicy({}, { namespace: 'team-b' }), anonymous, 'read builds/x'));
    assert.ok(may(withPolicy({}, { namespace: 'bonded-system' }), anonymous, 'read builds/x'));
  });

  it('for all of a bucket must cover all of it', () => {
    const question = 'delete s3:DeleteObject builds';
    assert.ok(may(withPolicy({ Action: 's3:DeleteObject' }), anonymous, question));
    assert.ok(may(withPolicy({ Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::builds*' }), anonymous, question));
    assert.ok(!may(withPolicy({ Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::builds/a*' }), anonymous, question));
  });
});

describe('a Deny', () => {
  const deny = { Effect: 'Deny', Action: 's3:DeleteObject*', Resource: 'arn:aws:s3:::builds/releases/*' };

  it('wins over every binding and every Allow, for Owners too', () => {
    const snapshot = withPolicy([{ Action: 's3:*', Resource: '*' }, deny]);
    for (const principal of [owner, root, anonymous]) {
      assert.equal(decide(snapshot, principal, 'delete builds/releases/1').reason, 'denied by policy team-a/p#1');
      assert.ok(may(snapshot, principal, 'delete builds/snapshots/1'));
    }
  });

  it("of the platform cannot be loosened by a team, and a team's holds for the platform", () => {
    assert.ok(!may(withPolicy(deny, { namespace: 'bonded-system' }), owner, 'delete builds/releases/1'));
    assert.ok(!may(withPolicy(deny), root, 'delete builds/releases/1'));
  });

  it('of another team is without effect', () => {
    assert.ok(may(withPolicy(deny, { namespace: 'team-b' }), owner, 'delete builds/releases/1'));
  });

  it('that touches anything denies what is asked for all of a bucket', () => {
    assert.ok(!may(withPolicy(deny), owner, 'delete s3:DeleteObject builds'));
    assert.ok(may(withPolicy({ ...deny, Action: 's3:GetObject' }), owner, 'delete s3:DeleteObject builds'));
    assert.ok(
      !may(
        withPolicy({ Effect: 'Deny', Action: 's3:DeleteObject', NotResource: 'arn:aws:s3:::builds/scratch/*', Resource: undefined }),
        owner,
        'delete s3:DeleteObject builds',
      ),
    );
  });

  it('locks everybody out, but the built-in Owner may always mend the policy', () => {
    const snapshot = withPolicy({ Effect: 'Deny', Action: 's3:*', Resource: '*' });
    for (const action of ['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']) {
      assert.ok(may(snapshot, root, `administer ${action} builds`), action);
      assert.ok(!may(snapshot, owner, `administer ${action} builds`), action);
    }
    assert.ok(!may(snapshot, root, 'read builds/x'));
    assert.ok(!may(snapshot, root, 'administer s3:PutBucketCORS builds'));
  });
});

describe('a bucket whose policy cannot be compiled', () => {
  const { closedBuckets: _, ...rest } = house(BASE);
  const snapshot: LoadedSnapshot = { ...rest, closedBuckets: new Map([['builds', 'why']]) };

  it('lets nobody in, but the built-in Owner to its policy', () => {
    assert.deepEqual(decide(snapshot, owner, 'read builds/x'), { allowed: false, reason: 'the bucket is closed: why' });
    assert.ok(!may(snapshot, root, 'read builds/x'));
    assert.ok(may(snapshot, root, 'administer s3:PutBucketPolicy builds'));
  });
});

describe('principals of a statement', () => {
  const allowed = (statement: Elements, principal: typeof ANONYMOUS, question = 'read builds/x'): boolean =>
    may(withPolicy(statement), principal, question);

  it('are access keys, OIDC subjects of one issuer, and roles', () => {
    const OIDC = 'https://issuer.example|ann';
    assert.deepEqual(
      [ann, bearer({ sub: 'ann' }, 'https://cluster.example'), bearer({ sub: 'bob' }), key].map((principal) =>
        allowed({ Principal: { OIDC } }, principal),
      ),
      [true, false, false, false],
    );
    assert.deepEqual(
      [key, holder('key', 'team-b'), anonymous].map((principal) => allowed({ Principal: { AWS: ['x-x', 'ID-team-a-key'] } }, principal)),
      [true, false, false],
    );
  });

  it('that are roles count on just what is asked for when they allow, and anywhere on the bucket when they deny', () => {
    const Principal = { Role: 'Publisher' };
    assert.ok(allowed({ Principal, Action: 's3:DeleteObject' }, key, 'delete builds/releases/1'));
    assert.ok(!allowed({ Principal, Action: 's3:DeleteObject' }, key, 'delete builds/other'));
    const both = withPolicy([{ Action: 's3:*' }, { Effect: 'Deny', Principal, Action: 's3:GetObject' }]);
    assert.ok(!may(both, key, 'read builds/other'));
    assert.ok(may(both, owner, 'read builds/other'));
  });

  it('that are not named are meant by NotPrincipal', () => {
    const snapshot = withPolicy([
      { Action: 's3:*' },
      { Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: 'ID-team-a-owner' }, Action: 's3:GetObject' },
    ]);
    assert.deepEqual(
      [owner, key, ann, anonymous, root].map((principal) => may(snapshot, principal, 'read builds/x')),
      [true, false, false, false, false],
    );
    const byRole = withPolicy([
      { Action: 's3:*' },
      { Effect: 'Deny', Principal: undefined, NotPrincipal: { Role: ['Publisher', 'Owner'] }, Action: 's3:GetObject' },
    ]);
    assert.deepEqual(
      [may(byRole, key, 'read builds/releases/1'), may(byRole, key, 'read builds/other'), may(byRole, owner, 'read builds/other')],
      [true, false, true],
    );
  });
});

describe('actions and resources of a statement', () => {
  it('have no case, and wildcards', () => {
    const snapshot = withPolicy({ Action: ['S3:getobject', 's3:PutObjectTag?ing'] });
    assert.deepEqual(
      ['read builds/x', 'create s3:PutObjectTagging builds/x', 'create builds/x'].map((question) => may(snapshot, anonymous, question)),
      [true, true, false],
    );
  });

  it('that are not named are meant by NotAction and NotResource', () => {
    const snapshot = withPolicy([
      { Action: 's3:*', Resource: ['arn:aws:s3:::builds', 'arn:aws:s3:::builds/*'] },
      {
        Effect: 'Deny',
        Action: undefined,
        NotAction: ['s3:GetObject', 's3:ListBucket'],
        Resource: undefined,
        NotResource: 'arn:aws:s3:::builds/scratch/*',
      },
    ]);
    const asked = ['read builds/x', 'list builds', 'delete builds/scratch/x', 'delete builds/x', 'read s3:GetBucketLocation builds'];
    assert.deepEqual(
      asked.map((question) => may(snapshot, anonymous, question)),
      [true, true, true, false, false],
    );
  });

  it('know listings by the ARN of the bucket', () => {
    const snapshot = withPolicy({
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::builds',
      Condition: { StringLike: { 's3:prefix': 'home/*' } },
    });
    assert.ok(may(snapshot, ann, 'list builds/home/ann/', { 's3:prefix': 'home/ann/' }));
    assert.ok(!may(snapshot, ann, 'list builds/etc/', { 's3:prefix': 'etc/' }));
    assert.ok(!may(snapshot, ann, 'list builds'));
  });

  it('may hold variables, whose values are never wildcards', () => {
    const snapshot = withPolicy({ Resource: "arn:aws:s3:::builds/home/${bonded:claim/name, 'guest'}/*" });
    const named = (name?: unknown): ReturnType<typeof bearer> => bearer({ sub: 'x', ...(name !== undefined && { name }) });
    assert.ok(may(snapshot, named('ann'), 'read builds/home/ann/x'));
    assert.ok(!may(snapshot, named('ann'), 'read builds/home/bob/x'));
    assert.ok(!may(snapshot, named('*'), 'read builds/home/bob/x'));
    assert.ok(may(snapshot, named('*'), 'read builds/home/*/x'));
    assert.ok(may(snapshot, named(), 'read builds/home/guest/x'));
    assert.ok(!may(snapshot, named(['ann', 'bob']), 'read builds/home/ann/x'), 'several values are none');
    assert.ok(may(withPolicy({ Resource: 'arn:aws:s3:::builds/${aws:username}' }), key, 'read builds/ID-team-a-key'));
    assert.ok(!may(withPolicy({ Resource: 'arn:aws:s3:::builds/${aws:username}' }), anonymous, 'read builds/'));
    assert.ok(may(withPolicy({ Resource: 'arn:aws:s3:::builds/${x' }, { version: '2008-10-17' }), anonymous, 'read builds/${x'));
  });
});

describe('conditions', () => {
  const holds = (
    Condition: Elements,
    context: Readonly<Record<string, string | readonly string[]>>,
    principal = ANONYMOUS,
    Action = 's3:GetObject',
  ): boolean => may(withPolicy({ Condition, Action }), principal, `read ${Action} builds/x`, context);

  const UA = 'aws:UserAgent';
  const rows: readonly (readonly [operator: string, key: string, wanted: unknown, yes: readonly string[], no: readonly string[]])[] = [
    ['StringEquals', UA, ['curl', 'wget'], ['curl', 'wget'], ['Curl', 'curl/8', '']],
    ['StringNotEquals', UA, ['curl', 'wget'], ['Curl', ''], ['curl', 'wget']],
    ['StringEqualsIgnoreCase', UA, 'cUrl', ['CURL'], ['curl/8']],
    ['StringNotEqualsIgnoreCase', UA, 'cUrl', ['curl/8'], ['CURL']],
    ['StringLike', UA, 'c?rl/*', ['curl/8', 'curl/'], ['crl/8', 'curl']],
    ['StringNotLike', UA, 'c?rl/*', ['curl'], ['curl/8']],
    [
      'ArnLike',
      UA,
      'arn:aws:iam::*:role/ci-*',
      ['arn:aws:iam::1:role/ci-a:b'],
      ['arn:aws:iam::1:2:role/ci-a', 'arn:aws:iam', 'arn:aws:sts::1:role/ci-a'],
    ],
    ['ArnNotEquals', UA, 'arn:aws:iam::*:role/ci-*', ['arn:aws:iam::1:role/x'], ['arn:aws:iam::1:role/ci-a']],
    ['NumericEquals', 's3:signatureAge', 10, ['10', '10.0'], ['11', 'x', '']],
    ['NumericNotEquals', 's3:signatureAge', 10, ['11'], ['10']],
    ['NumericLessThan', 's3:signatureAge', '10', ['9.9', '-1'], ['10', 'x']],
    ['NumericLessThanEquals', 's3:signatureAge', '10', ['10'], ['10.1']],
    ['NumericGreaterThan', 's3:signatureAge', '10', ['11'], ['10', '']],
    ['NumericGreaterThanEquals', 's3:signatureAge', '10', ['10'], ['9']],
    ['DateEquals', 'aws:CurrentTime', '2024-05-01T12:00:00Z', ['2024-05-01T14:00:00+02:00', '1714564800'], ['2024-05-01T12:00:01Z']],
    ['DateNotEquals', 'aws:CurrentTime', '2024-05-01T12:00:00Z', ['2024-05-01T12:00:01Z'], ['1714564800']],
    ['DateLessThan', 'aws:CurrentTime', '2024-05-01', ['2024-04-30T23:59:59.999Z'], ['2024-05-01T00:00:00Z', 'yesterday']],
    ['DateLessThanEquals', 'aws:CurrentTime', '2024-05-01', ['2024-05-01T00:00:00Z'], ['2024-05-01T00:00:00.001Z']],
    ['DateGreaterThan', 'aws:EpochTime', '2024-05-01T00:00:00Z', ['1714521601'], ['1714521600']],
    ['DateGreaterThanEquals', 'aws:EpochTime', '2024-05-01T00:00:00Z', ['1714521600'], ['1714521599']],
    ['Bool', 'aws:SecureTransport', true, ['true'], ['false']],
    [
      'IpAddress',
      'aws:SourceIp',
      ['10.0.0.0/8', '2001:db8::/32'],
      ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1'],
      ['11.0.0.1', '2001:db9::1', 'x'],
    ],
    ['NotIpAddress', 'aws:SourceIp', ['10.0.0.1', '10.1.0.0/16'], ['10.0.0.2'], ['10.0.0.1', '10.1.2.3', '::ffff:10.1.2.3']],
  ];
  for (const [operator, key_, wanted, yes, no] of rows) {
    it(`${operator} ${JSON.stringify(wanted)}`, () => {
      for (const value of yes) assert.ok(holds({ [operator]: { [key_]: wanted } }, { [key_]: value }), `should hold for ${value}`);
      for (const value of no) assert.ok(!holds({ [operator]: { [key_]: wanted } }, { [key_]: value }), `should not hold for ${value}`);
    });
  }

  const absent: readonly (readonly [operator: string, held: boolean])[] = [
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['StringLike', false],
    ['StringNotLike', true],
    ['StringEqualsIfExists', true],
    ['ForAnyValue:StringEquals', false],
    ['ForAnyValue:StringNotEquals', false],
    ['ForAllValues:StringEquals', true],
    ['ForAnyValue:StringEqualsIfExists', true],
  ];
  for (const [operator, held] of absent)
    it(`${operator} of a key that is not there ${held ? 'holds' : 'does not hold'}`, () =>
      assert.equal(holds({ [operator]: { [UA]: 'x' } }, {}), held));

  it('Null asks whether a key is there', () => {
    assert.deepEqual(
      [
        holds({ Null: { [UA]: 'true' } }, {}),
        holds({ Null: { [UA]: true } }, { [UA]: 'x' }),
        holds({ Null: { [UA]: 'false' } }, { [UA]: 'x' }),
      ],
      [true, false, true],
    );
  });

  it('of keys with several values go by the qualifier', () => {
    const groups = (operator: string, wanted: readonly string[]): boolean =>
      holds({ [operator]: { 'bonded:claim/groups': wanted } }, {}, ann);
    assert.deepEqual(
      [
        'ForAnyValue:StringEquals',
        'ForAllValues:StringEquals',
        'StringEquals',
        'StringNotEquals',
        'ForAnyValue:StringNotEquals',
        'ForAllValues:StringNotEquals',
      ].map((operator) => groups(operator, ['a'])),
      [true, false, true, false, true, false],
    );
    assert.ok(groups('ForAllValues:StringEquals', ['a', 'b', 'c']));
    assert.ok(groups('ForAllValues:StringNotEquals', ['c']));
  });

  it('must all hold, and each may have alternatives', () => {
    const both = { StringEquals: { [UA]: ['x', 'y'], 'aws:Referer': 'r' }, Bool: { 'aws:SecureTransport': 'true' } };
    assert.ok(holds(both, { [UA]: 'y', 'aws:referer': 'r', 'aws:SecureTransport': 'true' }));
    assert.ok(!holds(both, { [UA]: 'y', 'aws:referer': 'r', 'aws:SecureTransport': 'false' }));
    assert.ok(!holds(both, { [UA]: 'y', 'aws:SecureTransport': 'true' }));
  });

  it('know who asks from the principal alone', () => {
    const user = { StringEquals: { 'aws:username': 'ID-team-a-key' } };
    assert.ok(holds(user, {}, key));
    assert.ok(!holds(user, { 'aws:username': 'ID-team-a-key' }, anonymous));
    assert.ok(holds({ StringEquals: { 'aws:userid': 'oidc:https://issuer.example|ann', 'aws:PrincipalType': 'FederatedUser' } }, {}, ann));
    assert.ok(holds({ StringEquals: { 'aws:PrincipalType': 'Anonymous' }, Null: { 'aws:username': 'true' } }, {}, anonymous));
    assert.ok(
      holds({ StringEquals: { 'bonded:claim/Realm_Access.Roles': 'dev' } }, {}, bearer({ sub: 'x', realm_access: { roles: ['dev'] } })),
    );
    assert.ok(!holds({ StringEquals: { 'bonded:claim/sub': 'x' } }, { 'bonded:claim/sub': 'x' }, key));
    assert.ok(holds({ StringLike: { 'bonded:claim/sub': 'system:serviceaccount:ci:*' } }, {}, account('ci', 'builder')));
  });

  it('may hold variables too', () => {
    const own = { StringEquals: { [UA]: 'agent-of-${aws:username}' } };
    assert.ok(holds(own, { [UA]: 'agent-of-ID-team-a-key' }, key));
    assert.ok(!holds(own, { [UA]: 'agent-of-' }, anonymous));
    assert.ok(holds({ StringLike: { [UA]: '${*}x*' } }, { [UA]: '*xy' }));
    assert.ok(!holds({ StringLike: { [UA]: '${*}x*' } }, { [UA]: 'axy' }));
  });
});
