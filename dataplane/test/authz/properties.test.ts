import assert from 'node:assert/strict';
import {
  parsePolicyDocument,
  SYSTEM_NAMESPACE,
  type BindingConfig,
  type PolicyConfig,
  type Role,
  type Snapshot,
  type Subject,
} from '@bonded/crds';
import fc from 'fast-check';
import type { Principal } from '../../src/authn/principal.ts';
import { authorise, type AccessDemand } from '../../src/authz/authorise.ts';
import { indexSnapshot } from '../../src/config/snapshot.ts';
import { anonymous, bearer, holder, ISSUER } from './house.ts';

const ORIGIN = { managedBy: 'manifests', owner: 'test' } as const;
const NAMES = ['a', 'a/b', 'r/1', 'r/2/x', 'b.txt'];
const PREFIXES = ['', 'a', 'a/', 'r/', 'r/2/'];

interface Written {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: unknown;
}

const principals = fc.constantFrom(
  '*',
  { AWS: '*' },
  { AWS: ['ID-team-a-key'] },
  { OIDC: [`${ISSUER}|ann`] },
  { AWS: 'ID-team-a-key', OIDC: `${ISSUER}|ann` },
);
const actions = fc.subarray(['s3:*', '*', 's3:Get*', 's3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:DeleteObject', 's3:*Object'], {
  minLength: 1,
  maxLength: 2,
});
const resources = fc.subarray(
  ['*', 'arn:aws:s3:::builds*', 'arn:aws:s3:::builds/a*', 'arn:aws:s3:::builds/r/*', 'arn:aws:s3:::builds/?', 'arn:aws:s3:::builds/*.txt'],
  { minLength: 1, maxLength: 3 },
);
const everywhere = resources.map((some) => [...some, 'arn:aws:s3:::builds', 'arn:aws:s3:::builds/a']);
const conditions = fc.constantFrom(
  undefined,
  undefined,
  { Bool: { 'aws:SecureTransport': 'true' } },
  { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
  { Null: { 'aws:username': 'true' } },
);

const allow: fc.Arbitrary<Written> = fc.record({
  Effect: fc.constant('Allow'),
  Principal: principals,
  Action: actions,
  Resource: everywhere,
  Condition: conditions,
});
const deny: fc.Arbitrary<Written> = fc
  .record({
    who: principals,
    whoNot: fc.boolean(),
    what: actions,
    whatNot: fc.boolean(),
    where: everywhere,
    whereNot: fc.boolean(),
    Condition: conditions,
  })
  .map(({ who, whoNot, what, whatNot, where, whereNot, Condition }) => ({
    Effect: 'Deny',
    [whoNot ? 'NotPrincipal' : 'Principal']: who,
    [whatNot ? 'NotAction' : 'Action']: what,
    [whereNot ? 'NotResource' : 'Resource']: where,
    Condition,
  }));

const subject: fc.Arbitrary<Subject> = fc.constantFrom<Subject>(
  { kind: 'anonymous' },
  { kind: 'accessKey', namespace: 'team-a', secretName: 'key' },
  { kind: 'oidc', issuer: ISSUER, claims: { sub: ['ann'], group: ['a', 'b'] } },
  { kind: 'oidc', issuer: ISSUER, claims: { group: ['b'] } },
);
const binding: fc.Arbitrary<BindingConfig> = fc.record(
  {
    namespace: fc.constantFrom('team-a', 'team-b', SYSTEM_NAMESPACE),
    name: fc.constant('b'),
    subjects: fc.array(subject, { minLength: 1, maxLength: 2 }),
    role: fc.constantFrom<Role>('Reader', 'Publisher', 'Maintainer', 'Signer', 'Owner'),
    resources: fc.array(
      fc.record(
        { bucket: fc.constantFrom('builds', 'other'), names: fc.subarray(['r/**', '*', 'a/*'], { minLength: 1 }) },
        { requiredKeys: ['bucket'] },
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { requiredKeys: ['namespace', 'name', 'subjects', 'role'] },
);

const caller = fc.constantFrom<Principal>(
  anonymous,
  holder('key'),
  holder('key', 'team-b'),
  bearer({ sub: 'ann', group: 'a' }),
  bearer({ sub: 'bob', group: ['b', 'c'] }),
);
const demand = fc
  .record({
    name: fc.constantFrom(...NAMES),
    prefix: fc.constantFrom(...PREFIXES),
    secure: fc.boolean(),
    ip: fc.constantFrom('10.1.2.3', '192.0.2.1'),
    pick: fc.nat(4),
  })
  .map(({ name, prefix, secure, ip, pick }) => {
    const asked = [
      { action: 'read', s3Action: 's3:GetObject', resource: { bucket: 'builds', name } },
      { action: 'create', s3Action: 's3:PutObject', resource: { bucket: 'builds', name } },
      { action: 'delete', s3Action: 's3:DeleteObject', resource: { bucket: 'builds', name } },
      { action: 'list', s3Action: 's3:ListBucket', resource: { bucket: 'builds', name: prefix } },
      { action: 'administer', s3Action: 's3:PutBucketPolicy', resource: { bucket: 'builds' } },
    ] as const;
    const context = new Map([
      ['aws:securetransport', [String(secure)]],
      ['aws:sourceip', [ip]],
    ]);
    return { ...(asked[pick] ?? asked[0]), context };
  });

function snapshotOf(bindings: readonly BindingConfig[], statements: readonly Written[]): Snapshot {
  const bucket = {
    name: 'builds',
    namespace: 'team-a',
    origin: ORIGIN,
    location: 'default',
    versioning: 'Disabled',
    immutability: [],
    deletionPolicy: 'Retain',
    cors: [],
    tags: {},
  } as const;
  const policies = statements.map((statement, index): PolicyConfig => {
    const document = parsePolicyDocument(JSON.stringify({ Version: '2012-10-17', Statement: statement }), 'builds');
    return { namespace: 'team-a', name: `p${index}`, origin: ORIGIN, bucket: 'builds', document };
  });
  return { revision: '', buckets: [bucket], bindings, policies, accessKeys: [] };
}

interface World {
  readonly bound: readonly BindingConfig[];
  readonly written: readonly Written[];
  readonly who: Principal;
  readonly what: AccessDemand;
}

const world: fc.Arbitrary<World> = fc.record({
  bound: fc.array(binding, { maxLength: 3 }),
  written: fc.array(fc.oneof(allow, deny), { maxLength: 4 }),
  who: caller,
  what: demand,
});

function decide({ bound, written, who, what }: World): boolean {
  return authorise(indexSnapshot(snapshotOf(bound, written)), who, what).allowed;
}

describe('whatever the bindings and policies are', () => {
  it('the decision is that of a plain reading of them', () => {
    fc.assert(
      fc.property(world, (given) => assert.equal(decide(given), plainReading(given))),
      { numRuns: 3000 },
    );
  });

  it('a further Deny never lets anybody in', () => {
    fc.assert(
      fc.property(world, deny, (given, further) => {
        if (!decide(given)) assert.ok(!decide({ ...given, written: [...given.written, further] }));
      }),
      { numRuns: 1000 },
    );
  });

  it('an Allow or a binding less never lets anybody in', () => {
    fc.assert(
      fc.property(world, (given) => {
        if (decide(given)) return;
        assert.ok(!decide({ ...given, written: given.written.filter(({ Effect }) => Effect === 'Deny') }));
        assert.ok(!decide({ ...given, bound: given.bound.slice(1) }));
      }),
      { numRuns: 1000 },
    );
  });

  it('a Deny of everything to everybody denies everything', () => {
    const all: Written = { Effect: 'Deny', Principal: '*', Action: ['*'], Resource: ['*'] };
    fc.assert(fc.property(world, (given) => assert.ok(!decide({ ...given, written: [...given.written, all] }))));
  });
});

// ——— the plain reading: no indexes, no preparation, patterns by regular expressions ———

function plainReading({ bound, written, who, what }: World): boolean {
  if (who.kind === 'anonymous' && what.action === 'administer') return false;
  const applying = written.filter((statement) => statementApplies(statement, who, what));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return false;
  return applying.length > 0 || bound.some((one) => bindingAllows(one, who, what));
}

function bindingAllows(
  { namespace, subjects, role, resources: where }: BindingConfig,
  who: Principal,
  { action, resource }: AccessDemand,
): boolean {
  if (namespace === 'team-b' || !subjects.some((one) => isSubject(one, who))) return false;
  const rank: Readonly<Record<Role, string>> = {
    Reader: 'read list',
    Publisher: 'read list create',
    Maintainer: 'read list create overwrite delete',
    Signer: 'read list attach',
    Owner: 'read list create overwrite delete attach administer',
  };
  if (!rank[role].split(' ').includes(action)) return false;
  if (!where) return true;
  // as Kubernetes would not allow it: of a bucket that is named twice, the last counts
  const names = where.filter(({ bucket }) => bucket === 'builds').at(-1);
  if (!names) return false;
  if (!names.names) return true;
  if (resource.name === undefined) return false;
  const { name } = resource;
  if (action === 'list') return names.names.includes('r/**') && name.startsWith('r/');
  return names.names.some((glob) =>
    glob === 'r/**' ? name.startsWith('r/') : glob === '*' ? !name.includes('/') : /^a\/[^/]*$/.test(name),
  );
}

function isSubject(one: Subject, who: Principal): boolean {
  if (one.kind === 'anonymous') return true;
  if (one.kind === 'accessKey') return who.accessKey?.namespace === one.namespace && who.accessKey.secretName === one.secretName;
  if (one.kind !== 'oidc' || !who.oidc) return false;
  const { claims } = who.oidc;
  return Object.entries(one.claims).every(([name, values]) => [claims[name]].flat().some((value) => values.includes(String(value))));
}

function statementApplies(statement: Written, who: Principal, { s3Action, resource, context }: AccessDemand): boolean {
  const { Principal, NotPrincipal, Action, NotAction, Resource, NotResource } = statement;
  const arn = `arn:aws:s3:::builds${resource.name === undefined || s3Action === 's3:ListBucket' ? '' : `/${resource.name}`}`;
  return (
    isNamed(Principal ?? NotPrincipal, who) === (Principal !== undefined) &&
    matchesAny(Action ?? NotAction, s3Action) === (Action !== undefined) &&
    matchesAny(Resource ?? NotResource, arn) === (Resource !== undefined) &&
    conditionHolds(JSON.stringify(statement.Condition ?? {}), who, context)
  );
}

function isNamed(one: unknown, who: Principal): boolean {
  if (one === '*') return true;
  const { AWS = [], OIDC = [] } = one as { AWS?: string | string[]; OIDC?: string | string[] };
  if ([AWS].flat().includes('*')) return true;
  if (who.accessKey) return [AWS].flat().includes(who.accessKey.accessKeyId);
  return who.oidc !== undefined && [OIDC].flat().includes(`${who.oidc.issuer}|${String(who.oidc.claims.sub)}`);
}

function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  const source = (pattern: string): string => pattern.replace(/[.:/]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return patterns?.some((pattern) => new RegExp(`^${source(pattern)}$`, 'i').test(text)) === true;
}

function conditionHolds(condition: string, who: Principal, given: AccessDemand['context']): boolean {
  const context = typeof given === 'function' ? given() : given;
  if (condition.includes('SecureTransport')) return context?.get('aws:securetransport')?.[0] === 'true';
  if (condition.includes('SourceIp')) return context?.get('aws:sourceip')?.[0]?.startsWith('10.') === true;
  return !condition.includes('username') || who.accessKey === undefined;
}
