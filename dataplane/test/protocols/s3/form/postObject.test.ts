import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createDerivedKeys, signText } from '../../../../src/authn/derivedKey.ts';
import { verifyPostForm } from '../../../../src/authn/postPolicy.ts';
import type { Sessions } from '../../../../src/authn/session.ts';
import { checksumOf } from '../../../../src/core/hashing/checksums.ts';
import { ArtefactError } from '../../../../src/errors.ts';
import { BUCKETS, openStage } from '../objects/stage.ts';
import type { Answer, Stage } from '../objects/stage.ts';
import { BOUNDARY, formOf } from './forms.ts';
import type { Piece } from './forms.ts';

const SECRET = 'not a real secret';
const NOW = Date.now();
const AMZ_DATE = new Date(NOW).toISOString().replace(/[-:]|\.\d+/g, '');
const SCOPE = { date: AMZ_DATE.slice(0, 8), region: 'us-east-1', service: 's3' };
const derivedKeys = createDerivedKeys();

const noSessions: Sessions = {
  issue: () => assert.fail(),
  open: () => {
    throw new ArtefactError('TokenInvalid', 'no');
  },
};

/** A stage whose forms are verified as in the house: access keys named after roles, one secret. */
function openFormStage(): Stage {
  const stage = openStage();
  const lookup = (accessKeyId: string) =>
    ['owner', 'publisher', 'reader'].includes(accessKeyId)
      ? { namespace: 'team-a', secretName: accessKeyId, accessKeyId, secretAccessKey: SECRET }
      : undefined;
  const rules = { scope: { services: ['s3'] }, sessions: noSessions, derivedKeys, clock: () => NOW };
  stage.verifyForm = (form) => verifyPostForm(form, lookup, rules);
  return stage;
}

const FILE: Piece = { name: 'file', value: 'hello', filename: 'hello.txt', type: 'text/plain' };

function post(stage: Stage, pieces: readonly Piece[], target = '/plain'): Promise<Answer> {
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
  return stage.ask({ method: 'POST', target, headers, body: formOf(pieces), as: 'anonymous' });
}

interface Signing {
  readonly as?: string;
  readonly conditions?: readonly unknown[];
  readonly bucket?: string;
}

/** Fields with a policy that covers them, signed. */
function signed(fields: Readonly<Record<string, string>>, { as = 'owner', conditions = [], bucket = 'plain' }: Signing = {}): Piece[] {
  const credential = `${as}/${SCOPE.date}/${SCOPE.region}/${SCOPE.service}/aws4_request`;
  const all = { ...fields, 'x-amz-algorithm': 'AWS4-HMAC-SHA256', 'x-amz-credential': credential, 'x-amz-date': AMZ_DATE };
  const covered = Object.entries(all).map(([name, value]) => ['eq', `$${name}`, value.replace('${filename}', 'hello.txt')]);
  const document = { expiration: new Date(NOW + 60_000).toISOString(), conditions: [['eq', '$bucket', bucket], ...covered, ...conditions] };
  const policy = Buffer.from(JSON.stringify(document)).toString('base64');
  const signature = signText(derivedKeys(SECRET, SCOPE), policy);
  return Object.entries({ ...all, policy, 'x-amz-signature': signature }).map(([name, value]) => ({ name, value }));
}

describe('PostObject', () => {
  it('stores the file under a key with its name, with everything the fields say', async () => {
    const stage = openFormStage();
    const fields = {
      key: 'up/${filename}',
      'Content-Type': 'text/html',
      'Cache-Control': 'no-cache',
      'x-amz-meta-note': 'grün',
      'x-amz-storage-class': 'STANDARD_IA',
      acl: 'private',
      tagging: '<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>',
    };
    const answer = await post(stage, [...signed(fields), FILE]);
    assert.equal(answer.status, 204, answer.text);
    assert.equal(answer.headers.etag, `"${createHash('md5').update('hello').digest('hex')}"`);
    assert.equal(answer.headers.location, 'http://store.test/plain/up/hello.txt');
    const { headers, text } = await stage.get('/plain/up/hello.txt');
    assert.equal(text, 'hello');
    assert.deepEqual(
      ['content-type', 'cache-control', 'x-amz-meta-note', 'x-amz-storage-class', 'x-amz-tagging-count'].map((name) => headers[name]),
      ['text/html', 'no-cache', '=?UTF-8?B?Z3LDvG4=?=', 'STANDARD_IA', '1'],
    );
    assert.deepEqual((await stage.get('/plain/up/hello.txt?tagging')).elements('Value'), ['a b']);
    assert.ok(stage.demands.includes('create s3:PutObjectTagging plain/up/hello.txt'));
    assert.equal((await stage.core.objects.get(BUCKETS[0]!, 'up/hello.txt')).owner, 'key:owner');
  });

  it('policies see what the fields say, not the headers of the post', async () => {
    const stage = openFormStage();
    const tagging = '<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>';
    const body = formOf([...signed({ key: 'k', tagging, 'x-amz-storage-class': 'STANDARD_IA' }), FILE]);
    const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'x-amz-tagging': 'team=b', 'x-amz-acl': 'private' };
    assert.equal((await stage.ask({ method: 'POST', target: '/plain', headers, body })).status, 204);
    const context = stage.asked.find(({ s3Action }) => s3Action === 's3:PutObject')!.context!;
    const seen = ['s3:requestobjecttag/team', 's3:x-amz-storage-class', 's3:x-amz-acl', 's3:authtype'].map((key) => context.get(key));
    assert.deepEqual(seen, [['a'], ['STANDARD_IA'], [], ['POST']]);
  });

  it('the answer is as the form wants it', async () => {
    const stage = openFormStage();
    const answered = (fields: Record<string, string>) => post(stage, [...signed({ key: 'k&1', ...fields }), FILE]);
    assert.deepEqual(
      [(await answered({ success_action_status: '200' })).status, (await answered({ success_action_status: '204' })).status],
      [200, 204],
    );
    assert.equal((await answered({ success_action_status: '404' })).status, 204);
    const created = await answered({ success_action_status: '201' });
    assert.deepEqual([created.status, created.element('Bucket'), created.element('Key')], [201, 'plain', 'k&amp;1']);
    assert.equal(created.element('Location'), 'http://store.test/plain/k%261');
    assert.equal(created.element('ETag'), created.headers.etag);
    const sent = await answered({ success_action_redirect: 'https://app.test/done?a=1', success_action_status: '200' });
    assert.equal(sent.status, 303);
    const etag = encodeURIComponent(created.headers.etag!);
    assert.equal(sent.headers.location, `https://app.test/done?a=1&bucket=plain&key=k%261&etag=${etag}`);
    assert.equal((await answered({ redirect: 'http://old.test/' })).status, 303);
    for (const target of ['javascript:alert(1)', 'nowhere', '//x', 'data:text/html,x']) {
      assert.equal((await answered({ success_action_redirect: target })).status, 204, target);
    }
  });

  it('anonymous forms may do what anonymous callers may', async () => {
    const stage = openFormStage();
    const plain: Piece[] = [{ name: 'key', value: 'k' }, FILE];
    assert.equal((await post(stage, plain)).status, 403);
    stage.verifyForm = () => ({ principal: { kind: 'anonymous', id: 'dropper' }, conditions: new Map() });
    assert.equal((await post(stage, plain)).status, 204);
    assert.equal((await stage.get('/plain/k')).text, 'hello');
    assert.equal((await post(stage, plain)).status, 403, 'it exists now');
  });

  it('a publisher’s form makes new names only', async () => {
    const stage = openFormStage();
    assert.equal((await post(stage, [...signed({ key: 'k' }, { as: 'publisher' }), FILE])).status, 204);
    assert.equal((await post(stage, [...signed({ key: 'k' }, { as: 'publisher' }), FILE])).status, 403);
    assert.equal((await post(stage, [...signed({ key: 'k2' }, { as: 'reader' }), FILE])).status, 403);
  });

  it('checksums and MD5 in fields are held to', async () => {
    const stage = openFormStage();
    const right = {
      key: 'k',
      'x-amz-checksum-sha256': await checksumOf('SHA256', Buffer.from('hello')),
      'x-amz-checksum-algorithm': 'SHA256',
    };
    assert.equal((await post(stage, [...signed(right), FILE])).headers['x-amz-checksum-sha256'], right['x-amz-checksum-sha256']);
    const wrong = { key: 'w', 'x-amz-checksum-crc32': 'AAAAAA==' };
    assert.equal((await post(stage, [...signed(wrong), FILE])).element('Code'), 'BadDigest');
    const md5 = { key: 'w', 'content-md5': createHash('md5').digest('base64') };
    assert.equal((await post(stage, [...signed(md5), FILE])).element('Code'), 'BadDigest');
    assert.equal((await stage.get('/plain/w')).status, 404);
  });

  it('sizes are held to the policy’s range', async () => {
    const stage = openFormStage();
    const within = (min: number, max: number) =>
      post(stage, [...signed({ key: 'k' }, { conditions: [['content-length-range', min, max]] }), FILE]);
    assert.equal((await within(6, 10)).element('Code'), 'EntityTooSmall');
    assert.equal((await within(1, 4)).element('Code'), 'EntityTooLarge');
    assert.equal((await stage.get('/plain/k')).status, 404);
    assert.equal((await within(5, 5)).status, 204);
  });

  const tampered = (name: string, value: string): Piece[] =>
    signed({ key: 'k' }).map((piece) => (piece.name === name ? { name, value } : piece));
  const refusals: readonly (readonly [what: string, pieces: readonly Piece[], status: number, code: string])[] = [
    ['no key', [...signed({ acl: 'private' }), FILE], 400, 'InvalidArgument'],
    ['an empty key', [...signed({ key: '' }), FILE], 400, 'InvalidArgument'],
    [
      'a key that is only a missing file name',
      [...signed({ key: '${filename}' }), { name: 'file', value: 'x' }],
      400,
      'UserKeyMustBeSpecified',
    ],
    ['a key that is too long', [...signed({ key: 'x'.repeat(1025) }), FILE], 400, 'KeyTooLongError'],
    ['a key with U+0000', [...signed({ key: 'a\0b' }), FILE], 400, 'UserKeyMustBeSpecified'],
    ['a key behind the file', [FILE, ...signed({ key: 'k' })], 400, 'InvalidArgument'],
    ['no file', signed({ key: 'k' }), 400, 'InvalidArgument'],
    ['another key than was signed', [...tampered('key', 'other'), FILE], 403, 'AccessDenied'],
    ['another signature', [...tampered('x-amz-signature', '0'.repeat(64)), FILE], 403, 'SignatureDoesNotMatch'],
    ['a field that the policy does not cover', [...signed({ key: 'k' }), { name: 'x-amz-meta-a', value: '1' }, FILE], 403, 'AccessDenied'],
    ['a policy for another bucket', [...signed({ key: 'k' }, { bucket: 'other' }), FILE], 403, 'AccessDenied'],
    ['an unknown access key', [...signed({ key: 'k' }, { as: 'stranger' }), FILE], 403, 'InvalidAccessKeyId'],
    ['a policy without signature', [{ name: 'key', value: 'k' }, { name: 'policy', value: 'e30=' }, FILE], 400, 'InvalidArgument'],
    ['an ACL for others', [...signed({ key: 'k', acl: 'public-read' }), FILE], 400, 'AccessControlListNotSupported'],
    ['tags that are no XML', [...signed({ key: 'k', tagging: 'a=1' }), FILE], 400, 'MalformedXML'],
    ['encryption', [...signed({ key: 'k', 'x-amz-server-side-encryption': 'AES256' }), FILE], 501, 'NotImplemented'],
    ['an archive class', [...signed({ key: 'k', 'x-amz-storage-class': 'GLACIER' }), FILE], 400, 'InvalidStorageClass'],
    ['a header smuggled into a field', [...signed({ key: 'k', 'Content-Type': 'a/b\r\nset-cookie: x' }), FILE], 400, 'InvalidArgument'],
  ];
  for (const [what, pieces, status, code] of refusals) {
    it(`refuses ${what}, and stores nothing`, async () => {
      const stage = openFormStage();
      const answer = await post(stage, pieces);
      assert.deepEqual([answer.status, answer.element('Code')], [status, code], answer.text);
      assert.deepEqual(await stage.keys('digest/'), []);
    });
  }

  it('a form that breaks off stores nothing', async () => {
    const stage = openFormStage();
    const body = formOf([...signed({ key: 'k' }), FILE]);
    const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
    const answer = await stage.ask({ method: 'POST', target: '/plain', headers, body: body.subarray(0, body.length - 10) });
    assert.equal(answer.element('Code'), 'MalformedPOSTRequest');
    assert.deepEqual(await stage.keys('digest/'), []);
  });

  it('an unknown bucket is told after the right to create in it', async () => {
    const stage = openFormStage();
    assert.equal((await post(stage, [...signed({ key: 'k' }, { bucket: 'nowhere' }), FILE], '/nowhere')).element('Code'), 'NoSuchBucket');
    assert.equal((await post(stage, [{ name: 'key', value: 'k' }, FILE], '/nowhere')).element('Code'), 'AccessDenied');
  });
});
