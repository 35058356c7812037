/** People and pipelines with tokens of a real issuer: bearer requests, STS through AWS tools, sessions through the JSON twin. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MIB, makeWorkspace, sha256Of, type Workspace } from '../src/files.ts';
import { AUDIENCE, startIssuer, type Issuer } from '../src/issuer.ts';
import { errorOf, s3Client } from '../src/s3.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';
import { fails, run } from '../src/shell.ts';
import { runStep, stepsOf } from '../src/steps.ts';

const AWS = `${CHECKOUT}/.tools/venv/bin/aws`;
const SUBJECTS = {
  builder: { groups: ['team-a', 'everyone'] },
  reader: { groups: ['everyone'] },
  outsider: { groups: ['team-z'] },
};

const manifests = (issuer: string) => `
apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
apiVersion: bonded.dev/v1alpha1
kind: AccessBinding
metadata: { name: builders, namespace: team-a }
spec:
  subjects: [{ oidc: { issuer: '${issuer}', claims: { groups: [team-a] } } }]
  role: Maintainer
  resources: [{ bucket: builds }]
---
apiVersion: bonded.dev/v1alpha1
kind: AccessBinding
metadata: { name: readers, namespace: team-a }
spec:
  subjects: [{ oidc: { issuer: '${issuer}', claims: { groups: [everyone] } } }]
  role: Reader
  resources: [{ bucket: builds, names: ['public/**'] }]
---
apiVersion: bonded.dev/v1alpha1
kind: AccessBinding
metadata: { name: open-door, namespace: team-a }
spec:
  subjects: [{ anonymous: {} }]
  role: Reader
  resources: [{ bucket: builds, names: ['open/**'] }]
`;

interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const stsSteps = await stepsOf('sts.py');

describe('OpenID Connect', () => {
  let issuer: Issuer;
  let stranger: Issuer;
  let server: Server;
  let work: Workspace;

  before(async () => {
    issuer = await startIssuer(SUBJECTS);
    stranger = await startIssuer(SUBJECTS);
    server = await startServer({
      manifests: { 'team-a.yaml': manifests(issuer.url) },
      issuers: `- issuer: ${issuer.url}\n  audiences: [${AUDIENCE}]\n  clockSkewSeconds: 1\n`,
    });
    work = await makeWorkspace();
  });
  after(async () => {
    await server.stop();
    await issuer.stop();
    await stranger.stop();
    await work.remove();
  });

  const at = (key: string) => `${server.url}/builds/${key}`;
  const withToken = (token: string, method = 'GET', body?: string) => ({ method, body, headers: { authorization: `Bearer ${token}` } });
  const request = async (subject: string, key: string, method = 'GET', body?: string) =>
    fetch(at(key), withToken(await issuer.token(subject), method, body));

  describe('bearer tokens', () => {
    it('let curl upload and download a file', async () => {
      const sample = await work.sample('app.bin', 18 * MIB);
      const bearer = ['--header', `Authorization: Bearer ${await issuer.token('builder')}`];
      await run(['curl', '--silent', '--fail', '-T', sample.path, ...bearer, at('releases/app.bin')]);
      await run(['curl', '--silent', '--fail', '--output', work.at('app.back'), ...bearer, at('releases/app.bin')]);
      assert.equal(await sha256Of(work.at('app.back')), sample.sha256);
    });

    it('give each subject what its groups are bound to, and no more', async () => {
      assert.equal((await request('builder', 'public/doc', 'PUT', 'for everyone')).status, 200);
      assert.equal(await (await request('reader', 'public/doc')).text(), 'for everyone');
      assert.equal((await request('reader', 'releases/app.bin')).status, 403);
      assert.equal((await request('reader', 'public/doc', 'PUT', 'mine now')).status, 403);
      assert.equal((await request('reader', 'public/doc', 'DELETE')).status, 403);
      assert.equal((await request('outsider', 'public/doc')).status, 403);
      assert.equal((await request('outsider', 'public/absent')).status, 403);
    });

    it('are not needed where a binding opens the door to anyone', async () => {
      assert.equal((await request('builder', 'open/door', 'PUT', 'come in')).status, 200);
      assert.equal(await (await fetch(at('open/door'))).text(), 'come in');
      assert.equal((await fetch(at('public/doc'))).status, 403);
      assert.equal((await fetch(at('open/door'), { method: 'PUT', body: 'x' })).status, 403);
    });

    it('are refused when made for others, by others, changed, or past their time', async () => {
      const good = await issuer.token('builder');
      const [head, payload, signature] = good.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const forged = Buffer.from(JSON.stringify({ ...claims, groups: ['admins'] })).toString('base64url');
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      const bad = {
        'for another audience': await issuer.token('builder', { audience: 'another' }),
        'of an issuer nobody trusts': await stranger.token('builder'),
        'with changed claims': `${head}.${forged}.${signature}`,
        'without a signature': `${none}.${payload}.`,
        'that is no token': 'abc',
      };
      for (const [what, token] of Object.entries(bad)) {
        const answer = await fetch(at('public/doc'), withToken(token));
        const text = await answer.text();
        assert.ok([400, 401, 403].includes(answer.status), `${what}: ${answer.status}`);
        assert.match(text, /<Code>(InvalidToken|AccessDenied)<\/Code>/, what);
        assert.ok(token === 'abc' || !text.includes(token), what);
      }
    });

    it('end with their lifetime', async () => {
      const token = await issuer.token('builder', { lifetime: 2 });
      assert.equal((await fetch(at('public/doc'), withToken(token))).status, 200);
      const refused = await eventually(async () => (await fetch(at('public/doc'), withToken(token))).status !== 200, 30_000);
      assert.ok(refused, 'still taken long after its time and any clock skew');
    });

    it('of a new key are taken soon after the issuer changed its keys', async function () {
      this.timeout(120_000);
      issuer.rotateKey();
      const token = await issuer.token('builder');
      assert.ok(await eventually(async () => (await fetch(at('public/doc'), withToken(token))).status === 200, 90_000));
    });
  });

  describe('STS', () => {
    const env = async (subject: string) => {
      await writeFile(work.at(`${subject}.jwt`), await issuer.token(subject));
      return {
        PATH: server.awsEnv.PATH ?? '',
        // The AWS CLI keeps sessions in its home by role and session name, whoever's token they came from.
        HOME: work.at(subject),
        AWS_WEB_IDENTITY_TOKEN_FILE: work.at(`${subject}.jwt`),
        AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/any',
        AWS_ROLE_SESSION_NAME: 'e2e',
        AWS_ENDPOINT_URL_STS: server.url,
        AWS_ENDPOINT_URL_S3: server.url,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
        ENDPOINT: server.url,
      };
    };

    it('lets the AWS CLI work with a token file alone', async () => {
      const sample = await work.sample('sts.bin', 9 * MIB);
      const options = { env: await env('builder') };
      await run([AWS, 's3', 'cp', sample.path, 's3://builds/sts.bin'], options);
      await run([AWS, 's3', 'cp', 's3://builds/sts.bin', work.at('sts.back')], options);
      assert.equal(await sha256Of(work.at('sts.back')), sample.sha256);
    });

    it('carries the limits of the token over', async () => {
      const options = { env: await env('reader') };
      assert.equal(await run([AWS, 's3', 'cp', 's3://builds/public/doc', '-'], options), 'for everyone');
      assert.match(await fails([AWS, 's3', 'cp', 's3://builds/sts.bin', '-'], options), /403|AccessDenied/);
    });

    it('refuses a token of an issuer that nobody trusts', async () => {
      await writeFile(work.at('stranger.jwt'), await stranger.token('builder'));
      const options = {
        env: { ...(await env('builder')), HOME: work.at('stranger'), AWS_WEB_IDENTITY_TOKEN_FILE: work.at('stranger.jwt') },
      };
      assert.match(await fails([AWS, 's3', 'ls', 's3://builds'], options), /InvalidIdentityToken|AccessDenied/);
    });

    for (const step of stsSteps) {
      it(`boto3: ${step.replaceAll('_', ' ')}`, async () => {
        await runStep('sts.py', step, { env: await env('builder'), cwd: work.folder });
      });
    }
  });

  describe('POST /auth/sessions', () => {
    const open = (token: string, body: object = {}) =>
      fetch(`${server.url}/auth/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, ...body }),
      });

    it('gives a key pair and a session that AWS tools take', async () => {
      const answer = await open(await issuer.token('builder'), { durationSeconds: 900 });
      assert.ok(answer.ok, await answer.clone().text());
      const { expiration, ...session } = (await answer.json()) as Session & { expiration: string };
      assert.ok(Date.parse(expiration) > Date.now());
      const s3 = s3Client(server, { credentials: session });
      await s3.send(new PutObjectCommand({ Bucket: 'builds', Key: 'session', Body: 'by session' }));
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'builds', Key: 'session' }));
      assert.equal(await Body?.transformToString(), 'by session');
      s3.destroy();

      const without = s3Client(server, { credentials: { ...session, sessionToken: undefined } });
      assert.equal((await errorOf(without.send(new GetObjectCommand({ Bucket: 'builds', Key: 'session' })))).status, 403);
      without.destroy();
      const changed = s3Client(server, { credentials: { ...session, sessionToken: `${session.sessionToken.slice(0, -3)}AAA` } });
      const { status } = await errorOf(changed.send(new GetObjectCommand({ Bucket: 'builds', Key: 'session' })));
      assert.ok(status === 400 || status === 403, String(status));
      changed.destroy();
    });

    it('survives a restart of the server', async () => {
      const answer = await open(await issuer.token('builder'));
      const { accessKeyId, secretAccessKey, sessionToken } = (await answer.json()) as Session;
      await server.kill();
      await server.start();
      const s3 = s3Client(server, { credentials: { accessKeyId, secretAccessKey, sessionToken } });
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'builds', Key: 'session' }));
      assert.equal(await Body?.transformToString(), 'by session');
      s3.destroy();
    });

    it('refuses a token that is none', async () => {
      const answer = await open('abc');
      assert.ok([400, 401, 403].includes(answer.status), String(answer.status));
      assert.match(answer.headers.get('content-type') ?? '', /json/);
    });
  });
});

async function eventually(holds: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if (await holds()) return true;
    await sleep(1000);
  }
  return false;
}
