import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { ROOT_NAME, SYSTEM_NAMESPACE } from '@bonded/crds';
import type { Config } from '../../src/config/openConfig.ts';
import { isError } from '../../src/errors.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { bucketText, createWorkshop, until, type Workshop } from './workshop.ts';

const TIMING = { settleMs: 20, rescanMs: 200 };

describe('the configuration', () => {
  let shop: Workshop;
  beforeEach(async () => void (shop = await createWorkshop()));
  afterEach(() => shop.close());

  const buckets = (config: Config): readonly string[] => [...config.current().bucketsByName.keys()];

  it('of an empty directory is that of the built-in Owner alone', async () => {
    const config = await shop.open();
    const { bindings, accessKeys, buckets: none } = config.current();
    assert.deepEqual(none, []);
    assert.deepEqual(
      bindings.map(({ namespace, name, role, resources }) => [namespace, name, role, resources]),
      [[SYSTEM_NAMESPACE, ROOT_NAME, 'Owner', undefined]],
    );
    assert.equal(config.current().accessKeysById.get(config.root.accessKeyId)?.secretAccessKey, config.root.secretAccessKey);
    assert.equal(accessKeys.length, 1);
    assert.deepEqual(config.status(), { ready: true, revision: config.current().revision, problems: [], notReady: [] });
  });

  it('keeps secrets where only the owner of the server reads', async () => {
    const config = await shop.open();
    await config.writer.createBucket('builds', 'team-a');
    for (const file of ['config.db', 'config.db-wal', 'root-credentials']) {
      assert.equal((await stat(join(shop.data, file))).mode & 0o077, 0, file);
    }
  });

  it('is one object until it changes, and the same for every process of the machine', async () => {
    const [one, two] = [await shop.open(), await shop.open()];
    const before = one.current();
    assert.equal(one.current(), before);
    await shop.write('a.yaml', bucketText('builds'));
    await two.reload();
    assert.deepEqual(buckets(one), ['builds']);
    assert.notEqual(one.current(), before);
    assert.equal(one.current(), one.current());
    assert.deepEqual(before.buckets, []);
  });

  it('follows the directory', async () => {
    const config = await shop.open({ watch: true, timing: TIMING });
    await shop.write('deep/er/a.yaml', bucketText('builds'));
    await until(() => buckets(config).includes('builds'));
    await rm(join(shop.manifests, 'deep'), { recursive: true });
    await until(() => buckets(config).length === 0);
  });

  it('refuses a broken directory as a whole, says so once, and keeps the last good state', async () => {
    const lines: string[] = [];
    const log = createLog({
      level: 'info',
      destination: new Writable({ write: (chunk: Buffer, _, done) => (lines.push(chunk.toString()), done()) }),
    });
    await shop.write('a.yaml', bucketText('builds'));
    const config = await shop.open({ log });
    await shop.write('b.yaml', bucketText('other').replace('spec: {}', 'spec: { secretAccessKey: hunter2 }'));
    for (const _ of [1, 2, 3]) assert.equal((await config.reload()).outcome, 'refused');
    assert.deepEqual(buckets(config), ['builds']);
    assert.deepEqual(config.status().problems, ['b.yaml:6: spec.secretAccessKey: unknown field']);
    assert.equal(config.status().ready, true);
    assert.equal(lines.length, 1);
    assert.match(lines.join(), /b\.yaml:6: spec\.secretAccessKey: unknown field/);
    assert.ok(!lines.join().includes('hunter2'));

    await shop.write('b.yaml', bucketText('other'));
    await config.reload();
    assert.deepEqual([buckets(config), config.status().problems], [['builds', 'other'], []]);
    assert.equal(lines.length, 2);
  });

  it('starts with the last good state when the directory is broken by then', async () => {
    await shop.write('a.yaml', bucketText('builds'));
    await (await shop.open()).reload();
    await shop.write('a.yaml', 'broken: [');
    const config = await shop.open({ watch: true });
    assert.deepEqual(buckets(config), ['builds']);
    assert.match(config.status().problems.join(), /^a\.yaml:\d+: /);
  });

  it('takes a renewed key of the Owner also then', async () => {
    const first = await shop.open();
    await shop.write('a.yaml', 'broken: [');
    await rm(first.root.file);
    const config = await shop.open();
    assert.notEqual(config.root.accessKeyId, first.root.accessKeyId);
    assert.deepEqual([...config.current().accessKeysById.keys()], [config.root.accessKeyId]);
  });

  it('is not ready while nothing was ever good', async () => {
    await shop.write('a.yaml', 'broken: [');
    const config = await shop.open();
    assert.equal(config.status().ready, false);
    assert.throws(
      () => config.current(),
      (error) => isError(error, 'Unavailable') && !error.message.includes('a.yaml'),
    );
    await shop.write('a.yaml', bucketText('builds'));
    await config.reload();
    assert.deepEqual(buckets(config), ['builds']);
  });

  it('refuses a change of what is immutable, with the line of it', async () => {
    const file = await shop.write('a.yaml', bucketText('res', '{ name: builds }'));
    const config = await shop.open();
    await writeFile(file, bucketText('res', '\n  name: renamed\n  location: default'));
    assert.deepEqual(await config.reload(), {
      outcome: 'refused',
      problems: [`a.yaml:1: spec.name is immutable; make another Bucket and copy what it should hold`],
    });
    await writeFile(file, bucketText('res', '\n  name: builds\n  location: moon'));
    assert.deepEqual((await config.reload()).outcome, 'refused');
    assert.match(config.status().problems.join(), /^a\.yaml:8: spec\.location: spec\.location is immutable/);
    await rm(file);
    await config.reload();
    await writeFile(file, bucketText('res', '{ name: renamed }'));
    assert.equal((await config.reload()).outcome, 'inForce');
  });

  it('leaves a name with the bucket that has it, also when its taker comes first in the directory', async () => {
    await shop.write('z.yaml', bucketText('builds'));
    const config = await shop.open();
    await shop.write('a.yaml', bucketText('thief', '{ name: builds }', 'aaa'));
    await config.reload();
    assert.equal(config.current().bucketsByName.get('builds')?.namespace, 'team-a');
    assert.deepEqual(
      config.status().notReady.map(({ namespace, name, reason }) => [namespace, name, reason]),
      [['aaa', 'thief', 'NameTaken']],
    );
  });

  it('never goes back to an older view, whoever publishes at once', async () => {
    const configs = await Promise.all([shop.open(), shop.open(), shop.open()]);
    for (let round = 1; round <= 10; round += 1) {
      const reloads = configs.map((config) => config.reload());
      await shop.write(
        'a.yaml',
        bucketText(`builds-${round}`).replace(`name: builds-${round}`, `name: res-${round}`).replace('{}', `{ name: builds-${round} }`),
      );
      await Promise.all([...reloads, configs[round % 3]?.reload()]);
      assert.deepEqual(configs.map(buckets), Array(3).fill([`builds-${round}`]));
    }
  });

  it('writes no secret anywhere but where secrets are', async () => {
    const config = await shop.open();
    await config.writer.createBucket('builds', 'team-a');
    const manifest = await readFile(join(shop.manifests, 'api/team-a/bucket-builds.yaml'), 'utf8');
    assert.ok(!manifest.includes(config.root.secretAccessKey));
    assert.ok(!JSON.stringify(config.status()).includes(config.root.secretAccessKey));
  });

  it('refuses a data directory that cannot be used', async () => {
    await writeFile(shop.data, 'a file');
    await assert.rejects(shop.open());
  });
});
