import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bucketNameProblem, problemsOfChange } from '../src/schema.ts';
import { showPath } from '../src/structural.ts';
import { judged, problemsOf, written, type Fields } from './resources.ts';

const RESERVED = ['api', 'auth', 'files', 'healthz', 'helm', 'metrics', 'readyz', 'rpm', 'sts', 'terraform', 'uploads'];
const OIDC = { oidc: { issuer: 'https://issuer.example', claims: { groups: ['team-a'] } } };

function refuses(value: Fields, expected: RegExp): void {
  const problems = problemsOf(value);
  assert.ok(
    problems.some((problem) => expected.test(problem)),
    `expected ${expected}, got ${JSON.stringify(problems)}`,
  );
}

describe('a Bucket', () => {
  it('has every default filled in', () => {
    const { resource } = { resource: judged(written('Bucket', 'builds')) };
    assert.deepEqual(resource.kind === 'Bucket' && resource.spec, {
      location: 'default',
      versioning: 'Disabled',
      immutability: [],
      deletionPolicy: 'Retain',
      cors: [],
      tags: {},
    });
  });

  it('stands in the namespace default unless another is given', () => {
    const { metadata } = judged({ ...written('Bucket', 'builds'), metadata: { name: 'builds' } });
    assert.equal(metadata.namespace, 'default');
  });

  const refused: readonly (readonly [what: string, spec: Fields, expected: RegExp])[] = [
    ['an unknown field', { versionning: 'Enabled' }, /^spec\.versionning: unknown field$/],
    [
      'an unknown field deep within',
      { cors: [{ allowedOrigins: ['*'], allowedMethods: ['GET'], allowAll: true }] },
      /^spec\.cors\[0\]\.allowAll: unknown field$/,
    ],
    ['an unknown versioning', { versioning: 'On' }, /^spec\.versioning: must be one of Enabled, Suspended, Disabled$/],
    ['a glob given twice', { immutability: [{ match: 'a/**' }, { match: 'a/**' }] }, /^spec\.immutability\[1\]: given twice$/],
    ['a method given twice', { cors: [{ allowedOrigins: ['*'], allowedMethods: ['GET', 'GET'] }] }, /allowedMethods\[1\]: given twice/],
    [
      'an origin with two stars',
      { cors: [{ allowedOrigins: ['https://*.*'], allowedMethods: ['GET'] }] },
      /allowedOrigins\[0\]: must match/,
    ],
    ['a method that CORS does not have', { cors: [{ allowedOrigins: ['*'], allowedMethods: ['PATCH'] }] }, /must be one of GET, PUT/],
    ['a tag of AWS', { tags: { 'aws:x': '1' } }, /^spec\.tags: a tag's key/],
    ['a tag with an empty key', { tags: { '': '1' } }, /^spec\.tags: a tag's key/],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, ''])) }, /more than 50/],
    ['quotas, which are not enforced yet', { quota: { bytes: 1 } }, /^spec\.quota: unknown field$/],
  ];
  for (const [what, spec, expected] of refused) it(`is refused with ${what}`, () => refuses(written('Bucket', 'builds', spec), expected));

  it('may leave its spec out, since everything in it has a default', () => {
    const bare = judged({ apiVersion: 'bonded.dev/v1alpha1', kind: 'Bucket', metadata: { name: 'builds' } });
    assert.deepEqual('spec' in bare && bare.spec, {
      location: 'default',
      versioning: 'Disabled',
      immutability: [],
      deletionPolicy: 'Retain',
      cors: [],
      tags: {},
    });
  });

  it('is refused with fields beside its spec', () => {
    refuses({ ...written('Bucket', 'builds'), data: {} }, /^data: unknown field$/);
    refuses(written('Bucket', 'builds', {}, { labels: { a: 1 } }), /^metadata\.labels\.a: must be string$/);
    refuses(written('Bucket', 'Builds'), /^metadata\.name: must match/);
  });

  it('keeps its name and location', () => {
    const old = judged(written('Bucket', 'builds', { versioning: 'Enabled' }));
    const change = (spec: Fields): readonly string[] =>
      problemsOfChange(old, judged(written('Bucket', 'builds', spec))).map(({ path, message }) => `${showPath(path)}: ${message}`);
    assert.deepEqual(change({ name: 'builds', tags: { a: 'b' } }), []);
    assert.match(change({ name: 'other' }).join(), /spec\.name is immutable/);
    assert.match(change({ location: 'elsewhere' }).join(), /^spec\.location: spec\.location is immutable/);
  });
});

describe("a bucket's name on the wire", () => {
  const good = ['abc', 'my-bucket', 'a.b.c', '123', 'builds-2024.01', 'a'.repeat(63), 'xn-a', '1.2.3.4.5', '1.2.3', 'apis', 'v2x'];
  for (const name of good) it(`may be ${name}`, () => assert.equal(bucketNameProblem(name), undefined));

  const bad = [
    ...['', 'ab', 'a'.repeat(64), 'Abc', 'a_b', 'a/b', 'a b', '-ab', 'ab-', '.ab', 'ab.', 'a..b', 'a.-b', 'a-.b', 'é-bucket'],
    ...[
      '192.168.5.4',
      '1.2.3.4',
      'xn--abc',
      'sthree-abc',
      'amzn-s3-demo-bucket',
      'abc-s3alias',
      'abc--ol-s3',
      'abc.mrap',
      'abc--x-s3',
      'abc--table-s3',
    ],
    ...RESERVED,
    'abc\n',
  ];
  for (const name of bad) it(`may not be ${JSON.stringify(name)}`, () => assert.ok(bucketNameProblem(name)));

  it('is judged alike when metadata.name stands for it', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
    const names = fc.oneof(
      fc.constantFrom(...bad, ...good),
      fc.array(label, { minLength: 1, maxLength: 9 }).map((labels) => labels.join('.')),
    );
    fc.assert(
      fc.property(names, (name) => {
        const problems = problemsOf(written('Bucket', name));
        if (problems.some((problem) => problem.startsWith('metadata'))) return; // no name of Kubernetes
        assert.equal(problems.length === 0, bucketNameProblem(name) === undefined, name);
      }),
    );
  });
});

describe('an AccessBinding', () => {
  it('binds subjects of each form', () => {
    const subjects = [
      OIDC,
      { serviceAccount: { namespace: 'ci', name: 'builder' } },
      { accessKey: { secretName: 'key' } },
      { anonymous: {} },
    ];
    const resources = [{ bucket: 'builds', names: ['releases/**'] }, { bucket: 'other' }];
    assert.deepEqual(problemsOf(written('AccessBinding', 'all', { subjects, role: 'Publisher', resources })), []);
  });

  const refused: readonly (readonly [what: string, spec: Fields, expected: RegExp])[] = [
    ['no subjects', { subjects: [], role: 'Reader' }, /^spec\.subjects: must NOT have fewer than 1/],
    ['an unknown role', { subjects: [OIDC], role: 'Admin' }, /^spec\.role: must be one of/],
    [
      'a subject of two forms',
      { subjects: [{ ...OIDC, anonymous: {} }], role: 'Reader' },
      /^spec\.subjects\[0\]: a subject is exactly one/,
    ],
    ['a subject of no form', { subjects: [{}], role: 'Reader' }, /exactly one/],
    [
      'claims of everybody',
      { subjects: [{ oidc: { issuer: 'https://i', claims: {} } }], role: 'Reader' },
      /claims: must NOT have fewer than 1/,
    ],
    [
      'a claim without values',
      { subjects: [{ oidc: { issuer: 'https://i', claims: { a: [] } } }], role: 'Reader' },
      /claims\.a: must NOT have fewer/,
    ],
    [
      'a claim that is not a list',
      { subjects: [{ oidc: { issuer: 'https://i', claims: { a: 'b' } } }], role: 'Reader' },
      /claims\.a: must be array/,
    ],
    ['an Owner that nobody knows', { subjects: [OIDC, { anonymous: {} }], role: 'Owner' }, /nobody without credentials can be an Owner/],
    [
      'a bucket named twice',
      { subjects: [OIDC], role: 'Reader', resources: [{ bucket: 'abc' }, { bucket: 'abc' }] },
      /resources\[1\]: given twice/,
    ],
    ['no names at all', { subjects: [OIDC], role: 'Reader', resources: [{ bucket: 'abc', names: [] }] }, /names: must NOT have fewer/],
    ['an unknown field of anonymous', { subjects: [{ anonymous: { from: 'x' } }], role: 'Reader' }, /anonymous\.from: unknown field/],
  ];
  for (const [what, spec, expected] of refused) it(`is refused with ${what}`, () => refuses(written('AccessBinding', 'b', spec), expected));
});

describe('a BucketPolicy', () => {
  it('is refused with the place in its document', () => {
    const document = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:Fly', Resource: 'arn:aws:s3:::builds/*' }] };
    refuses(written('BucketPolicy', 'p', { bucket: 'builds', document }), /^spec\.document\.Statement\[0\]\.Action: .*"s3:Fly"/);
  });

  it('keeps what only the document may have', () => {
    const document = { Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' } };
    const resource = judged(written('BucketPolicy', 'p', { bucket: 'builds', document }));
    assert.deepEqual(resource.kind === 'BucketPolicy' && resource.spec.document, document);
  });
});

describe('a Secret', () => {
  it('is read from data and stringData, of which the latter wins', () => {
    const data = { accessKeyId: Buffer.from('OLD').toString('base64'), other: Buffer.from('ü').toString('base64') };
    const secret = judged(written('Secret', 's', { data, stringData: { accessKeyId: 'NEW' } }));
    assert.deepEqual(secret.kind === 'Secret' && secret.data, { accessKeyId: 'NEW', other: 'ü' });
  });

  it('is refused when its data is not base64, without telling what it is', () => {
    const value = 'hunter2 hunter2';
    const problems = problemsOf(written('Secret', 's', { data: { accessKeyId: value } }));
    assert.equal(problems.length, 1);
    assert.ok(!problems.join().includes('hunter2'));
  });
});

describe('other kinds', () => {
  it('SigningPolicy is refused, since nothing would enforce it', () => {
    refuses(written('SigningPolicy', 's', { selector: {} }), /^kind: SigningPolicy is not enforced by this version/);
  });

  it('are refused by name', () => {
    refuses({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, /^kind: is not a kind that is read here/);
    refuses({ ...written('Bucket', 'builds'), apiVersion: 'bonded.dev/v1' }, /^apiVersion: must be bonded\.dev\/v1alpha1 for a Bucket/);
    refuses({ kind: 'Bucket' }, /^apiVersion: required/);
    assert.match(problemsOf([]).join(), /must be a mapping/);
    assert.match(problemsOf(null).join(), /must be a mapping/);
  });

  it('never make the judge fail otherwise, whatever they hold', () => {
    const kind = fc.constantFrom('Bucket', 'BucketPolicy', 'AccessBinding', 'Secret', 'SigningPolicy', 'x');
    const anything = fc.object({ maxDepth: 4, withNullPrototype: true });
    fc.assert(
      fc.property(kind, anything, anything, (of, metadata, spec) => {
        assert.ok(Array.isArray(problemsOf(JSON.parse(JSON.stringify({ ...written(of, 'abc', spec), metadata })))));
      }),
    );
  });
});
