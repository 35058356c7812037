import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compile } from '../src/compile.ts';
import type { CompileOptions } from '../src/compileOptions.ts';
import type { SourcedResource } from '../src/resource.ts';
import { withBuiltInOwner } from '../src/seal.ts';
import { ROOT_NAME, SYSTEM_NAMESPACE } from '../src/snapshot.ts';
import { admitted, type Fields } from './resources.ts';

const OPTIONS: CompileOptions = {
  issuers: [{ issuer: 'https://issuer.example' }, { issuer: 'https://cluster.example', kubernetes: true }],
  locations: ['default'],
};
const SYSTEM = { namespace: SYSTEM_NAMESPACE };
const OTHER = { namespace: 'team-b' };
const ROOT = { accessKeyId: 'BONDEDROOT', secretAccessKey: 'r'.repeat(40) };

const bucket = (name: string, spec: Fields = {}, metadata: Fields = {}): SourcedResource => admitted('Bucket', name, spec, metadata);
const binding = (name: string, spec: Fields, metadata: Fields = {}): SourcedResource =>
  admitted('AccessBinding', name, { role: 'Reader', subjects: [{ anonymous: {} }], ...spec }, metadata);
const secret = (name: string, stringData: Fields, metadata: Fields = {}): SourcedResource =>
  admitted('Secret', name, { stringData }, metadata);
const policy = (name: string, of: string, metadata: Fields = {}): SourcedResource => {
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' };
  return admitted('BucketPolicy', name, { bucket: of, document: { Statement } }, metadata);
};
const keyOf = (secretName: string): Fields => ({ subjects: [{ accessKey: { secretName } }] });
const KEY = { accessKeyId: 'KEYA', secretAccessKey: 'secret-of-key-a-0123' };

function outcome(resources: readonly SourcedResource[], options: Partial<CompileOptions> = {}): Record<string, string> {
  const { conditions } = compile(resources, { ...OPTIONS, ...options });
  return Object.fromEntries(
    conditions.map(({ kind, namespace, name, ready, reason }) => [`${kind} ${namespace}/${name}`, `${ready} ${reason}`]),
  );
}

/** Breaks what its schema admitted, as a resource that no longer fits could be. */
function broken(sourced: SourcedResource): SourcedResource {
  const { resource, origin } = sourced;
  assert.ok(resource.kind === 'BucketPolicy');
  return { origin, resource: { ...resource, spec: { ...resource.spec, document: { Statement: [{ Effect: 'Deny' }] } } } };
}

describe('compiling buckets', () => {
  it('takes the name on the wire from the resource, or its spec', () => {
    const { snapshot } = compile(
      [bucket('a-bucket'), bucket('res', { name: 'wire', versioning: 'Enabled', immutability: [{ match: 'r/**' }] })],
      OPTIONS,
    );
    assert.deepEqual(
      snapshot.buckets.map(({ name, resource, versioning, immutability }) => [name, resource, versioning, immutability]),
      [
        ['a-bucket', 'a-bucket', 'Disabled', []],
        ['wire', 'res', 'Enabled', ['r/**']],
      ],
    );
  });

  it('leaves a name with the older of two, whatever order they come in', () => {
    const older = bucket('builds', {}, { creationTimestamp: '2024-01-01T00:00:00Z' });
    const younger = bucket('mine', { name: 'builds' }, { ...OTHER, creationTimestamp: '2024-01-02T00:00:00Z' });
    for (const resources of [
      [older, younger],
      [younger, older],
    ]) {
      assert.deepEqual(outcome(resources), { 'Bucket team-a/builds': 'true InForce', 'Bucket team-b/mine': 'false NameTaken' });
      assert.deepEqual(
        compile(resources, OPTIONS).snapshot.buckets.map(({ namespace }) => namespace),
        ['team-a'],
      );
    }
  });

  it('leaves a name with who holds it, whatever age another claims', () => {
    const holder = bucket('mine', { name: 'builds' }, { ...OTHER, creationTimestamp: '2024-01-02T00:00:00Z' });
    const previous = compile([holder], OPTIONS).snapshot;
    const claimant = bucket('builds', {}, { creationTimestamp: '1999-01-01T00:00:00Z' });
    assert.deepEqual(outcome([claimant, holder], { previous }), {
      'Bucket team-a/builds': 'false NameTaken',
      'Bucket team-b/mine': 'true InForce',
    });
  });

  it('tells nothing of whoever has the name', () => {
    const { conditions } = compile([bucket('builds'), bucket('mine', { name: 'builds' }, OTHER)], OPTIONS);
    assert.ok(!conditions.find(({ name }) => name === 'mine')?.message.includes('team-a'));
  });

  it('keeps a bucket that is being deleted out, and its name with it', () => {
    const leaving = bucket('builds', {}, { deletionTimestamp: '2024-01-01T00:00:00Z' });
    assert.deepEqual(outcome([leaving, bucket('mine', { name: 'builds' }, { ...OTHER, creationTimestamp: '2024-01-01T00:00:00Z' })]), {
      'Bucket team-a/builds': 'false Deleting',
      'Bucket team-b/mine': 'false NameTaken',
    });
  });

  it('refuses a location that is not there, which holds up nothing else', () => {
    assert.deepEqual(outcome([bucket('far', { location: 'moon' }), bucket('near')]), {
      'Bucket team-a/far': 'false LocationUnknown',
      'Bucket team-a/near': 'true InForce',
    });
  });
});

describe('compiling bindings', () => {
  it('refuses an issuer that is not trusted, and the whole binding with it', () => {
    const subjects = [{ anonymous: {} }, { oidc: { issuer: 'https://evil.example', claims: { sub: ['x'] } } }];
    const { snapshot } = compile([binding('b', { subjects })], OPTIONS);
    assert.deepEqual(snapshot.bindings, []);
    assert.deepEqual(outcome([binding('b', { subjects })]), { 'AccessBinding team-a/b': 'false IssuerNotTrusted' });
  });

  it('refuses service accounts where no cluster is trusted', () => {
    const accounts = binding('b', { subjects: [{ serviceAccount: { namespace: 'ci', name: 'builder' } }] });
    assert.deepEqual(outcome([accounts], { issuers: [{ issuer: 'https://issuer.example' }] }), {
      'AccessBinding team-a/b': 'false IssuerNotTrusted',
    });
    assert.deepEqual(outcome([accounts]), { 'AccessBinding team-a/b': 'true InForce' });
  });

  it('takes access keys out of Secrets of its own namespace', () => {
    const { snapshot } = compile([binding('b', keyOf('key')), secret('key', KEY), secret('unused', { accessKeyId: 'x' })], OPTIONS);
    assert.deepEqual(snapshot.accessKeys, [{ namespace: 'team-a', secretName: 'key', ...KEY }]);
    assert.deepEqual(outcome([binding('b', keyOf('key')), secret('key', KEY, OTHER)]), { 'AccessBinding team-a/b': 'false SecretMissing' });
  });

  const malformed: readonly (readonly [what: string, data: Fields])[] = [
    ['no id', { secretAccessKey: KEY.secretAccessKey }],
    ['no secret', { accessKeyId: 'KEYA' }],
    ['an id with a slash', { ...KEY, accessKeyId: 'KEY/A' }],
    ['a short secret', { ...KEY, secretAccessKey: 'short' }],
    ['a secret with a line break', { ...KEY, secretAccessKey: `${KEY.secretAccessKey}\n` }],
  ];
  for (const [what, data] of malformed) {
    it(`refuses a Secret with ${what}, without telling the secret`, () => {
      const { conditions, snapshot } = compile([binding('b', keyOf('key')), secret('key', data)], OPTIONS);
      assert.equal(conditions[0]?.reason, 'SecretInvalid');
      assert.deepEqual(snapshot.accessKeys, []);
      assert.ok(!JSON.stringify(conditions).includes(KEY.secretAccessKey));
    });
  }

  it('leaves an access key id with the older Secret, and none with the id of the built-in Owner', () => {
    const resources = [
      binding('a', keyOf('key')),
      secret('key', KEY, { creationTimestamp: '2024-01-01T00:00:00Z' }),
      binding('b', keyOf('key'), OTHER),
      secret('key', { ...KEY, secretAccessKey: 'another-secret-0123' }, { ...OTHER, creationTimestamp: '2024-01-02T00:00:00Z' }),
    ];
    assert.deepEqual(outcome(resources), { 'AccessBinding team-a/a': 'true InForce', 'AccessBinding team-b/b': 'false AccessKeyTaken' });
    assert.equal(outcome(resources, { reservedAccessKeys: ['KEYA'] })['AccessBinding team-a/a'], 'false AccessKeyTaken');
    const previous = compile(resources.slice(2), OPTIONS).snapshot;
    assert.equal(outcome(resources, { previous })['AccessBinding team-a/a'], 'false AccessKeyTaken');
  });

  it('says which buckets are not in reach, and is in force all the same', () => {
    const resources = [
      bucket('builds'),
      bucket('theirs', {}, OTHER),
      binding('b', { resources: [{ bucket: 'builds' }, { bucket: 'theirs' }] }),
    ];
    const { snapshot, conditions } = compile(resources, OPTIONS);
    assert.equal(snapshot.bindings.length, 1);
    assert.match(conditions[0]?.message ?? '', /no bucket theirs;/);
    assert.deepEqual(
      outcome([bucket('theirs', {}, OTHER), binding('b', { resources: [{ bucket: 'theirs' }] }, SYSTEM)])['AccessBinding bonded-system/b'],
      'true InForce',
    );
  });
});

describe('compiling policies', () => {
  it('reaches the buckets of its own namespace, and every one from the namespace of Bonded', () => {
    const resources = [bucket('builds'), policy('own', 'builds'), policy('theirs', 'builds', OTHER), policy('platform', 'builds', SYSTEM)];
    const { snapshot } = compile(resources, OPTIONS);
    assert.deepEqual(
      snapshot.policies.map(({ namespace, name, bucket: of }) => [namespace, name, of]),
      [
        ['bonded-system', 'platform', 'builds'],
        ['team-a', 'own', 'builds'],
      ],
    );
    assert.equal(outcome(resources)['BucketPolicy team-b/theirs'], 'false BucketMissing');
  });

  it('closes the bucket of a policy that cannot be compiled, and no other', () => {
    const { snapshot, conditions } = compile(
      [bucket('builds'), bucket('other'), broken(policy('p', 'builds')), policy('q', 'other')],
      OPTIONS,
    );
    assert.deepEqual(
      snapshot.closed?.map((closed) => closed.bucket),
      ['builds'],
    );
    assert.equal(conditions.find(({ name }) => name === 'p')?.reason, 'DocumentInvalid');
    assert.equal(snapshot.policies.length, 1);
  });

  it("cannot close another team's bucket", () => {
    const { snapshot } = compile([bucket('builds'), broken(policy('p', 'builds', OTHER))], OPTIONS);
    assert.deepEqual(snapshot.closed, []);
  });

  it('keeps the document as it was written', () => {
    const [config] = compile([bucket('builds'), policy('p', 'builds')], OPTIONS).snapshot.policies;
    assert.deepEqual(JSON.parse(config?.source ?? ''), { Statement: { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' } });
  });
});

describe('a snapshot', () => {
  const resources = [
    bucket('a-bucket'),
    bucket('b-bucket', { tags: { x: '1' } }, OTHER),
    binding('b', keyOf('key')),
    secret('key', KEY),
    policy('p', 'a-bucket'),
    binding('leaving', {}, { deletionTimestamp: '2024-01-01T00:00:00Z' }),
  ];

  it('is the same for the same resources in any order', () => {
    const { snapshot } = compile(resources, OPTIONS);
    fc.assert(
      fc.property(fc.shuffledSubarray(resources, { minLength: resources.length }), (shuffled) =>
        assert.deepEqual(compile(shuffled, OPTIONS).snapshot, snapshot),
      ),
    );
  });

  it('has another revision when anything in it is another', () => {
    const { revision } = compile(resources, OPTIONS).snapshot;
    assert.match(revision, /^[0-9a-f]{64}$/);
    assert.notEqual(compile(resources.slice(1), OPTIONS).snapshot.revision, revision);
    assert.notEqual(
      compile([...resources.slice(0, 3), secret('key', { ...KEY, secretAccessKey: 'rotated-secret-0123' })], OPTIONS).snapshot.revision,
      revision,
    );
  });

  it('gets the built-in Owner, which no resource can be or replace', () => {
    const { snapshot } = compile(resources, OPTIONS);
    const rooted = withBuiltInOwner(withBuiltInOwner(snapshot, { ...ROOT, accessKeyId: 'OLDROOT' }), ROOT);
    assert.deepEqual(
      rooted.accessKeys.map(({ accessKeyId }) => accessKeyId),
      ['BONDEDROOT', 'KEYA'],
    );
    assert.deepEqual(
      rooted.bindings.map(({ namespace, name, role }) => [namespace, name, role]),
      [
        [SYSTEM_NAMESPACE, ROOT_NAME, 'Owner'],
        ['team-a', 'b', 'Reader'],
      ],
    );
    assert.throws(() => secret(ROOT_NAME, KEY, SYSTEM), /metadata\.name/);
    assert.throws(() => binding('x', keyOf(ROOT_NAME), SYSTEM), /secretName/);
  });

  it('leaves out what is being deleted', () => {
    assert.equal(outcome(resources)['AccessBinding team-a/leaving'], 'false Deleting');
    assert.deepEqual(
      compile(resources, OPTIONS).snapshot.bindings.map(({ name }) => name),
      ['b'],
    );
  });
});
