import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { SaxesParser } from 'saxes';
import { ArtefactError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Reply } from '../../../src/protocols/contract.ts';
import { STS_ERRORS } from '../../../src/protocols/sts/errorCodes.ts';
import { renderStsError } from '../../../src/protocols/sts/errors.ts';
import { accepts } from '../../../src/protocols/sts/protocol.ts';
import { createStage, FORM, headOf, KEY } from './stage.ts';
import type { Stage } from './stage.ts';

const form = (parameters: Record<string, string>) => ({
  headers: { 'content-type': FORM },
  body: new URLSearchParams(parameters).toString(),
});
const assume = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: 'arn:aws:iam::000000000000:role/any',
  RoleSessionName: 'ci',
};

/** SHA-256 as the signer of the AWS SDK takes it. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: string | Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

/** A form signed for `sts` by the signer of the AWS SDK; some SDKs say the body's SHA-256 in a header, and some do not. */
async function signed(
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  parameters: Record<string, string>,
  applyChecksum = false,
) {
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'sts', sha256: Sha256 as never, applyChecksum });
  const { headers, body } = form(parameters);
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname: 'sts.test',
    path: '/',
    headers: { host: 'sts.test', ...headers },
    body,
    query: {},
  };
  return { headers: (await signer.sign(request)).headers, body };
}

function textOf({ body }: Reply): string {
  return typeof body === 'string' ? body : assert.fail('STS answers text');
}

describe('STS', () => {
  let stage: Stage;
  before(async () => {
    stage = await createStage();
  });
  after(() => stage.close());

  describe('AssumeRoleWithWebIdentity', () => {
    it('answers a session for a token in a form', async () => {
      const answer = await stage.send('POST', '/', form({ ...assume, WebIdentityToken: await stage.token(), DurationSeconds: '900' }));
      assert.deepEqual([answer.status, answer.operation], [200, 'sts.Form']);
      assert.match(
        answer.body,
        /^<AssumeRoleWithWebIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><AssumeRoleWithWebIdentityResult>/,
      );
      assert.match(answer.text('AccessKeyId') ?? '', /^BSIA/);
      assert.equal(answer.text('SecretAccessKey')?.length, 40);
      assert.match(answer.text('Expiration') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const left = Date.parse(answer.text('Expiration') ?? '') - Date.now();
      assert.ok(left > 890_000 && left <= 900_000, String(left));
      assert.equal(answer.text('SubjectFromWebIdentityToken'), 'repo:acme/app');
      assert.equal(answer.text('Audience'), 'bonded');
      assert.match(answer.text('Provider') ?? '', /^http:\/\/127\.0\.0\.1:/);
      assert.equal(answer.text('Arn'), 'arn:aws:sts::000000000000:assumed-role/any/ci');
      assert.equal(answer.text('AssumedRoleId'), `${answer.text('AccessKeyId')}:ci`);
      assert.equal(answer.text('RequestId'), 'request-1');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.match(answer.principal.id, /^oidc:.*\|repo:acme\/app$/);
    });

    it('takes the parameters in the query, or some here and some there', async () => {
      const WebIdentityToken = await stage.token();
      const inQuery = await stage.send('POST', `/?${new URLSearchParams({ ...assume, WebIdentityToken }).toString()}`);
      assert.deepEqual([inQuery.status, inQuery.operation], [200, 'sts.AssumeRoleWithWebIdentity']);
      assert.equal((await stage.send('GET', `/?${new URLSearchParams({ ...assume, WebIdentityToken }).toString()}`)).status, 200);
      const both = await stage.send('POST', `/?${new URLSearchParams(assume).toString()}`, form({ WebIdentityToken }));
      assert.equal(both.status, 200);
      assert.equal(
        (await stage.send('POST', '/?Action=AssumeRoleWithWebIdentity', form({ ...assume, WebIdentityToken }))).status,
        400,
        'given twice',
      );
    });

    it('gives credentials that sign', async () => {
      const assumed = await stage.send('POST', '/', form({ ...assume, WebIdentityToken: await stage.token() }));
      const [accessKeyId = '', secretAccessKey = '', sessionToken = ''] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
        assumed.text(name),
      );
      const identity = await stage.send(
        'POST',
        '/',
        await signed({ accessKeyId, secretAccessKey, sessionToken }, { Action: 'GetCallerIdentity' }),
      );
      assert.equal(identity.status, 200, identity.body);
      assert.equal(identity.text('Arn'), 'arn:aws:sts::000000000000:assumed-role/web-identity/repo:acme/app');
    });

    const refusals: readonly (readonly [what: string, change: Record<string, string>, status: number, code: string, message: RegExp])[] = [
      ['a token that is none', { WebIdentityToken: 'abc' }, 400, 'InvalidIdentityToken', /not a JWT/],
      ['no token', {}, 400, 'MissingParameter', /WebIdentityToken/],
      ['a duration out of bounds', { WebIdentityToken: 'abc', DurationSeconds: '899' }, 400, 'ValidationError', /900 to 43200/],
      [
        'a duration that is no number',
        { WebIdentityToken: 'abc', DurationSeconds: 'long' },
        400,
        'InvalidParameterValue',
        /DurationSeconds/,
      ],
      [
        'a session policy, which would be ignored',
        { WebIdentityToken: 'abc', Policy: '{}' },
        400,
        'ValidationError',
        /Policy is not implemented/,
      ],
      ['a parameter nobody knows', { WebIdentityToken: 'abc', Polciy: '{}' }, 400, 'InvalidParameterValue', /Only the parameters/],
      ['another version', { WebIdentityToken: 'abc', Version: '2010-01-01' }, 400, 'InvalidParameterValue', /Version/],
    ];
    for (const [what, change, status, code, message] of refusals) {
      it(`refuses ${what} with ${code}`, async () => {
        const answer = await stage.send('POST', '/', form({ ...assume, ...change }));
        assert.deepEqual([answer.status, answer.text('Code'), answer.text('Type')], [status, code, 'Sender']);
        assert.match(answer.text('Message') ?? '', message);
      });
    }

    it('refuses a token past its time as ExpiredTokenException, and shows no token', async () => {
      const WebIdentityToken = await stage.token({}, '-10m');
      const answer = await stage.send('POST', '/', form({ ...assume, WebIdentityToken }));
      assert.deepEqual([answer.status, answer.text('Code')], [400, 'ExpiredTokenException']);
      assert.ok(!answer.body.includes(WebIdentityToken));
    });
  });

  describe('GetCallerIdentity', () => {
    it('names the access key that signed for sts', async () => {
      const request = await signed(KEY, { Action: 'GetCallerIdentity', Version: '2011-06-15' });
      assert.ok(!('x-amz-content-sha256' in request.headers));
      const answer = await stage.send('POST', '/', request);
      assert.equal(answer.status, 200, answer.body);
      assert.deepEqual(
        ['Arn', 'UserId', 'Account'].map((name) => answer.text(name)),
        ['arn:aws:iam::000000000000:user/team-a/nightly', 'NIGHTLY', '000000000000'],
      );
      assert.equal(answer.principal.id, 'key:NIGHTLY');
    });

    it('names the subject of a bearer token', async () => {
      const { headers, body } = form({ Action: 'GetCallerIdentity' });
      const answer = await stage.send('POST', '/', { headers: { ...headers, authorization: `Bearer ${await stage.token()}` }, body });
      assert.match(answer.text('UserId') ?? '', /^oidc:/);
    });

    it('refuses a body that was not signed, a wrong key, an unknown key and nobody', async () => {
      const good = await signed(KEY, { Action: 'GetCallerIdentity' }, true);
      assert.equal((await stage.send('POST', '/', good)).status, 200);
      const code = async (request: { headers: Record<string, string>; body: string }) =>
        (await stage.send('POST', '/', request)).text('Code');
      assert.equal(await code({ ...good, body: `${good.body}&Version=2011-06-15` }), 'SignatureDoesNotMatch');
      assert.equal(
        await code(await signed({ ...KEY, secretAccessKey: 'wrong' }, { Action: 'GetCallerIdentity' })),
        'SignatureDoesNotMatch',
      );
      assert.equal(await code(await signed({ ...KEY, accessKeyId: 'NOBODY' }, { Action: 'GetCallerIdentity' })), 'InvalidClientTokenId');
      assert.equal(
        await code(await signed({ ...KEY, sessionToken: 'bnds1.broken' }, { Action: 'GetCallerIdentity' })),
        'InvalidClientTokenId',
      );
      assert.equal(await code(form({ Action: 'GetCallerIdentity' })), 'MissingAuthenticationToken');
      assert.equal(await code({ ...good, headers: { ...good.headers, 'x-amz-content-sha256': '0'.repeat(64) } }), 'SignatureDoesNotMatch');
      assert.equal(await code(await signed(KEY, { Action: 'GetCallerIdentity', Extra: '1' })), 'InvalidParameterValue');
    });
  });

  it('refuses what it has not', async () => {
    const code = async (...request: Parameters<Stage['send']>) => (await stage.send(...request)).text('Code');
    assert.equal(await code('POST', '/', form({ Action: 'AssumeRole' })), 'InvalidAction');
    assert.equal(await code('POST', '/?Action=GetSessionToken'), 'InvalidAction');
    assert.equal(await code('POST', '/?Action=constructor'), 'InvalidAction');
    const unknown = await stage.send('POST', '/?Action=Invented');
    assert.equal(unknown.operation, undefined, 'names of operations are a closed set');
    assert.equal(await code('POST', '/', form({ Version: '2011-06-15' })), 'MissingAction');
    assert.equal(await code('POST', '/', { headers: { 'content-type': FORM }, body: 'Action=%zz' }), 'MalformedInput');
    assert.equal(await code('POST', '/', { headers: { 'content-type': FORM }, body: 'x'.repeat(200_000) }), 'MalformedInput');
    assert.equal(
      await code('POST', '/?Action=GetCallerIdentity', { headers: { 'content-type': 'application/json' }, body: '{}' }),
      'MalformedInput',
    );
    assert.equal(await code('PUT', '/?Action=GetCallerIdentity'), 'InvalidAction');
  });

  it('takes what S3 has no use for, and nothing else', () => {
    const head = (method: string, target: string, type?: string) =>
      headOf(method, target, type === undefined ? {} : { 'content-type': type });
    assert.ok(accepts(head('POST', '/', FORM)));
    assert.ok(accepts(head('POST', '/', 'APPLICATION/X-WWW-FORM-URLENCODED')));
    assert.ok(accepts(head('POST', '/?Action=X')));
    assert.ok(accepts(head('GET', '/?Action=X')));
    assert.ok(!accepts(head('GET', '/')));
    assert.ok(!accepts(head('GET', '/?prefix=x', FORM)));
    assert.ok(!accepts(head('POST', '/', 'multipart/form-data; boundary=x')));
    assert.ok(!accepts(head('POST', '/builds', FORM)));
    assert.ok(!accepts(head('PUT', '/?Action=X')));
  });

  it('renders every code as well-formed XML that blames the right side', () => {
    for (const [code, { status, code: stsCode }] of Object.entries(STS_ERRORS)) {
      const reply = renderStsError(new ArtefactError(code as ErrorCode, 'a < b & c \u0000 \ud800'), { head: headOf('POST', '/') });
      assert.equal(reply.status, status);
      if (status === 304) continue;
      new SaxesParser().write(textOf(reply)).close();
      assert.match(textOf(reply), new RegExp(`<Type>${status >= 500 ? 'Receiver' : 'Sender'}</Type><Code>${stsCode}</Code>`), code);
      assert.ok(status >= 400, code);
    }
  });

  it('never shows a cause', () => {
    const reply = renderStsError(new ArtefactError('Internal', 'Sorry.', { cause: new Error('hunter2') }), { head: headOf('POST', '/') });
    assert.ok(!textOf(reply).includes('hunter2'));
  });
});
