import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseBasic, verifyBasic } from '../../src/authn/basic.ts';
import type { Bearer } from '../../src/authn/bearer.ts';
import { ArtefactError } from '../../src/errors.ts';
import { EXAMPLE_KEY, lookup, refused } from './requests.ts';

const asked: string[] = [];
const bearer: Bearer = {
  verify: async (token) => {
    asked.push(token);
    return { kind: 'oidc', id: 'oidc:https://issuer.example|ci' };
  },
};

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('Basic credentials', () => {
  beforeEach(() => {
    asked.length = 0;
  });

  it('are user name and password as RFC 7617 has them', () => {
    assert.deepEqual(parseBasic('QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { username: 'Aladdin', password: 'open sesame' });
    assert.deepEqual(parseBasic('dGVzdDoxMjPCow=='), { username: 'test', password: '123£' });
    assert.deepEqual(parseBasic(encode(':a:b:')), { username: '', password: 'a:b:' });
  });

  it('round-trip', () => {
    const username = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(username, fc.string({ unit: 'grapheme' }), (name, password) => {
        assert.deepEqual(parseBasic(encode(`${name}:${password}`)), { username: name, password });
      }),
    );
  });

  it('are refused in any other form, with an ArtefactError', async () => {
    for (const text of [
      '',
      'a',
      '====',
      'no base64!',
      encode('no colon'),
      '/////zo=',
      encode(`${'x'.repeat(2000)}:y`),
      encode(`x:${'y'.repeat(40_000)}`),
    ]) {
      await refused(() => parseBasic(text), 'CredentialsMalformed');
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseBasic(text);
        } catch (error) {
          assert.ok(error instanceof ArtefactError);
        }
      }),
    );
  });

  it('may be an access key with its secret', async () => {
    const { accessKeyId, secretAccessKey } = EXAMPLE_KEY;
    const principal = await verifyBasic({ username: accessKeyId, password: secretAccessKey }, lookup, bearer);
    assert.equal(principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
    assert.deepEqual(asked, []);
  });

  it('are refused alike for a wrong secret and for an unknown key', async () => {
    const { accessKeyId, secretAccessKey } = EXAMPLE_KEY;
    const wrong = await refused(
      () => verifyBasic({ username: accessKeyId, password: `${secretAccessKey}x` }, lookup, bearer),
      'AccessKeyUnknown',
    );
    const unknown = await refused(() => verifyBasic({ username: 'NOBODY', password: secretAccessKey }, lookup, bearer), 'AccessKeyUnknown');
    assert.equal(wrong.message, unknown.message);
    for (const password of ['', 'no secret is as long as this one, and none has these characters: \u0000']) {
      await refused(() => verifyBasic({ username: 'NOBODY', password }, lookup, bearer), 'AccessKeyUnknown');
    }
  });

  it('may have a token as the password, whatever the user name', async () => {
    for (const password of ['eyJhbGciOiJSUzI1NiJ9.e30.c2ln', 'bndb1.01234567.AAAA']) {
      const principal = await verifyBasic({ username: EXAMPLE_KEY.accessKeyId, password }, lookup, bearer);
      assert.equal(principal.kind, 'oidc');
      assert.equal(asked.pop(), password);
    }
  });
});
