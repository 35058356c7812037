/** podman of Debian. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { MIB, makeWorkspace, type Workspace } from '../../src/files.ts';
import { openContainers, type Containers } from '../../src/registry/containers.ts';
import { makeImage, makeIndex } from '../../src/registry/layout.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { askRegistry, blobOf, manifestOf, manifestStatus, parsed } from '../../src/registry/wire.ts';
import { fails, run } from '../../src/shell.ts';

describe('podman', () => {
  let registry: Registry;
  let work: Workspace;
  let podman: Containers;

  before(async () => {
    work = await makeWorkspace();
    podman = await openContainers('podman', work);
    registry = await startRegistry();
    await run(podman.loginCommand(registry), { env: podman.env(), input: registry.password });
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const repository = (name: string) => registry.repository(`podman/${name}`);
  const at = (name: string, tag: string) => `${registry.host}/${repository(name)}:${tag}`;
  const pushCommand = (name: string) => podman.command('push', '--tls-verify=false', '--digestfile', work.at('digest'), name);
  /** Pushes; answers the digest that podman gives the image. Layers are packed anew by it. */
  const push = async (name: string) => {
    await run(pushCommand(name), { env: podman.env() });
    return (await readFile(work.at('digest'), 'utf8')).trim();
  };
  const idOf = async (name: string) => (await podman.run('image', 'inspect', '--format', '{{.Id}}', name)).trim();
  /** Takes an image from a layout into podman's storage, by the name that it is to have in the registry. */
  const bring = async (name: string, tag: string, bytes = 100_000) => {
    const image = await makeImage(work.at(name), tag, bytes);
    // It makes a name of the path, which must then be in lower case.
    const id = (await podman.run('pull', `oci:${name}:${tag}`)).trim();
    await podman.run('tag', id, at(name, tag));
    return { image, id, name: at(name, tag) };
  };

  it('is refused without a password, and with a wrong one', async () => {
    const { name } = await bring('refused', 'a');
    assert.match(
      await fails(pushCommand(name), { env: podman.env('stranger') }),
      /unauthorized|authentication required|access to the resource is denied/i,
    );
    const mistaken = { env: podman.env('stranger'), input: 'not the password' };
    assert.match(await fails(podman.loginCommand(registry), mistaken), /invalid username\/password|unauthorized/i);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes an image and pulls the same', async () => {
    const { image, id, name } = await bring('image', '1.0', 3 * MIB);
    assert.equal(`sha256:${id}`, image.config.digest);
    const digest = await push(name);
    const stored = await manifestOf(registry, repository('image'), '1.0');
    assert.equal(stored.digest, digest);
    const { config, layers = [] } = parsed(stored);
    assert.equal(config?.digest, image.config.digest);
    assert.equal(layers.length, image.layers.length);
    for (const one of layers) await blobOf(registry, repository('image'), one.digest);
    await podman.run('rmi', '--force', id);
    await fails(podman.command('image', 'inspect', name), { env: podman.env() });
    await podman.run('pull', '--tls-verify=false', `${registry.host}/${repository('image')}@${digest}`);
    await podman.run('pull', '--tls-verify=false', name);
    assert.equal(await idOf(name), id);
    const again = await podman.run('image', 'inspect', '--format', '{{.Digest}}', name);
    assert.equal(again.trim(), digest);
  });

  it('pushes a manifest list with the images that it names', async () => {
    const { images, layout } = await makeIndex(work.at('list'), 'all');
    assert.equal(images.length, 2);
    await podman.run('manifest', 'create', 'several');
    await podman.run('manifest', 'add', '--all', 'several', `oci:${layout}:all`);
    const target = `docker://${at('list', 'all')}`;
    await podman.run('manifest', 'push', '--all', '--tls-verify=false', 'several', target);
    const stored = parsed(await manifestOf(registry, repository('list'), 'all'));
    assert.equal(stored.manifests?.length, 2);
    // podman packs the image of its own architecture anew.
    for (const { digest } of stored.manifests ?? []) {
      const { config, layers = [] } = parsed(await manifestOf(registry, repository('list'), digest));
      assert.ok(images.some((image) => image.config.digest === config?.digest));
      for (const one of layers) await blobOf(registry, repository('list'), one.digest);
    }
    await podman.run('pull', '--tls-verify=false', '--arch', 'arm64', at('list', 'all'));
    assert.equal((await podman.run('image', 'inspect', '--format', '{{.Architecture}}', at('list', 'all'))).trim(), 'arm64');
  });

  it('lists tags, and does not find what was deleted', async () => {
    const { id, name } = await bring('tags', 'b');
    await push(name);
    await podman.run('tag', id, at('tags', 'a'));
    const digest = await push(at('tags', 'a'));
    const [, ...listed] = (await podman.run('search', '--list-tags', '--tls-verify=false', `${registry.host}/${repository('tags')}`))
      .trim()
      .split('\n');
    assert.deepEqual(listed.map((line) => line.split(/\s+/).at(-1)).toSorted(), ['a', 'b']);
    assert.equal((await askRegistry(registry, `${repository('tags')}/manifests/${digest}`, 'DELETE')).status, 202);
    assert.match(await fails(podman.command('pull', '--tls-verify=false', name), { env: podman.env() }), /manifest unknown|not found/i);
  });
});
