import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_POLICY_BYTES, parsePolicyDocument, readPolicyDocument } from '../src/policyDocument.ts';
import { PolicyRefused } from '../src/policyReading.ts';

type Elements = Readonly<Record<string, unknown>>;

const STATEMENT = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::builds/*' };

function document(statement: Elements, further: Elements = {}): Elements {
  return { Version: '2012-10-17', Statement: [{ ...STATEMENT, ...statement }], ...further };
}

/** Without one element. */
function without(element: keyof typeof STATEMENT, further: Elements = {}): Elements {
  const { [element]: _, ...rest } = STATEMENT;
  return { Statement: [{ ...rest, ...further }] };
}

function refusal(value: unknown): string {
  try {
    readPolicyDocument(value, 'builds');
  } catch (error) {
    assert.ok(error instanceof PolicyRefused, String(error));
    return error.message;
  }
  return assert.fail('it was accepted');
}

describe('a policy document', () => {
  it('is read into what is enforced', () => {
    const read = readPolicyDocument(
      {
        Version: '2012-10-17',
        Id: 'mine',
        Statement: {
          Sid: 'one',
          Effect: 'Deny',
          NotPrincipal: { AWS: ['BONDEDKEY'], OIDC: 'https://issuer.example|repo:acme/app', Role: ['Owner'] },
          NotAction: ['s3:Get*', 'S3:ListBucket'],
          NotResource: ['arn:aws:s3:::builds', 'arn:aws:s3:::builds/public/${aws:username}/*'],
          Condition: {
            'ForAnyValue:StringLikeIfExists': { 'bonded:claim/Groups': ['a*', 'b'] },
            Bool: { 'aws:SecureTransport': false },
            NumericLessThan: { 's3:signatureAge': 600000 },
          },
        },
      },
      'builds',
    );
    assert.deepEqual(read, {
      version: '2012-10-17',
      id: 'mine',
      statements: [
        {
          sid: 'one',
          effect: 'Deny',
          principals: {
            not: true,
            any: false,
            names: [
              { type: 'AWS', value: 'BONDEDKEY' },
              { type: 'OIDC', value: 'https://issuer.example|repo:acme/app' },
              { type: 'Role', value: 'Owner' },
            ],
          },
          actions: { not: true, patterns: ['s3:get*', 's3:listbucket'] },
          resources: { not: true, patterns: ['builds', 'builds/public/${aws:username}/*'] },
          conditions: [
            { operator: 'StringLike', qualifier: 'ForAnyValue', ifExists: true, key: 'bonded:claim/groups', values: ['a*', 'b'] },
            { operator: 'Bool', ifExists: false, key: 'aws:securetransport', values: ['false'] },
            { operator: 'NumericLessThan', ifExists: false, key: 's3:signatureage', values: ['600000'] },
          ],
        },
      ],
    });
  });

  const accepted: readonly (readonly [what: string, value: unknown])[] = [
    ['one statement that is no list', { Statement: STATEMENT }],
    ['everybody, as AWS writes it', document({ Principal: { AWS: '*' } })],
    ['every action, on everything', document({ Action: '*', Resource: '*' })],
    ['a bucket and all in it in one ARN', document({ Action: ['s3:ListBucket', 's3:GetObject'], Resource: 'arn:aws:s3:::builds*' })],
    [
      'actions of both kinds with resources of both',
      document({ Action: ['s3:ListBucket', 's3:GetObject'], Resource: ['arn:aws:s3:::builds', 'arn:aws:s3:::builds/*'] }),
    ],
    ['actions that no operation here has', document({ Action: ['s3:PutObjectRetention', 's3:RestoreObject', 's3:GetObjectTorrent'] })],
    [
      'a prefix condition',
      document({
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::builds',
        Condition: { StringLike: { 's3:prefix': ['', 'home/${aws:userid}/*'] } },
      }),
    ],
    ['only over TLS', document({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
    ['only from a network', document({ Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'] } } })],
    [
      'only for a time',
      document({ Condition: { DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' }, NumericGreaterThan: { 'aws:EpochTime': 1 } } }),
    ],
    ['conditional writes only', document({ Action: 's3:PutObject', Condition: { Null: { 's3:if-none-match': 'true' } } })],
    ['a variable with what stands in for it', document({ Resource: "arn:aws:s3:::builds/${aws:username, 'nobody'}/${*}" })],
  ];
  for (const [what, value] of accepted) it(`may hold ${what}`, () => void readPolicyDocument(value, 'builds'));

  const refused: readonly (readonly [what: string, value: unknown, expected: RegExp])[] = [
    ['that is no object', [], /^The policy document must be a JSON object\.$/],
    ['with an unknown element', document({}, { Statements: [] }), /^The policy document has an unknown element "Statements"\.$/],
    ['of an unknown version', { ...document({}), Version: '2020-01-01' }, /^Version is 2012-10-17 or 2008-10-17\.$/],
    ['without statements', { Version: '2012-10-17', Statement: [] }, /^Statement must hold at least one/],
    ['with an unknown element in a statement', document({ Resources: '*' }), /^Statement\[0\] has an unknown element "Resources"/],
    ['with an element in another case', document({ effect: 'Allow' }), /unknown element "effect"/],
    ['with an unknown effect', document({ Effect: 'allow' }), /^Statement\[0\]\.Effect is Allow or Deny/],
    ['without a principal', without('Principal'), /exactly one of Principal and NotPrincipal/],
    ['with both principals', document({ NotPrincipal: '*' }), /exactly one of Principal and NotPrincipal/],
    [
      'with an account as principal',
      document({ Principal: { AWS: 'arn:aws:iam::123456789012:root' } }),
      /names "arn:aws:iam::123456789012:root" as "AWS"/,
    ],
    ['with a principal of another form', document({ Principal: { Federated: 'x' } }), /as "Federated", which is not known/],
    ['with a principal that is a word', document({ Principal: 'everyone' }), /form that is not known/],
    ['with nobody as principal', document({ Principal: {} }), /must name somebody/],
    ['with an unknown role', document({ Principal: { Role: 'Admin' } }), /names "Admin" as "Role"/],
    ['with a wildcard in a subject', document({ Principal: { OIDC: 'https://issuer.example|repo:acme/*' } }), /as "OIDC"/],
    [
      'that allows everybody but some',
      { Statement: { Effect: 'Allow', NotPrincipal: { AWS: 'KEY' }, Action: 's3:GetObject', Resource: '*' } },
      /goes with Deny only/,
    ],
    ['without an action', without('Action'), /exactly one of Action and NotAction/],
    [
      'with an unknown action',
      document({ Action: ['s3:GetObject', 's3:GetObjekt'] }),
      /^Statement\[0\]\.Action names "s3:GetObjekt", which is no action of S3/,
    ],
    ['with a pattern that is no action', document({ Action: 's3:Fly*' }), /"s3:Fly\*"/],
    ['with an action of another service', document({ Action: 'iam:PassRole' }), /"iam:PassRole"/],
    ['with an action about an account', document({ Action: 's3:ListAllMyBuckets' }), /which is not about a bucket/],
    ['with an action that is a number', document({ Action: 1 }), /must be a string or a list of strings/],
    ['with no actions', document({ Action: [] }), /must not be empty/],
    [
      'with another bucket',
      document({ Resource: 'arn:aws:s3:::other/*' }),
      /^Statement\[0\]\.Resource names "arn:aws:s3:::other\/\*"; write arn:aws:s3:::builds/,
    ],
    ['with a bucket that begins alike', document({ Resource: 'arn:aws:s3:::builds-old/*' }), /Resource names/],
    ['with a resource that is no ARN', document({ Resource: 'builds/*' }), /Resource names/],
    ['with an ARN of another partition', document({ Resource: 'arn:aws-cn:s3:::builds/*' }), /Resource names/],
    ['with an unknown variable', document({ Resource: 'arn:aws:s3:::builds/${aws:user}/*' }), /unknown policy variable \$\{aws:user\}/],
    ['with a variable that is not closed', document({ Resource: 'arn:aws:s3:::builds/${aws:userid/*' }), /never closed/],
    [
      'with an object action on the bucket alone',
      document({ Resource: 'arn:aws:s3:::builds' }),
      /"s3:getobject", which applies to none of its resources/,
    ],
    ['with a bucket action on names alone', document({ Action: 's3:ListBucket' }), /applies to none of its resources/],
    ['with an unknown operator', document({ Condition: { StringIs: { 'aws:userid': 'x' } } }), /unknown operator "StringIs"/],
    ['with NullIfExists', document({ Condition: { NullIfExists: { 'aws:userid': 'true' } } }), /unknown operator/],
    [
      'with an operator for binaries, which no key is',
      document({ Condition: { BinaryEquals: { 'aws:userid': 'x' } } }),
      /unknown operator/,
    ],
    [
      'with an unknown key',
      document({ Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o' } } }),
      /unknown condition key "aws:PrincipalOrgID"/,
    ],
    [
      'with a key of a family without its name',
      document({ Condition: { StringEquals: { 'bonded:claim/': 'x' } } }),
      /unknown condition key/,
    ],
    [
      'with a condition that its actions cannot have',
      document({ Condition: { StringEquals: { 's3:prefix': 'x' } } }),
      /"s3:prefix", which none of the statement's actions has/,
    ],
    [
      'with an operator that does not suit the key',
      document({ Condition: { IpAddress: { 'aws:UserAgent': '10.0.0.0/8' } } }),
      /values are of another kind/,
    ],
    [
      'with a network that is none',
      document({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } }),
      /is not an IP address or network/,
    ],
    ['with a number that is none', document({ Condition: { NumericEquals: { 's3:signatureAge': '1e3' } } }), /is not a number/],
    ['with a date that is none', document({ Condition: { DateEquals: { 'aws:CurrentTime': 'tomorrow' } } }), /is not a date/],
    ['with a boolean that is none', document({ Condition: { Bool: { 'aws:SecureTransport': 'yes' } } }), /neither true nor false/],
    [
      'with a value that is an object',
      document({ Condition: { StringEquals: { 'aws:userid': {} } } }),
      /must have strings, numbers or booleans/,
    ],
    ['with no value', document({ Condition: { StringEquals: { 'aws:userid': [] } } }), /must have a value/],
    ['with a key twice in two cases', document({ Condition: { StringEquals: { 'aws:userid': 'a', 'AWS:UserId': 'b' } } }), /asks twice/],
    [
      'with a Sid twice',
      {
        Statement: [
          { ...STATEMENT, Sid: 'a' },
          { ...STATEMENT, Sid: 'a' },
        ],
      },
      /^Statement\[1\]\.Sid/,
    ],
  ];
  for (const [what, value, expected] of refused) it(`${what} is refused by name`, () => assert.match(refusal(value), expected));

  it('of version 2008-10-17 has no variables', () => {
    const read = readPolicyDocument({ Statement: [{ ...STATEMENT, Resource: 'arn:aws:s3:::builds/${anything' }] }, 'builds');
    assert.equal(read.version, '2008-10-17');
  });
});

describe('the text of a policy document', () => {
  it('is JSON with every element once', () => {
    assert.throws(() => parsePolicyDocument('{', 'builds'), /is not JSON/);
    const nested = `{"Version":"2012-10-17","Statement":${'['.repeat(9000)}${']'.repeat(9000)}}`;
    assert.throws(() => parsePolicyDocument(nested, 'builds'), { name: 'PolicyRefused' });
    const twice = JSON.stringify(document({})).replace('"Effect":"Allow"', '"Effect":"Deny","\\u0045ffect":"Allow"');
    assert.throws(() => parsePolicyDocument(twice, 'builds'), /has the element "Effect" twice/);
    assert.equal(parsePolicyDocument(JSON.stringify(document({ Sid: 'a "Effect": b' })), 'builds').statements.length, 1);
  });

  it('has at most 20 KiB', () => {
    const sized = (bytes: number): string => JSON.stringify(document({}, { Id: '' })).replace('"Id":""', `"Id":"${'é'.repeat(bytes / 2)}"`);
    const empty = Buffer.byteLength(sized(0));
    assert.ok(parsePolicyDocument(sized(MAX_POLICY_BYTES - empty - ((MAX_POLICY_BYTES - empty) % 2)), 'builds'));
    assert.throws(() => parsePolicyDocument(sized(MAX_POLICY_BYTES - empty + 2), 'builds'), /more than 20480 bytes/);
  });

  it('has no more wildcards than a request can be held to', () => {
    const resource = (stars: number): string => `arn:aws:s3:::builds/${'a*'.repeat(stars)}`;
    assert.ok(readPolicyDocument(document({ Resource: resource(20) }), 'builds'));
    assert.match(refusal(document({ Resource: resource(21) })), /Resource has more than 20 wildcards/);
    assert.match(refusal(document({ Resource: Array.from({ length: 16 }, () => resource(20)) })), /has more than 300 wildcards/);
  });

  it('of any kind is read or refused, never anything else', () => {
    const word = fc.constantFrom(
      '*',
      's3:*',
      's3:GetObject',
      'arn:aws:s3:::builds/*',
      'aws:SourceIp',
      '__proto__',
      'constructor',
      '${',
      '${aws:userid}',
      'Role',
      '',
    );
    const block = fc.dictionary(word, fc.oneof(word, fc.array(word, { maxLength: 3 }), fc.integer(), fc.constant(null)), { maxKeys: 3 });
    const statement = fc.record(
      {
        Sid: word,
        Effect: fc.constantFrom('Allow', 'Deny', 'x'),
        Principal: fc.oneof(word, block),
        NotPrincipal: block,
        Action: fc.oneof(word, fc.array(word)),
        Resource: fc.oneof(word, fc.array(word)),
        Condition: fc.dictionary(fc.constantFrom('StringEquals', 'Null', 'toString', 'IpAddress'), block, { maxKeys: 2 }),
      },
      { requiredKeys: ['Effect'] },
    );
    const text = fc.oneof(
      fc.array(statement).map((Statement) => JSON.stringify({ Statement })),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (json) => {
        try {
          parsePolicyDocument(json, 'builds');
        } catch (error) {
          assert.ok(error instanceof PolicyRefused, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
