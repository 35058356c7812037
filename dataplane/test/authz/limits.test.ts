import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Limit, LimitedAction, Principal } from '../../src/authn/principal.ts';
import type { Action } from '../../src/authz/action.ts';
import { authorise } from '../../src/authz/authorise.ts';
import { withinLimits, withoutLimits } from '../../src/authz/limits.ts';
import { bucketsVisibleTo } from '../../src/authz/visible.ts';
import { anonymous, decide, holder, house, may, root } from './house.ts';

const SNAPSHOT = house(`
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
kind: Bucket
metadata: { name: other, namespace: team-a }
spec: {}
---
kind: Secret
metadata: { name: reader, namespace: team-a }
stringData: { accessKeyId: ID-team-a-reader, secretAccessKey: secret-of-reader-0123456789 }
---
kind: AccessBinding
metadata: { name: readers, namespace: team-a }
spec: { subjects: [{ accessKey: { secretName: reader } }], role: Reader, resources: [{ bucket: builds }] }
---
kind: AccessBinding
metadata: { name: everybody, namespace: team-a }
spec: { subjects: [{ anonymous: {} }], role: Reader, resources: [{ bucket: builds, names: ['open/**'] }] }
`);

const limited = (principal: Principal, ...limits: readonly Limit[]): Principal => ({ ...principal, limits });
const APP: Limit = { bucket: 'builds', name: 'app', actions: ['read', 'list', 'create'] };

describe('a principal with limits', () => {
  it('may what it may, where the limits have it', () => {
    const owner = limited(root, APP);
    for (const question of ['read builds/app', 'create builds/app', 'list builds/app']) assert.ok(may(SNAPSHOT, owner, question), question);
    assert.equal(may(SNAPSHOT, limited(holder('reader'), APP), 'read builds/app'), true);
    assert.equal(may(SNAPSHOT, limited(holder('reader'), APP), 'create builds/app'), false, 'limits give nothing');
    assert.equal(
      may(SNAPSHOT, limited(anonymous, { bucket: 'builds', name: 'open/app', actions: ['read'] }), 'read builds/open/app'),
      true,
    );
  });

  it('may nothing else, not even the Owner', () => {
    const owner = limited(root, APP, { actions: ['list'] }, { bucket: 'builds', actions: ['list'] });
    const questions = [
      ...['read builds/application', 'read builds/app/web', 'read builds/ap', 'read builds', 'read other/app', 'overwrite builds/app'],
      ...['delete builds/app', 'attach builds/app', 'administer builds', 'administer s3:GetBucketPolicy builds'],
      ...['list builds', 'list builds/ap', 'list builds/app/', 'list other/app'],
      ...['administer s3:CreateBucket new', 'delete s3:DeleteBucket builds', 'read absent/app'],
    ];
    for (const question of questions) {
      assert.ok(may(SNAPSHOT, root, question), `${question} without limits`);
      assert.match(decide(SNAPSHOT, owner, question).reason, /token is not good for it/, question);
    }
    const administer = { action: 'administer', s3Action: 'bonded:AdministerInstallation', resource: {} } as const;
    assert.equal(authorise(SNAPSHOT, root, administer).allowed, true);
    assert.equal(authorise(SNAPSHOT, owner, administer).allowed, false);
  });

  it('may list the installation only where a limit is about it', () => {
    const list = { action: 'list', s3Action: 's3:ListAllMyBuckets', resource: {} } as const;
    assert.equal(authorise(SNAPSHOT, limited(root, APP), list).allowed, false);
    assert.equal(authorise(SNAPSHOT, limited(root, { actions: ['list'] }), list).allowed, true);
    assert.equal(authorise(SNAPSHOT, limited(anonymous, { actions: ['list'] }), list).allowed, false);
  });

  it('sees no buckets', () => {
    const names = (principal: Principal) => bucketsVisibleTo(SNAPSHOT, principal).map(({ name }) => name);
    assert.deepEqual(names(root), ['builds', 'other']);
    for (const limits of [[], [APP], [{ actions: ['list'] }]] as const) assert.deepEqual(names(limited(root, ...limits)), []);
  });

  it('is told apart by whether a wider token could help', () => {
    const demand = { action: 'create', s3Action: 's3:PutObject', resource: { bucket: 'builds', name: 'app' } } as const;
    assert.equal(withinLimits(root, demand), true);
    assert.equal(withinLimits(limited(holder('reader'), APP), demand), true, 'none could');
    assert.equal(withinLimits(limited(root, { ...APP, actions: ['read'] }), demand), false);
    assert.equal(withinLimits(limited(root), demand), false);
    assert.deepEqual(withoutLimits(limited(root, APP)), root);
  });

  it('never may what it may not without them, nor what they do not name', () => {
    const action = fc.constantFrom<LimitedAction>('read', 'list', 'create', 'overwrite', 'delete');
    const bucket = fc.constantFrom('builds', 'other', 'absent');
    const name = fc.constantFrom('app', 'app/web', 'open/app', 'a', '');
    const limits = fc.array(fc.record({ bucket, name, actions: fc.array(action, { maxLength: 3 }) }), { maxLength: 4 });
    const s3Action = fc.constantFrom(
      ...[
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:ListBucket',
        's3:PutBucketPolicy',
        's3:DeleteBucket',
        's3:CreateBucket',
        'x:y',
      ],
    );
    const demands = fc.record({
      action: fc.constantFrom<Action>('read', 'list', 'create', 'overwrite', 'delete', 'attach', 'administer'),
      s3Action,
      resource: fc.record({ bucket, name }, { requiredKeys: [] }),
    });
    const principals = fc.constantFrom(root, holder('reader'), anonymous);
    let allowed = 0;
    fc.assert(
      fc.property(principals, limits, demands, (principal, list, demand) => {
        const with_ = authorise(SNAPSHOT, limited(principal, ...list), demand).allowed;
        const named = list.some(
          (limit) =>
            limit.bucket === demand.resource.bucket &&
            limit.name === demand.resource.name &&
            (limit.actions as readonly Action[]).includes(demand.action),
        );
        if (with_) assert.ok(named && authorise(SNAPSHOT, principal, demand).allowed);
        allowed += Number(with_);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(allowed > 20, `only ${allowed} were allowed: that shows nothing`);
  });
});
