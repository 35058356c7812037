import assert from 'node:assert/strict';
import type { PolicyConfig, PolicyStatement, Snapshot } from '@bonded/crds';
import type { Configuration } from '../../../../src/core/core.ts';
import { ArtefactError } from '../../../../src/errors.ts';
import { bucket, perform, recordingConfiguration, snapshot, textOf } from '../fakes.ts';
import type { Request } from '../fakes.ts';

const plain = snapshot(bucket('builds'));

async function put(target: string, body: string, request: Request = {}, world: Snapshot = plain) {
  const { configuration, told } = recordingConfiguration();
  const answer = await perform({ snapshot: world, core: { configuration } }, 'PUT', target, { body, ...request });
  return { ...answer, code: textOf(answer.body, 'Code'), told };
}

describe('Bucket versioning', () => {
  const versioning = (inner: string) =>
    `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</VersioningConfiguration>`;

  it('has no status until it was enabled', async () => {
    const read = async (versioning: 'Disabled' | 'Enabled' | 'Suspended') =>
      textOf((await perform({ snapshot: snapshot(bucket('builds', { versioning })) }, 'GET', '/builds?versioning')).body, 'Status');
    assert.deepEqual(await Promise.all([read('Disabled'), read('Enabled'), read('Suspended')]), [undefined, 'Enabled', 'Suspended']);
  });

  it('can be enabled and suspended', async () => {
    for (const status of ['Enabled', 'Suspended']) {
      const answer = await put('/builds?versioning', versioning(`<Status>${status}</Status><MfaDelete>Disabled</MfaDelete>`));
      assert.deepEqual([answer.status, answer.told], [200, [['updateBucket', 'builds', { versioning: status }]]]);
    }
  });

  it('refuses MFA delete, no status, and another one', async () => {
    const refused = async (inner: string, request?: Request) => (await put('/builds?versioning', versioning(inner), request)).code;
    assert.equal(await refused('<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>'), 'NotImplemented');
    assert.equal(await refused('<Status>Enabled</Status>', { headers: { 'x-amz-mfa': 'x 123456' } }), 'NotImplemented');
    assert.equal(await refused(''), 'IllegalVersioningConfigurationException');
    for (const inner of ['<Status>Disabled</Status>', '<Status/>', '<Status>Enabled</Status><Status>Suspended</Status>', '<X/>']) {
      assert.equal(await refused(inner), 'MalformedXML', inner);
    }
  });
});

describe('Bucket tagging', () => {
  it('is read, replaced and removed', async () => {
    const tagged = snapshot(bucket('builds', { tags: { team: 'a&b' } }));
    const { body } = await perform({ snapshot: tagged }, 'GET', '/builds?tagging');
    assert.deepEqual([textOf(body, 'Key'), textOf(body, 'Value')], ['team', 'a&amp;b']);
    const changed = await put('/builds?tagging', '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>');
    assert.deepEqual([changed.status, changed.told], [204, [['updateBucket', 'builds', { tags: { k: 'v' } }]]]);
    const { configuration, told } = recordingConfiguration();
    assert.equal((await perform({ snapshot: tagged, core: { configuration } }, 'DELETE', '/builds?tagging')).status, 204);
    assert.deepEqual(told, [['updateBucket', 'builds', { tags: {} }]]);
  });

  it('says NoSuchTagSet without any', async () => {
    const { status, body } = await perform({ snapshot: plain }, 'GET', '/builds?tagging');
    assert.deepEqual([status, textOf(body, 'Code'), textOf(body, 'BucketName')], [404, 'NoSuchTagSet', 'builds']);
  });
});

describe('Settings that Bonded has not', () => {
  const ERRORS = {
    encryption: 'ServerSideEncryptionConfigurationNotFoundError',
    lifecycle: 'NoSuchLifecycleConfiguration',
    replication: 'ReplicationConfigurationNotFoundError',
    website: 'NoSuchWebsiteConfiguration',
    'object-lock': 'ObjectLockConfigurationNotFoundError',
    publicAccessBlock: 'NoSuchPublicAccessBlockConfiguration',
  };
  for (const [subresource, code] of Object.entries(ERRORS)) {
    it(`say ${code}`, async () => {
      const { status, body } = await perform({ snapshot: plain }, 'GET', `/builds?${subresource}`);
      assert.deepEqual([status, textOf(body, 'Code')], [404, code]);
      assert.equal((await perform({ snapshot: plain }, 'GET', `/nothing?${subresource}`)).failed, 'BucketUnknown');
    });
  }

  it('are empty where S3 has an empty document for it', async () => {
    const read = async (subresource: string) => (await perform({ snapshot: plain }, 'GET', `/builds?${subresource}`)).body;
    assert.match(await read('accelerate'), /<AccelerateConfiguration xmlns="[^"]+"><\/AccelerateConfiguration>$/);
    assert.match(await read('logging'), /<BucketLoggingStatus xmlns="[^"]+"><\/BucketLoggingStatus>$/);
    assert.match(await read('notification'), /<NotificationConfiguration xmlns="[^"]+"><\/NotificationConfiguration>$/);
    assert.equal(textOf(await read('requestPayment'), 'Payer'), 'BucketOwner');
  });
});

describe('Bucket policy', () => {
  const statement = (changes: Partial<PolicyStatement> = {}): PolicyStatement => ({
    effect: 'Allow',
    principals: { not: false, any: true, names: [] },
    actions: { not: false, patterns: ['s3:getobject'] },
    resources: { not: false, patterns: ['builds/*'] },
    conditions: [],
    ...changes,
  });
  const policy = (name: string, source: string, changes: Partial<PolicyConfig> = {}): PolicyConfig => ({
    namespace: 'team-a',
    name,
    origin: { managedBy: 'api', owner: 'bonded' },
    bucket: 'builds',
    document: { version: '2012-10-17', statements: [statement()] },
    source,
    ...changes,
  });
  const having = (...policies: readonly PolicyConfig[]): Snapshot => ({ ...plain, policies });

  it('is answered as it was written', async () => {
    const source = '{ "Version": "2012-10-17", "Statement": [ {"Sid":"a"} ] }';
    const { status, headers, body } = await perform({ snapshot: having(policy('p', source)) }, 'GET', '/builds?policy');
    assert.deepEqual([status, headers['content-type'], body], [200, 'application/json', source]);
  });

  it('is one document where manifests make several, and never shows those of others', async () => {
    const one = policy('one', '{"Version":"2012-10-17","Statement":[{"Sid":"a"}]}');
    const two = policy('two', '{"Version":"2012-10-17","Statement":{"Sid":"b"}}');
    const systems = policy('all', '{"Statement":[{"Sid":"c"}]}', { namespace: 'bonded-system' });
    const { body } = await perform({ snapshot: having(one, two, systems) }, 'GET', '/builds?policy');
    assert.deepEqual(JSON.parse(body), { Version: '2012-10-17', Statement: [{ Sid: 'a' }, { Sid: 'b' }] });
    assert.equal(textOf((await perform({ snapshot: having(systems) }, 'GET', '/builds?policy')).body, 'Code'), 'NoSuchBucketPolicy');
  });

  it('goes to the configuration as it came', async () => {
    const answer = await put('/builds?policy', '{"Version":"2012-10-17"}');
    assert.deepEqual([answer.status, answer.told], [204, [['putPolicy', 'builds', '{"Version":"2012-10-17"}']]]);
  });

  it('is refused when malformed, too long, or managed elsewhere', async () => {
    const failing = (code: 'InvalidPolicy' | 'ManagedElsewhere'): Configuration => ({
      ...recordingConfiguration().configuration,
      putPolicy: () => Promise.reject(new ArtefactError(code, 'words')),
    });
    const refusal = async (configuration: Configuration) => {
      const { status, body } = await perform({ snapshot: plain, core: { configuration } }, 'PUT', '/builds?policy', { body: '{}' });
      return [status, textOf(body, 'Code')];
    };
    assert.deepEqual(await refusal(failing('InvalidPolicy')), [400, 'MalformedPolicy']);
    assert.deepEqual(await refusal(failing('ManagedElsewhere')), [409, 'InvalidBucketState']);
    assert.equal((await put('/builds?policy', 'x'.repeat(20 * 1024 + 1))).code, 'MaxMessageLengthExceeded');
    const { configuration, told } = recordingConfiguration();
    const notText = await perform({ snapshot: plain, core: { configuration } }, 'PUT', '/builds?policy', { body: Buffer.from([0xff]) });
    assert.deepEqual([textOf(notText.body, 'Code'), told], ['MalformedPolicy', []]);
  });

  it('is deleted once; deleting none succeeds', async () => {
    const { configuration, told } = recordingConfiguration();
    assert.equal((await perform({ snapshot: having(policy('p', '{}')), core: { configuration } }, 'DELETE', '/builds?policy')).status, 204);
    assert.equal((await perform({ snapshot: plain, core: { configuration } }, 'DELETE', '/builds?policy')).status, 204);
    assert.deepEqual(told, [['deletePolicy', 'builds']]);
  });

  describe('status', () => {
    const isPublic = async (world: Snapshot) =>
      textOf((await perform({ snapshot: world }, 'GET', '/builds?policyStatus')).body, 'IsPublic');
    const saying = (changes: Partial<PolicyStatement>) =>
      having(policy('p', '{}', { document: { version: '2012-10-17', statements: [statement(changes)] } }));
    const condition = { operator: 'IpAddress', ifExists: false, key: 'aws:sourceip', values: ['192.0.2.0/24'] };

    it('is public when everyone is allowed something', async () => {
      assert.equal(await isPublic(saying({})), 'true');
      assert.equal(await isPublic(saying({ principals: { not: true, any: false, names: [] } })), 'true');
      assert.equal(await isPublic(saying({ conditions: [{ ...condition, values: ['0.0.0.0/0'] }] })), 'true');
      assert.equal(await isPublic(saying({ conditions: [{ ...condition, operator: 'NotIpAddress' }] })), 'true');
      assert.equal(await isPublic(saying({ conditions: [{ ...condition, key: 's3:prefix', operator: 'StringEquals' }] })), 'true');
    });

    it('is not public for denials, named principals, or known addresses', async () => {
      assert.equal(await isPublic(saying({ effect: 'Deny' })), 'false');
      assert.equal(await isPublic(saying({ principals: { not: false, any: false, names: [{ type: 'AWS', value: 'AK' }] } })), 'false');
      assert.equal(await isPublic(saying({ conditions: [condition] })), 'false');
      const claim = { ...condition, operator: 'StringEquals', key: 'bonded:claim/repository', values: ['acme/app'] };
      assert.equal(await isPublic(saying({ conditions: [claim] })), 'false');
      assert.equal(await isPublic(saying({ conditions: [{ ...claim, ifExists: true }] })), 'true');
    });

    it('sees bindings of anonymous callers too, of the tenant and of the installation', async () => {
      const binding = (namespace: string, resources?: { bucket: string }[]) => ({
        ...plain,
        bindings: [{ namespace, name: 'open', subjects: [{ kind: 'anonymous' as const }], role: 'Reader' as const, resources }],
      });
      assert.equal(await isPublic(binding('team-a')), 'true');
      assert.equal(await isPublic(binding('bonded-system', [{ bucket: 'builds' }])), 'true');
      assert.equal(await isPublic(binding('team-b')), undefined);
      assert.equal(await isPublic(binding('team-a', [{ bucket: 'other' }])), undefined);
    });

    it('says NoSuchBucketPolicy where there is none', async () => {
      assert.equal(textOf((await perform({ snapshot: plain }, 'GET', '/builds?policyStatus')).body, 'Code'), 'NoSuchBucketPolicy');
    });
  });
});
