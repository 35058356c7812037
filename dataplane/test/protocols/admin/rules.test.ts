/** The JSON API under the real rules of authorisation. */
import assert from 'node:assert/strict';
import type { BindingConfig, Role } from '@bonded/crds';
import { parsePolicyDocument, SYSTEM_NAMESPACE } from '@bonded/crds';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import type { Principal } from '../../../src/authn/principal.ts';
import { authorise } from '../../../src/authz/authorise.ts';
import { indexSnapshot } from '../../../src/config/snapshot.ts';
import { createAccess } from '../../../src/protocols/admin/access.ts';
import { bucketNamed, createStage, NOW, objectNamed, snapshotOf } from './stage.ts';
import type { Stage } from './stage.ts';

const principal = (secretName: string, namespace: string): Principal => ({
  kind: 'accessKey',
  id: `key:${secretName}`,
  accessKey: { accessKeyId: secretName, namespace, secretName },
});

const WHO = {
  platform: principal('platform', SYSTEM_NAMESPACE),
  owner: principal('owner', 'team-a'),
  releaser: principal('releaser', 'team-a'),
  stranger: principal('stranger', 'team-b'),
  nobody: ANONYMOUS,
} as const;

const DIGEST = `sha256:${'ab'.repeat(32)}`;

function binding(who: keyof typeof WHO, role: Role, resources?: BindingConfig['resources']): BindingConfig {
  const { namespace = '', secretName = '' } = WHO[who].accessKey ?? {};
  return { namespace, name: who, role, subjects: [{ kind: 'accessKey', namespace, secretName }], resources };
}

function stageWithRules(): Stage {
  const stage = createStage({ access: createAccess(() => NOW) });
  stage.buckets.push(bucketNamed('builds'), bucketNamed('other', { namespace: 'team-c' }));
  stage.objects.set('builds', [objectNamed('releases/1/app'), objectNamed('secret/key')]);
  stage.objects.set('other', [objectNamed('releases/9/app')]);
  stage.bindings.push(
    binding('platform', 'Owner'),
    binding('owner', 'Owner'),
    binding('releaser', 'Reader', [{ bucket: 'builds', names: ['releases/**'] }]),
    binding('stranger', 'Reader'),
  );
  stage.may = (demand) => authorise(indexSnapshot(snapshotOf(stage)), stage.principal, demand).allowed;
  return stage;
}

/** What a request is answered, for each of them. */
async function statuses(stage: Stage, method: string, target: string, body?: unknown): Promise<Record<keyof typeof WHO, number>> {
  const answers: Partial<Record<keyof typeof WHO, number>> = {};
  for (const who of Object.keys(WHO) as (keyof typeof WHO)[]) {
    stage.principal = WHO[who];
    answers[who] = (await stage.send(method, target, { body })).status;
  }
  return answers as Record<keyof typeof WHO, number>;
}

async function as(stage: Stage, who: keyof typeof WHO, target: string) {
  stage.principal = WHO[who];
  return (await stage.send('GET', target)).json;
}

describe('the JSON API under the rules', () => {
  const everyone = { platform: 200, owner: 200, releaser: 200, stranger: 200, nobody: 200 };
  const table: readonly (readonly [method: string, target: string, answers: Partial<typeof everyone>])[] = [
    ['GET', '/api/v1/whoami', everyone],
    ['GET', '/api/v1/openapi.json', everyone],
    ['GET', '/api/v1/buckets', { ...everyone, nobody: 401 }],
    ['GET', '/api/v1/search', { ...everyone, nobody: 401 }],
    ['GET', '/api/v1/buckets/builds', { platform: 200, owner: 200, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/buckets/absent', { platform: 404, owner: 404, releaser: 403, stranger: 403, nobody: 401 }],
    ['PUT', '/api/v1/buckets/builds', { platform: 200, owner: 200, releaser: 403, stranger: 403, nobody: 401 }],
    ['PUT', '/api/v1/buckets/other', { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/search?bucket=builds', { platform: 200, owner: 200, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/search?bucket=builds&prefix=releases/', { platform: 200, owner: 200, releaser: 200, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/search?bucket=builds&glob=releases/**/app', { platform: 200, owner: 200, releaser: 200, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/journal', { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/journal?bucket=builds', { platform: 200, owner: 200, releaser: 403, stranger: 403, nobody: 401 }],
    ['POST', '/api/v1/collection', { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/scrub', { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['POST', '/api/v1/scrub', { platform: 202, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['GET', '/api/v1/scrub/findings', { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['POST', `/api/v1/digests/${DIGEST}/scrub`, { platform: 200, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
    ['DELETE', '/api/v1/buckets/builds?force=true', { platform: 204, owner: 204, releaser: 403, stranger: 403, nobody: 401 }],
    ['DELETE', '/api/v1/buckets/other', { platform: 204, owner: 403, releaser: 403, stranger: 403, nobody: 401 }],
  ];
  for (const [method, target, expected] of table) {
    it(`${method} ${target}`, async () => assert.deepEqual(await statuses(stageWithRules(), method, target), expected));
  }

  it('lists the buckets in which the caller may do something', async () => {
    const stage = stageWithRules();
    const seen = async (who: keyof typeof WHO) => (await as(stage, who, '/api/v1/buckets')).buckets.map(({ name }) => name);
    assert.deepEqual(await seen('platform'), ['builds', 'other']);
    assert.deepEqual(await seen('owner'), ['builds']);
    assert.deepEqual(await seen('releaser'), ['builds']);
    assert.deepEqual(await seen('stranger'), []);
  });

  it('finds only what the caller may list', async () => {
    const stage = stageWithRules();
    const found = async (who: keyof typeof WHO, query: string) =>
      (await as(stage, who, `/api/v1/search?${query}`)).objects.map(({ bucket, key }) => `${bucket}/${key}`);
    assert.deepEqual(await found('platform', ''), ['builds/releases/1/app', 'builds/secret/key', 'other/releases/9/app']);
    assert.deepEqual(await found('owner', ''), ['builds/releases/1/app', 'builds/secret/key']);
    assert.deepEqual(await found('releaser', 'prefix=releases/'), ['builds/releases/1/app']);
    assert.deepEqual(await found('releaser', ''), []);
    assert.deepEqual(await found('stranger', ''), []);
  });

  it('makes a bucket in the namespace of the binding that allows it', async () => {
    const stage = stageWithRules();
    stage.principal = WHO.owner;
    assert.equal((await stage.send('PUT', '/api/v1/buckets/fresh')).json.namespace, 'team-a');
    assert.equal((await stage.send('PUT', '/api/v1/buckets/theirs', { body: { namespace: 'team-b' } })).status, 403);
    stage.principal = WHO.platform;
    assert.equal((await stage.send('PUT', '/api/v1/buckets/theirs', { body: { namespace: 'team-b' } })).json.namespace, 'team-b');
  });

  it('does not empty a bucket in which a policy protects a name', async () => {
    const stage = stageWithRules();
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:DeleteObjectVersion', Resource: 'arn:aws:s3:::builds/secret/*' };
    const document = parsePolicyDocument(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }), 'builds');
    const policy = { namespace: 'team-a', name: 'builds', origin: { managedBy: 'api', owner: 'api' }, bucket: 'builds', document } as const;
    stage.may = (demand) => authorise(indexSnapshot({ ...snapshotOf(stage), policies: [policy] }), stage.principal, demand).allowed;
    stage.principal = WHO.platform;
    assert.equal((await stage.send('DELETE', '/api/v1/buckets/builds?force=true')).json.code, 'AccessDenied');
    assert.deepEqual(stage.done, []);
  });

  it('tells each caller the bindings that name it', async () => {
    const stage = stageWithRules();
    const bindings = async (who: keyof typeof WHO) => (await as(stage, who, '/api/v1/whoami')).bindings;
    assert.deepEqual(await bindings('platform'), [{ namespace: SYSTEM_NAMESPACE, name: 'platform', role: 'Owner' }]);
    assert.deepEqual(await bindings('releaser'), [
      { namespace: 'team-a', name: 'releaser', role: 'Reader', resources: [{ bucket: 'builds', names: ['releases/**'] }] },
    ]);
    assert.deepEqual(await bindings('nobody'), []);
  });
});
