/** Tokens of the registry, shown to everything else of a whole house: good for nothing there, and traded for nothing. */
import assert from 'node:assert/strict';
import { basic, bearer, createStage, type Stage } from './stage.ts';

const JSON_BODY = { 'content-type': 'application/json' };

describe('a token of the registry, elsewhere', () => {
  let stage: Stage;
  let asRoot: string;
  let tokens: readonly string[];
  before(async () => {
    stage = await createStage();
    asRoot = basic(stage.root.id, stage.root.secret);
    for (const name of ['app', 'open']) assert.equal((await ask(asRoot, `/builds/${name}`, { method: 'PUT', body: name })).status, 200);
    const wide = 'scope=registry:catalog:*&scope=repository:builds/app:*&scope=repository:builds/open:pull';
    const answers = await Promise.all([stage.get(wide, asRoot), stage.get(wide, basic('anyone', await stage.oidc())), stage.get(wide)]);
    tokens = answers.map(({ json }) => json.token);
    assert.deepEqual(
      answers.map(({ json }) => json.scope),
      [
        'registry:catalog:* repository:builds/app:pull,push,delete repository:builds/open:pull',
        'registry:catalog:* repository:builds/app:pull,push,delete repository:builds/open:pull',
        'repository:builds/open:pull',
      ],
    );
  });
  after(() => stage.close());

  const ask = (authorization: string, path: string, init: RequestInit = {}) =>
    stage.ask(path, { ...init, headers: { authorization, ...init.headers } });

  const refused = async (path: string, init: RequestInit = {}) => {
    for (const token of tokens) {
      for (const authorization of [bearer(token), basic('anyone', token)]) {
        const answer = await ask(authorization, path, init);
        assert.equal(answer.status, 403, `${init.method ?? 'GET'} ${path}: ${answer.text}`);
        assert.match(answer.text, /Access ?Denied/);
      }
    }
  };

  it('is refused by S3, also under the name of the repository', async () => {
    for (const path of ['/', '/builds', '/builds?prefix=app', '/builds?versions', '/builds?policy', '/builds/app', '/builds/open'])
      await refused(path);
    await refused('/builds/app', { method: 'PUT', body: 'x' });
    await refused('/builds/app', { method: 'DELETE' });
    await refused('/builds/app?tagging', { method: 'PUT', body: '<Tagging><TagSet></TagSet></Tagging>' });
    await refused('/builds/app', { method: 'PUT', headers: { 'x-amz-copy-source': '/builds/open' } });
    await refused('/builds?policy', { method: 'DELETE' });
    await refused('/fresh', { method: 'PUT' });
    assert.equal(await (await fetch(`${stage.rig.house.url}/builds/open`)).text(), 'open', 'which it would be without credentials');
  });

  it('is refused by the JSON API', async () => {
    for (const path of [
      '/api/v1/whoami',
      '/api/v1/buckets',
      '/api/v1/buckets/builds',
      '/api/v1/search',
      '/api/v1/search?bucket=builds&prefix=app',
    ])
      await refused(path);
    await refused('/api/v1/buckets/builds', { method: 'DELETE' });
    await refused('/api/v1/presign', {
      method: 'POST',
      headers: JSON_BODY,
      body: JSON.stringify({ method: 'GET', bucket: 'builds', key: 'app' }),
    });
    await refused('/auth/sessions', { method: 'POST', headers: JSON_BODY, body: '{}' });
  });

  it('is refused by resumable uploads', () =>
    refused('/uploads/builds/app', { method: 'POST', headers: { 'tus-resumable': '1.0.0', 'upload-length': '1' } }));

  it('is traded for no session, no role and no other token', async () => {
    for (const token of tokens) {
      const session = await stage.ask('/auth/sessions', { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ token }) });
      assert.deepEqual([session.status, /TokenInvalid/.test(session.text)], [401, true]);
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const role = { Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', WebIdentityToken: token };
      const sts = await stage.ask('/', { method: 'POST', headers: form, body: new URLSearchParams(role).toString() });
      assert.match(sts.text, /InvalidIdentityToken/);
      assert.match(
        (await ask(bearer(token), '/?Action=GetCallerIdentity', { method: 'POST' })).text,
        /<Code>(AccessDenied|MissingAuthenticationToken)</,
      );
      for (const authorization of [bearer(token), basic('anyone', token)])
        assert.equal((await stage.get('scope=repository:builds/app:pull', authorization)).status, 401);
    }
  });

  it('is in the access log as whom it speaks for', async () => {
    await ask(bearer(tokens[1] ?? ''), '/builds/app');
    const lines = stage.rig.log().split('\n');
    assert.ok(lines.some((line) => line.includes(`"principal":"oidc:${stage.issuer.url}|ci"`) && line.includes('"error":"AccessDenied"')));
  });
});
