/** containerd of Debian, asked by its own `ctr`. */
import assert from 'node:assert/strict';
import { MIB, makeWorkspace, type Workspace } from '../../src/files.ts';
import { startContainerd, type Containerd } from '../../src/registry/containerd.ts';
import { makeImage, makeIndex } from '../../src/registry/layout.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { askRegistry, assertIndexStands, assertStands, manifestStatus } from '../../src/registry/wire.ts';
import { fails, run } from '../../src/shell.ts';

describe('containerd', () => {
  let registry: Registry;
  let work: Workspace;
  let containerd: Containerd;

  before(async () => {
    work = await makeWorkspace();
    containerd = await startContainerd(work.folder);
    registry = await startRegistry();
  });
  after(async () => {
    await containerd.stop();
    await registry.stop();
    await work.remove();
  });

  const repository = (name: string) => registry.repository(`containerd/${name}`);
  const reference = (name: string, tag: string) => `${registry.host}/${repository(name)}:${tag}`;
  const access = (password = registry.password) => ['--plain-http', '--user', `${registry.user}:${password}`];
  const ctr = (...args: string[]) => containerd.ctr(...args);
  /** Brings a layout into containerd under the name that it is to have in the registry. */
  const bring = async (layout: string, name: string, tag: string) => {
    const archive = `${layout}.tar`;
    await run(['tar', '-C', layout, '-cf', archive, '.'], { env: { PATH: '/usr/bin:/bin' } });
    await ctr('images', 'import', '--no-unpack', '--all-platforms', '--base-name', `${registry.host}/${repository(name)}`, archive);
    return reference(name, tag);
  };

  it('is refused without a password, and with a wrong one', async () => {
    const image = await makeImage(work.at('refused'), 'a');
    const name = await bring(image.layout, 'refused', 'a');
    const refused = /unauthorized|401|authorization failed|no basic auth/i;
    assert.match(await fails(containerd.command('images', 'push', '--plain-http', name)), refused);
    assert.match(await fails(containerd.command('images', 'push', ...access('not the password'), name)), refused);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes an image, which stands byte for byte, and pulls and unpacks the same', async () => {
    const image = await makeImage(work.at('image'), '1.0', 3 * MIB);
    const name = await bring(image.layout, 'image', '1.0');
    await ctr('images', 'push', ...access(), name);
    await assertStands(registry, repository('image'), '1.0', image);
    await ctr('images', 'remove', '--sync', name);
    assert.equal((await ctr('content', 'ls', '--quiet')).includes(image.descriptor.digest), false);
    await ctr('images', 'pull', '--snapshotter', 'native', ...access(), name);
    const [line = ''] = (await ctr('images', 'ls', `name==${name}`)).split('\n').filter((one) => one.startsWith(name));
    assert.ok(line.includes(image.descriptor.digest), line);
    const held = await ctr('content', 'ls', '--quiet');
    for (const { digest } of [image.config, ...image.layers]) assert.ok(held.includes(digest), `${digest} is not among\n${held}`);
  });

  it('pushes an index with its images, and fetches it by digest', async () => {
    const index = await makeIndex(work.at('index'), 'all');
    const name = await bring(index.layout, 'index', 'all');
    await ctr('images', 'push', ...access(), name);
    await assertIndexStands(registry, repository('index'), 'all', index);
    const byDigest = `${registry.host}/${repository('index')}@${index.descriptor.digest}`;
    await ctr('images', 'remove', '--sync', name);
    await ctr('content', 'fetch', '--all-platforms', ...access(), byDigest);
    const held = await ctr('content', 'ls', '--quiet');
    for (const image of index.images) assert.ok(held.includes(image.descriptor.digest));
  });

  it('does not find what was deleted', async () => {
    const image = await makeImage(work.at('deleted'), 'gone');
    const name = await bring(image.layout, 'deleted', 'gone');
    await ctr('images', 'push', ...access(), name);
    const { status } = await askRegistry(registry, `${repository('deleted')}/manifests/${image.descriptor.digest}`, 'DELETE');
    assert.equal(status, 202);
    assert.match(await fails(containerd.command('images', 'pull', '--snapshotter', 'native', ...access(), name)), /not found/);
  });
});
