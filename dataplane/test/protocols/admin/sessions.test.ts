import assert from 'node:assert/strict';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import { ALICE, BOB, createStage, NOW } from './stage.ts';

const bearer = { authorization: 'Bearer bobs-token' };

describe('sessions in the JSON API', () => {
  it('come from credentials in the head', async () => {
    const stage = createStage();
    stage.principal = BOB;
    const { status, json, operation } = await stage.send('POST', '/auth/sessions', { headers: bearer, body: { durationSeconds: 900 } });
    assert.deepEqual([status, operation], [201, 'admin.CreateSession']);
    assert.equal(json.expiration, new Date(NOW + 900_000).toISOString());
    assert.equal(json.endpoint, 'http://store.test:8080');
    assert.match(json.accessKeyId, /^BSIA[A-Z2-7]{16}$/);
    assert.notEqual(json.sessionToken, json.bearerToken);
  });

  it('come from a token in the body', async () => {
    const stage = createStage({ publicUrl: 'https://store.example' });
    stage.principal = ANONYMOUS;
    const { status, json, operation } = await stage.send('POST', '/auth/sessions', { body: { token: 'bobs-token' } });
    assert.deepEqual([status, operation], [201, 'admin.ExchangeToken']);
    assert.deepEqual([json.expiration, json.endpoint], [new Date(NOW + 3_600_000).toISOString(), 'https://store.example']);
    assert.equal(stage.principal, BOB, 'the request goes on as whom the token speaks for');
  });

  it('come in the form that credential_process reads', async () => {
    const stage = createStage();
    stage.principal = ANONYMOUS;
    const { json } = await stage.send('POST', '/auth/sessions?format=credential_process', { body: { token: 'bobs-token' } });
    assert.deepEqual(Object.keys(json), ['Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration']);
    assert.equal(json.Version, 1);
  });

  it('come from a token that is the password of Basic', async () => {
    const stage = createStage();
    stage.principal = BOB;
    const authorization = `Basic ${Buffer.from('anyone:bobs-token').toString('base64')}`;
    assert.equal((await stage.send('POST', '/auth/sessions', { headers: { authorization } })).status, 201);
  });

  it('are refused to who cannot have one', async () => {
    const stage = createStage();
    stage.principal = ANONYMOUS;
    const code = async (request: Parameters<typeof stage.send>[2]) => (await stage.send('POST', '/auth/sessions', request)).json.code;
    assert.equal(await code({}), 'CredentialsMissing');
    assert.equal(await code({ body: { token: 'mallorys-token' } }), 'TokenInvalid');
    stage.principal = ALICE;
    assert.equal(
      await code({ headers: { authorization: 'AWS4-HMAC-SHA256 Credential=…' } }),
      'AccessDenied',
      'an access key signs for itself',
    );
    assert.equal(
      await code({ headers: { authorization: `Basic ${Buffer.from('ALICE:alices-secret').toString('base64')}` } }),
      'AccessDenied',
    );
    stage.principal = { ...BOB, sessionExpires: NOW + 60_000 };
    assert.equal(
      await code({ headers: { authorization: 'AWS4-HMAC-SHA256 Credential=…' } }),
      'AccessDenied',
      'nor is it prolonged by signing',
    );
    stage.principal = ANONYMOUS;
    stage.may = () => false;
    assert.equal(await code({ body: { token: 'bobs-token' } }), 'CredentialsMissing');
  });

  it('refuse two credentials at once, and durations out of bounds', async () => {
    const stage = createStage();
    stage.principal = BOB;
    const refused = async (body: unknown) => (await stage.send('POST', '/auth/sessions', { headers: bearer, body })).json.detail;
    assert.match(await refused({ token: 'bobs-token' }), /no field 'token'/);
    assert.match(await refused({ durationSeconds: 899 }), /from 900 to 43200/);
    assert.match(await refused({ durationSeconds: 43_201 }), /from 900 to 43200/);
    assert.match(await refused({ durationSeconds: '900' }), /whole number/);
  });
});
