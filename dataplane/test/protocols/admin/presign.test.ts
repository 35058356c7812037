import assert from 'node:assert/strict';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import { BOB, createStage, NOW } from './stage.ts';
import type { Stage } from './stage.ts';

const presign = async (stage: Stage, body: object) => (await stage.send('POST', '/api/v1/presign', { body })).json;

describe('presigned URLs in the JSON API', () => {
  it('act as the access key that asks', async () => {
    const { url, method, expires } = await presign(createStage(), { method: 'PUT', bucket: 'builds', key: 'a b/ü', expiresIn: 60 });
    assert.deepEqual([method, expires], ['PUT', new Date(NOW + 60_000).toISOString()]);
    const parsed = new URL(url);
    assert.equal(parsed.origin + parsed.pathname, 'http://store.test:8080/builds/a%20b/%C3%BC');
    assert.match(parsed.searchParams.get('X-Amz-Credential') ?? '', /^ALICE\/20261124\//);
    assert.equal(parsed.searchParams.get('X-Amz-Expires'), '60');
    assert.equal(parsed.searchParams.get('X-Amz-Security-Token'), null);
    assert.ok(!url.includes('alices-secret'));
  });

  it('act as the identity of a token through a session', async () => {
    const stage = createStage({ publicUrl: 'https://store.example' });
    stage.principal = BOB;
    const { url } = await presign(stage, { method: 'GET', bucket: 'builds', key: 'k', query: { 'response-content-type': 'text/plain' } });
    const { origin, searchParams } = new URL(url);
    assert.equal(origin, 'https://store.example');
    assert.equal(searchParams.get('response-content-type'), 'text/plain');
    assert.match(searchParams.get('X-Amz-Security-Token') ?? '', /^bnds1\./);
  });

  it('last an hour, or as long as the session of the caller if that is less', async () => {
    const stage = createStage();
    assert.equal((await presign(stage, { method: 'GET', bucket: 'builds' })).expires, new Date(NOW + 3_600_000).toISOString());
    stage.principal = { ...BOB, sessionExpires: NOW + 600_000 };
    const { expires } = await presign(stage, { method: 'GET', bucket: 'builds' });
    assert.ok(Date.parse(expires) > NOW + 590_000 && Date.parse(expires) <= NOW + 600_000, expires);
    assert.equal((await presign(stage, { method: 'GET', bucket: 'builds', expiresIn: 3600 })).code, 'InvalidArgument');
  });

  it('are refused for what cannot be one', async () => {
    const stage = createStage();
    const good = { method: 'GET', bucket: 'builds', key: 'k' };
    const detail = async (change: object) => (await presign(stage, { ...good, ...change })).detail;
    assert.match(await detail({ method: 'PATCH' }), /'method' must be one of/);
    assert.match(await detail({ bucket: 'No' }), /bucket name/);
    assert.match(await detail({ key: '' }), /'key' must have 1 to 1024 bytes/);
    assert.match(await detail({ key: 'ü'.repeat(513) }), /'key' must have 1 to 1024 bytes/);
    assert.match(await detail({ expiresIn: 604_801 }), /from 1 to 604800/);
    assert.match(await detail({ query: { 'x-amz-expires': '1' } }), /parameters of the signature/);
    assert.match(await detail({ expires: 60 }), /no field 'expires'/);
    stage.principal = ANONYMOUS;
    assert.equal((await presign(stage, good)).code, 'CredentialsMissing');
  });
});
