/** crane, of go-containerregistry. */
import assert from 'node:assert/strict';
import { MIB, makeWorkspace, type Workspace } from '../../src/files.ts';
import { digestsIn, makeImage, makeIndex } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { assertIndexStands, assertStands, manifestStatus, tagsOf } from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

describe('crane', () => {
  let registry: Registry;
  let work: Workspace;

  before(async () => {
    program('crane');
    registry = await startRegistry();
    work = await makeWorkspace();
    await login(work.at('known'));
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const env = (home = work.at('known')) => ({ HOME: home, DOCKER_CONFIG: home });
  const command = (...args: string[]): Command => [program('crane'), ...args];
  const crane = (...args: string[]) => run(command(...args), { env: env() });
  const login = (home: string, password = registry.password) =>
    run(command('auth', 'login', registry.host, '--username', registry.user, '--password-stdin'), { env: env(home), input: password });
  const repository = (name: string) => registry.repository(`crane/${name}`);
  const at = (name: string) => `${registry.host}/${repository(name)}`;

  it('is refused without a password, and with a wrong one', async () => {
    const image = await makeImage(work.at('refused'), 'a');
    const push = command('push', image.layout, `${at('refused')}:a`);
    assert.match(await fails(push, { env: env(work.at('stranger')) }), /UNAUTHORIZED|401/i);
    await login(work.at('mistaken'), 'not the password');
    assert.match(await fails(push, { env: env(work.at('mistaken')) }), /UNAUTHORIZED|401/i);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes an image, which stands byte for byte, and pulls the same', async () => {
    const image = await makeImage(work.at('image'), '1.0', 5 * MIB);
    await crane('push', image.layout, `${at('image')}:1.0`);
    await assertStands(registry, repository('image'), '1.0', image);
    assert.equal((await crane('digest', `${at('image')}:1.0`)).trim(), image.descriptor.digest);
    await crane('validate', '--remote', `${at('image')}:1.0`);
    await crane('pull', '--format', 'oci', `${at('image')}:1.0`, work.at('image-back'));
    assert.deepEqual(await digestsIn(work.at('image-back')), await digestsIn(image.layout));
  });

  it('pushes an index with its images', async () => {
    const index = await makeIndex(work.at('index'), 'all');
    await crane('push', index.layout, `${at('index')}:all`);
    await assertIndexStands(registry, repository('index'), 'all', index);
    const arm = await crane('digest', '--platform', 'linux/arm64', `${at('index')}:all`);
    assert.equal(arm.trim(), index.images[1]?.descriptor.digest);
  });

  it('tags, lists tags, and copies between repositories', async () => {
    const image = await makeImage(work.at('tags'), 'b');
    await crane('push', image.layout, `${at('tags')}:b`);
    for (const tag of ['c', 'a']) await crane('tag', `${at('tags')}:b`, tag);
    assert.deepEqual((await crane('ls', at('tags'))).trim().split('\n').toSorted(), ['a', 'b', 'c']);
    await crane('copy', `${at('tags')}:a`, `${at('copies')}:a`);
    await assertStands(registry, repository('copies'), 'a', image);
    assert.match(await crane('catalog', registry.host), new RegExp(`^${repository('copies')}$`, 'm'));
  });

  it('deletes', async () => {
    const image = await makeImage(work.at('deleted'), 'gone');
    await crane('push', image.layout, `${at('deleted')}:gone`);
    await crane('delete', `${at('deleted')}@${image.descriptor.digest}`);
    assert.equal(await manifestStatus(registry, repository('deleted'), 'gone'), 404);
    assert.match(await fails(command('digest', `${at('deleted')}:gone`), { env: env() }), /MANIFEST_UNKNOWN|404/);
    assert.deepEqual(await tagsOf(registry, repository('deleted')), []);
  });
});
