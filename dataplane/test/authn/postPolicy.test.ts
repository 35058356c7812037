import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { createDerivedKeys, signText } from '../../src/authn/derivedKey.ts';
import { parsePostPolicy, requirePolicy } from '../../src/authn/policyConditions.ts';
import { createSessions } from '../../src/authn/session.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import { ArtefactError, type ErrorCode } from '../../src/errors.ts';
import { EXAMPLE_KEY, lookup, refused } from './requests.ts';

const START = Date.parse('2015-12-29T00:00:00Z');
const ISSUER = 'https://issuer.example';
let now = START;
const sessionKeys = [ephemeralSigningKey()] as const;
const clock = () => now;
const authn = createAuthenticator({ issuers: [{ issuer: ISSUER, audiences: ['bonded'] }], sessionKeys, clock });
const sessions = createSessions({ keys: sessionKeys, clock, trusts: () => true });

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html */
const AWS_POLICY = [
  '{ "expiration": "2015-12-30T12:00:00.000Z",',
  '  "conditions": [',
  '    {"bucket": "sigv4examplebucket"},',
  '    ["starts-with", "$key", "user/user1/"],',
  '    {"acl": "public-read"},',
  '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
  '    ["starts-with", "$Content-Type", "image/"],',
  '    {"x-amz-meta-uuid": "14365123651274"},',
  '    {"x-amz-server-side-encryption": "AES256"},',
  '    ["starts-with", "$x-amz-meta-tag", ""],',
  '',
  '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
  '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
  '    {"x-amz-date": "20151229T000000Z" }',
  '  ]',
  '}',
].join('\r\n');
const AWS_FIELDS: Readonly<Record<string, string>> = {
  key: 'user/user1/photo.jpg',
  acl: 'public-read',
  success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
  'Content-Type': 'image/jpeg',
  'x-amz-meta-uuid': '14365123651274',
  'x-amz-server-side-encryption': 'AES256',
  'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Date': '20151229T000000Z',
  'x-amz-meta-tag': '',
  Policy: Buffer.from(AWS_POLICY).toString('base64'),
  'X-Amz-Signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
};

function post(fields: Readonly<Record<string, string | undefined>>, bucket = 'sigv4examplebucket') {
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return authn.authenticateForm({ bucket, fields: new Map(given) }, lookup);
}

/** A form whose policy has these conditions besides those of the signature, signed with the example key. */
function signed(conditions: readonly unknown[], fields: Readonly<Record<string, string>> = {}, document: object = {}) {
  const credential = `${EXAMPLE_KEY.accessKeyId}/20151229/us-east-1/s3/aws4_request`;
  const ofSignature = { 'x-amz-credential': credential, 'x-amz-algorithm': 'AWS4-HMAC-SHA256', 'x-amz-date': '20151229T000000Z' };
  const all = [{ bucket: 'bucket' }, ...Object.entries(ofSignature).map((entry) => ['eq', `$${entry[0]}`, entry[1]]), ...conditions];
  const text = JSON.stringify({ expiration: '2015-12-30T12:00:00Z', conditions: all, ...document });
  const policy = Buffer.from(text).toString('base64');
  const key = createDerivedKeys()(EXAMPLE_KEY.secretAccessKey, { date: '20151229', region: 'us-east-1', service: 's3' });
  return { ...ofSignature, policy, 'x-amz-signature': signText(key, policy), ...fields };
}

describe('upload forms', () => {
  beforeEach(() => {
    now = START;
  });

  it('speak for the signer of their policy: the example that AWS publishes', async () => {
    const { principal, contentLengthRange, conditions } = post(AWS_FIELDS);
    assert.equal(principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
    assert.equal(contentLengthRange, undefined);
    assert.deepEqual(Object.fromEntries(conditions), {
      's3:authtype': ['POST'],
      's3:signatureversion': ['AWS4-HMAC-SHA256'],
      's3:signatureage': ['0'],
    });
    const error = await refused(() => post({ ...AWS_FIELDS, 'X-Amz-Signature': '0'.repeat(64) }), 'SignatureMismatch');
    assert.equal(error.details['stringToSign'], AWS_FIELDS['Policy']);
  });

  it('without policy and signature speak for nobody', () => {
    assert.deepEqual(post({ key: 'a', 'x-ignore-policy': 'x' }).principal, { kind: 'anonymous', id: 'anonymous' });
  });

  it('must fit every condition', async () => {
    const conditions = [
      ['starts-with', '$key', 'in/'],
      ['eq', '$acl', 'private'],
      ['StArTs-WiTh', '$Content-Type', 'image/'],
      { tagging: 'x' },
    ];
    const fields = { key: 'in/a', acl: 'private', 'content-type': 'image/png,image/gif', tagging: 'x' };
    assert.equal(post(signed(conditions, fields), 'bucket').principal.kind, 'accessKey');
    const changes: readonly [Record<string, string>, RegExp][] = [
      [{ key: 'out/a' }, /Policy Condition failed: \["starts-with", "\$key", "in\/"\]/],
      [{ acl: 'Private' }, /\["eq", "\$acl", "private"\]/],
      [{ 'content-type': 'image/png,text/html' }, /\$Content-Type/],
      [{ tagging: 'xx' }, /\["eq", "\$tagging", "x"\]/],
    ];
    for (const [change, message] of changes)
      await refused(() => post(signed(conditions, { ...fields, ...change }), 'bucket'), 'AccessDenied', message);
    const { acl: _, ...withoutAcl } = fields;
    await refused(() => post(signed(conditions, withoutAcl), 'bucket'), 'AccessDenied', /\$acl/);
    await refused(() => post(signed([['eq', 'key', 'a']], { key: 'a' }), 'bucket'), 'AccessDenied', /\["eq", "key", "a"\]/);
  });

  it('must have no field that no condition covers, but the exempt ones', async () => {
    const fields = { key: 'a', 'x-ignore-this': 'x', file: 'f' };
    post(signed([{ key: 'a' }], fields), 'bucket');
    await refused(
      () => post(signed([{ key: 'a' }], { ...fields, 'x-amz-meta-a': 'b' }), 'bucket'),
      'AccessDenied',
      /Extra input fields: x-amz-meta-a/,
    );
    await refused(() => post(signed([{ key: 'a' }], { ...fields, 'x-amz-security-token': '' }), 'bucket'), 'TokenInvalid');
  });

  it('may go to the bucket of their policy alone', async () => {
    await refused(() => post(signed([{ key: 'a' }], { key: 'a' }), 'other'), 'AccessDenied', /\["eq", "\$bucket", "bucket"\]/);
    await refused(() => post(signed([{ key: 'a' }], { key: 'a', bucket: 'bucket' }), 'other'), 'InvalidArgument', /another bucket/);
    const nowhere = signed([], { key: 'a' }, { conditions: [['starts-with', '$x-amz-', '']] });
    await refused(() => post(nowhere, 'bucket'), 'AccessDenied');
  });

  it('must name their bucket in the policy', async () => {
    const policy = parsePostPolicy(
      Buffer.from(JSON.stringify({ expiration: '2099-01-01T00:00:00Z', conditions: [{ key: 'a' }] })).toString('base64'),
    );
    await refused(
      () =>
        requirePolicy(
          policy,
          new Map([
            ['key', 'a'],
            ['bucket', 'b'],
          ]),
          now,
        ),
      'AccessDenied',
      /Extra input fields: bucket/,
    );
  });

  it('limit the size of their file', async () => {
    const range = (...bounds: unknown[]) => ['content-length-range', ...bounds];
    assert.deepEqual(post(signed([range(5, 10)]), 'bucket').contentLengthRange, { min: 5, max: 10 });
    assert.deepEqual(post(signed([range('5', '10')]), 'bucket').contentLengthRange, { min: 5, max: 10 });
    assert.deepEqual(post(signed([range(1, 10), range(0, 7)]), 'bucket').contentLengthRange, { min: 1, max: 7 });
    for (const bad of [range(5), range(-1, 0), range(0.5, 1), range('x', 1), range(0, 1, 2), range(null, 1)]) {
      await refused(() => post(signed([bad]), 'bucket'), 'InvalidPolicy');
    }
  });

  it('expire', async () => {
    now = Date.parse('2015-12-30T11:59:59Z');
    post(AWS_FIELDS);
    now += 1000;
    await refused(() => post(AWS_FIELDS), 'AccessDenied', /Policy expired/);
    const late = signed([{ key: 'a' }], { key: 'a' }, { expiration: '2099-01-01T00:00:00Z' });
    now = START + 7 * 24 * 3600 * 1000;
    post(late, 'bucket');
    now += 1;
    await refused(() => post(late, 'bucket'), 'RequestExpired');
    now = START - 16 * 60 * 1000;
    await refused(() => post(late, 'bucket'), 'AccessDenied', /not yet valid/);
  });

  it('may be signed with a session', async () => {
    const principal = { kind: 'oidc', id: `oidc:${ISSUER}|ci`, oidc: { issuer: ISSUER, claims: { sub: 'ci' } } } as const;
    const { accessKeyId, secretAccessKey, sessionToken } = sessions.issue(principal, now + 900_000);
    const credential = `${accessKeyId}/20151229/us-east-1/s3/aws4_request`;
    const covered = {
      'x-amz-credential': credential,
      'x-amz-algorithm': 'AWS4-HMAC-SHA256',
      'x-amz-date': '20151229T000000Z',
      'x-amz-security-token': sessionToken,
    };
    const conditions = [{ bucket: 'bucket' }, ...Object.entries(covered).map(([name, value]) => ({ [name]: value }))];
    const policy = Buffer.from(JSON.stringify({ expiration: '2015-12-30T00:00:00Z', conditions })).toString('base64');
    const key = createDerivedKeys()(secretAccessKey, { date: '20151229', region: 'us-east-1', service: 's3' });
    const form = { ...covered, policy, 'x-amz-signature': signText(key, policy) };
    assert.equal(post(form, 'bucket').principal.id, principal.id);
    await refused(() => post({ ...form, 'x-amz-security-token': undefined }, 'bucket'), 'AccessKeyUnknown');
  });

  const change = (fields: Readonly<Record<string, string | undefined>>) => () => post({ ...AWS_FIELDS, ...fields });
  const REFUSALS: readonly [string, () => unknown, ErrorCode, RegExp][] = [
    ['no signature', change({ 'X-Amz-Signature': undefined }), 'InvalidArgument', /must contain a field named 'X-Amz-Signature'/],
    ['no algorithm', change({ 'X-Amz-Algorithm': undefined }), 'InvalidArgument', /'X-Amz-Algorithm'/],
    ['no policy beside a signature', change({ Policy: undefined }), 'InvalidArgument', /'Policy'/],
    ['a policy alone', () => post({ key: 'a', policy: 'e30=' }), 'InvalidArgument', /'X-Amz-Algorithm'/],
    ['a security token alone', () => post({ key: 'a', 'x-amz-security-token': 'x' }), 'InvalidArgument', /'Policy'/],
    ['another algorithm', change({ 'X-Amz-Algorithm': 'AWS4-HMAC-SHA1' }), 'InvalidArgument', /only supports/],
    ['a broken date', change({ 'X-Amz-Date': '20151229' }), 'InvalidArgument', /ISO8601/],
    ['the date of another day', change({ 'X-Amz-Date': '20151228T000000Z' }), 'InvalidArgument', /day of the credential/],
    ['a broken credential', change({ 'X-Amz-Credential': 'x' }), 'InvalidArgument', /Credential is mal-formed/],
    ['an unknown key', change({ 'X-Amz-Credential': 'NOBODY/20151229/us-east-1/s3/aws4_request' }), 'AccessKeyUnknown', /does not exist/],
    ['a changed policy', change({ Policy: AWS_FIELDS['Policy']?.slice(4) }), 'SignatureMismatch', /does not match/],
    ['a field twice', change({ KEY: 'user/user1/other' }), 'InvalidArgument', /given twice/],
    ['SigV2', () => post({ AWSAccessKeyId: 'x', policy: 'e30=', signature: 'y' }), 'InvalidRequest', /AWS4-HMAC-SHA256/],
  ];
  for (const [name, action, code, message] of REFUSALS) {
    it(`are refused with ${name}`, async () => {
      await refused(action, code, message);
    });
  }

  it('are refused with a document that is no policy', async () => {
    const documents: readonly [string, RegExp][] = [
      ['', /Base64/],
      ['{', /Invalid JSON/],
      ['[]', /Invalid JSON/],
      ['null', /Invalid JSON/],
      ['{"conditions":[]}', /missing expiration/],
      ['{"expiration":"2099-01-01T00:00:00Z"}', /missing conditions/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":{}}', /must be a List/],
      ['{"expiration":"2099-01-01 00:00:00","conditions":[]}', /Invalid 'expiration' value/],
      ['{"expiration":"2099-01-01T00:00:00+02:00","conditions":[]}', /Invalid 'expiration' value/],
      ['{"expiration":"2099-13-01T00:00:00Z","conditions":[]}', /Invalid 'expiration' value/],
      ['{"expiration":7,"conditions":[]}', /Invalid 'expiration' value/],
      ['{"EXPIRATION":"2099-01-01T00:00:00Z","conditions":[]}', /Unexpected: 'EXPIRATION'/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[],"Statement":[]}', /Unexpected: 'Statement'/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[{}]}', /exactly one property/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":"b","c":"d"}]}', /exactly one property/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":1}]}', /value must be a string/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":["a"]}', /must be a List or Object/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[[]]}', /missing operation/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[["matches","$key","a"]]}', /unknown operation 'matches'/],
      ['{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","$key"]]}', /wrong number of arguments/],
      [`{"expiration":"2099-01-01T00:00:00Z","conditions":[${'{"a":"b"},'.repeat(1000)}{"a":"b"}]}`, /more than 1000/],
      [`{"x":"${'x'.repeat(20_000)}"}`, /longer than/],
    ];
    for (const [document, message] of documents) {
      const error = await refused(() => parsePostPolicy(Buffer.from(document).toString('base64')), 'InvalidPolicy', message);
      assert.equal(error.details['s3Code'], 'InvalidPolicyDocument');
    }
    await refused(() => parsePostPolicy('not*base64'), 'InvalidPolicy', /Base64/);
    const began = performance.now();
    await refused(() => parsePostPolicy(`A${' '.repeat(20_000)}!`), 'InvalidPolicy', /Base64/);
    assert.ok(performance.now() - began < 50);
  });

  it('fail only with an ArtefactError, whatever the policy', () => {
    const conditions = fc.array(
      fc.oneof(fc.json(), fc.array(fc.oneof(fc.string(), fc.constantFrom('eq', 'starts-with', 'content-length-range', '$key')))),
    );
    const documents = fc.oneof(
      fc.json(),
      conditions.map((list) => JSON.stringify({ expiration: '2099-01-01T00:00:00Z', conditions: list })),
      fc.string(),
    );
    fc.assert(
      fc.property(documents, fc.dictionary(fc.string(), fc.string()), (document, fields) => {
        try {
          requirePolicy(parsePostPolicy(Buffer.from(document).toString('base64')), new Map(Object.entries(fields)), now);
        } catch (error) {
          assert.ok(error instanceof ArtefactError && error.code !== 'Internal', String(error));
        }
      }),
    );
  });
});
