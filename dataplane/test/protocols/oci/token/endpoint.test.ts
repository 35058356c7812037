/** The token endpoint of a whole house: who gets which token. */
import assert from 'node:assert/strict';
import { basic, bearer, BINDINGS, CI, createStage, eventually, type Answer, type Stage } from './stage.ts';

const APP = 'repository:builds/app:pull,push,delete';

describe('the token endpoint', () => {
  let stage: Stage;
  const asCi = basic(CI.id, CI.secret);
  before(async () => {
    stage = await createStage();
  });
  after(() => stage.close());

  /** What the token is good for, and that the answer is as both specifications want it. */
  const granted = (answer: Answer): string => {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const { token, access_token, expires_in, issued_at, scope } = answer.json;
    assert.match(token, /^bndr1\./);
    assert.equal(access_token, token);
    assert.ok(expires_in >= 60 && expires_in <= 300, String(expires_in));
    assert.ok(Math.abs(Date.parse(issued_at) - Date.now()) < 60_000);
    return scope;
  };

  it('grants what an access key may do, of what it asks', async () => {
    assert.equal(granted(await stage.get(`service=store&scope=${APP}`, asCi)), 'repository:builds/app:pull,push');
    assert.equal(granted(await stage.get('scope=repository:builds/app:*', asCi)), 'repository:builds/app:pull,push');
    assert.equal(granted(await stage.get('scope=repository:builds/other:pull,push', asCi)), '', 'a part is no error, nor is nothing');
    assert.equal(granted(await stage.get('scope=repository:absent/app:pull', asCi)), '');
    assert.equal(granted(await stage.get('', asCi)), '');
    assert.equal(
      granted(await stage.get(`scope=repository:builds/app/web:pull&scope=registry:catalog:*%20${APP}&scope=robot:x:fly`, asCi)),
      'repository:builds/app/web:pull registry:catalog:* repository:builds/app:pull,push',
    );
  });

  it('takes an OIDC token and a session as the password, or as Bearer', async () => {
    const token = await stage.oidc();
    const exchange = await stage.ask('/auth/sessions', { method: 'POST', headers: { authorization: bearer(token) } });
    const { bearerToken } = JSON.parse(exchange.text) as { bearerToken: string };
    for (const secret of [token, bearerToken]) {
      for (const authorization of [basic('anyone', secret), bearer(secret)])
        assert.equal(granted(await stage.get(`account=anyone&client_id=docker&scope=${APP}`, authorization)), APP);
      assert.equal(granted(await stage.post({ grant_type: 'password', username: 'x', password: secret, scope: APP })), APP);
    }
    assert.equal(granted(await stage.get(`scope=${APP}`, bearer(await stage.oidc({ groups: ['others'] })))), '');
  });

  it('ends a token with the OIDC token it was made from', async () => {
    const brief = await stage.get(`scope=${APP}`, bearer(await stage.oidc({ groups: ['devs'] }, 100)));
    assert.ok(brief.json.expires_in <= 100 && brief.json.expires_in >= 90, String(brief.json.expires_in));
    assertRefused(await stage.get(`scope=${APP}`, bearer(await stage.oidc({ groups: ['devs'] }, 50))));
  });

  it('grants nobody in particular what anybody may', async () => {
    assert.equal(granted(await stage.get('scope=repository:builds/open:pull,push')), 'repository:builds/open:pull');
    assert.equal(granted(await stage.get(`scope=${APP}&scope=registry:catalog:*`)), '');
    const offline = await stage.get('offline_token=true');
    assert.equal(granted(offline), '');
    assert.equal(offline.json.refresh_token, undefined);
  });

  it('takes the form of OAuth2', async () => {
    const password = { grant_type: 'password', client_id: 'oras', service: 'store', username: CI.id, password: CI.secret };
    const scope = `${APP} repository:builds/app/web:push`;
    const answer = await stage.post({ ...password, scope });
    assert.equal(granted(answer), 'repository:builds/app:pull,push repository:builds/app/web:push');
    assert.equal(answer.json.refresh_token, undefined);
  });

  it('gives a refresh token where it is asked for, which buys access tokens for any scopes', async () => {
    const password = { grant_type: 'password', username: CI.id, password: CI.secret, access_type: 'offline' };
    const offered = [
      await stage.post(password),
      await stage.get('offline_token=true', asCi),
      await stage.get('offline_token=true', basic('anyone', await stage.oidc())),
    ];
    for (const answer of offered) {
      granted(answer);
      const refresh = answer.json.refresh_token ?? assert.fail('no refresh token');
      const again = await stage.post({ grant_type: 'refresh_token', refresh_token: refresh, scope: 'repository:builds/app:push' });
      assert.equal(granted(again), 'repository:builds/app:push');
      assert.equal(again.json.refresh_token, undefined);
      const offline = await stage.post({ grant_type: 'refresh_token', refresh_token: refresh, access_type: 'offline' });
      assert.equal(offline.json.refresh_token, refresh, 'the same one, that lasts no longer');
    }
  });

  const assertRefused = (answer: Answer) => {
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="bonded"');
    assert.equal(answer.json.errors?.[0]?.code, 'UNAUTHORIZED');
  };

  it('refuses credentials that are wrong, and never takes them for none', async () => {
    const { token, refresh_token: refresh = '' } = (await stage.get('offline_token=true', asCi)).json;
    const tampered = `${refresh.slice(0, 30)}${refresh[30] === 'A' ? 'B' : 'A'}${refresh.slice(31)}`;
    const expired = (await stage.tokensAt(Date.now() - 43_200_000)).issueRefresh(
      { kind: 'accessKey', id: `key:${CI.id}`, accessKey: { accessKeyId: CI.id, namespace: 'team-a', secretName: 'ci' } },
      () => ({ namespace: 'team-a', secretName: 'ci', accessKeyId: CI.id, secretAccessKey: CI.secret }),
    );
    const heads = [
      ...[basic(CI.id, `${CI.secret}x`), basic('nobody', CI.secret), basic(CI.id, ''), 'Basic !', bearer('a.b.c'), bearer('abc')],
      ...[bearer(refresh), basic('anyone', refresh), bearer(token), basic('anyone', token)],
      'AWS4-HMAC-SHA256 Credential=x',
    ];
    for (const authorization of heads) assertRefused(await stage.get('scope=repository:builds/open:pull', authorization));
    for (const password of [`${CI.secret}x`, token, refresh])
      assertRefused(await stage.post({ grant_type: 'password', username: CI.id, password }));
    for (const given of [token, tampered, expired, 'abc', CI.secret])
      assertRefused(await stage.post({ grant_type: 'refresh_token', refresh_token: given }));
    assertRefused(await stage.get('scope=repository:builds/open:pull&X-Amz-Signature=0&X-Amz-Algorithm=AWS4-HMAC-SHA256'));
  });

  it('refuses a URL that somebody presigned', async () => {
    const json = { 'content-type': 'application/json', authorization: asCi };
    const body = JSON.stringify({ method: 'GET', bucket: 'auth', key: 'token', query: { scope: APP } });
    const presigned = await stage.ask('/api/v1/presign', { method: 'POST', headers: json, body });
    const { pathname, search } = new URL((JSON.parse(presigned.text) as { url: string }).url);
    assert.equal(pathname, '/auth/token');
    assertRefused(await stage.ask(pathname + search));
  });

  it('refuses what is not a request for a token', async () => {
    const statuses = await Promise.all([
      stage.post({ grant_type: 'authorization_code' }),
      stage.post({}),
      stage.post({ grant_type: 'password', username: CI.id }),
      stage.post({ grant_type: 'password', password: CI.secret }),
      stage.post({ grant_type: 'refresh_token' }),
      stage.post(`grant_type=password&username=${CI.id}&password=a&password=b`),
      stage.post('grant_type=%zz'),
      stage.post({ grant_type: 'password', username: CI.id, password: CI.secret }, { 'content-type': 'application/json' }),
      stage.post({ grant_type: 'password', username: CI.id, password: CI.secret }, { authorization: asCi }),
      stage.get(`scope=${'x'.repeat(4097)}`),
      stage.get(Array.from({ length: 101 }, () => 'scope=a:b:c').join('&')),
      stage.get('offline_token=true&offline_token=false', asCi),
      stage.get('', 'Digest x'),
    ]);
    assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set([400]));
    assert.ok(statuses.every(({ json }) => json.errors?.length === 1));
    assert.equal((await stage.post(`grant_type=password&username=${'x'.repeat(70_000)}`)).status, 413);
    const put = await stage.ask('/auth/token', { method: 'PUT' });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, POST']);
    assert.equal((await stage.ask('/auth/token/more')).status, 404);
    assert.match((await stage.ask('/auth/tokens')).headers.get('content-type') ?? '', /problem/, 'the JSON API is where it was');
  });

  it('writes no secret into the log', async () => {
    const token = await stage.oidc();
    const offline = await stage.get(`offline_token=true&scope=${APP}`, basic('anyone', token));
    const refresh = offline.json.refresh_token ?? assert.fail('no refresh token');
    await stage.post({ grant_type: 'password', username: CI.id, password: `${CI.secret}` });
    await stage.post({ grant_type: 'refresh_token', refresh_token: refresh });
    await stage.post({ grant_type: 'refresh_token', refresh_token: `${refresh}x` });
    await stage.ask('/builds/app', { headers: { authorization: bearer(offline.json.token) } });
    await stage.ask('/builds/app', { headers: { authorization: bearer(refresh) } });
    await stage.get(`password=${CI.secret}&refresh_token=${refresh}`);
    const log = stage.rig.log();
    assert.match(log, /oci\.PostToken/);
    assert.match(log, /"principal":"key:ID-ci"/);
    const secrets = [
      token,
      refresh,
      offline.json.token,
      CI.secret,
      ...[token, refresh, offline.json.token].map((text) => text.split('.')[2] ?? ''),
    ];
    for (const secret of secrets) assert.equal(log.includes(secret), false, `${secret.slice(0, 8)}… is in the log`);
  });

  it('asks anew for each token that a refresh token buys', async () => {
    const refresh = (await stage.get('offline_token=true', asCi)).json.refresh_token ?? assert.fail('no refresh token');
    const again = () => stage.post({ grant_type: 'refresh_token', refresh_token: refresh, scope: 'repository:builds/app:pull,push' });
    assert.equal((await again()).json.scope, 'repository:builds/app:pull,push');
    await stage.bind(BINDINGS.replace('role: Publisher', 'role: Reader'));
    await eventually(again, ({ json }) => json.scope === 'repository:builds/app:pull');
    await stage.bind(BINDINGS.replace('secretName: ci', 'secretName: another'));
    await eventually(again, ({ status }) => status === 401);
  });
});
