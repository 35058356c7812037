/** buildah of Debian: an image built from nothing. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { makeWorkspace, type Workspace } from '../../src/files.ts';
import { openContainers, type Containers } from '../../src/registry/containers.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { askRegistry, blobOf, manifestOf, manifestStatus, parsed } from '../../src/registry/wire.ts';
import { fails, run } from '../../src/shell.ts';

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

describe('buildah', () => {
  let registry: Registry;
  let work: Workspace;
  let buildah: Containers;

  before(async () => {
    work = await makeWorkspace();
    buildah = await openContainers('buildah', work);
    registry = await startRegistry();
    await run(buildah.loginCommand(registry), { env: buildah.env(), input: registry.password });
    await writeFile(work.at('ware'), 'made here\n');
    const container = (await buildah.run('from', 'scratch')).trim();
    await buildah.run('copy', container, work.at('ware'), '/ware');
    await buildah.run('config', '--cmd', '/ware', container);
    await buildah.run('commit', container, 'made:1');
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const repository = (name: string) => registry.repository(`buildah/${name}`);
  const at = (name: string, tag: string) => `${registry.host}/${repository(name)}:${tag}`;
  const pushCommand = (name: string, ...more: string[]) =>
    buildah.command('push', '--tls-verify=false', '--digestfile', work.at('digest'), ...more, 'made:1', `docker://${name}`);
  const push = async (name: string, ...more: string[]) => {
    await run(pushCommand(name, ...more), { env: buildah.env() });
    return (await readFile(work.at('digest'), 'utf8')).trim();
  };

  it('is refused without a password, and with a wrong one', async () => {
    assert.match(
      await fails(pushCommand(at('refused', 'a')), { env: buildah.env('stranger') }),
      /unauthorized|authentication required|access to the resource is denied/i,
    );
    const mistaken = { env: buildah.env('stranger'), input: 'not the password' };
    assert.match(await fails(buildah.loginCommand(registry), mistaken), /invalid username\/password|unauthorized/i);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes what it built, and another takes it as the base of a new image', async () => {
    const digest = await push(at('made', '1'));
    const stored = await manifestOf(registry, repository('made'), '1');
    assert.equal(stored.digest, digest);
    const { config, layers = [] } = parsed(stored);
    for (const { digest: one } of [config, ...layers].flatMap((one) => one ?? [])) await blobOf(registry, repository('made'), one);
    await buildah.run('rmi', '--all', '--force');
    const container = (await buildah.run('from', '--tls-verify=false', at('made', '1'))).trim();
    const root = (await buildah.run('mount', container)).trim();
    assert.equal(await readFile(`${root}/ware`, 'utf8'), 'made here\n');
    await buildah.run('umount', container);
    await buildah.run('commit', container, 'made:1');
  });

  it('pushes in the older form of Docker', async () => {
    const digest = await push(at('docker', '1'), '--format', 'v2s2');
    const stored = await manifestOf(registry, repository('docker'), '1');
    assert.equal(stored.digest, digest);
    assert.equal(stored.mediaType, DOCKER_MANIFEST);
  });

  it('does not find what was deleted', async () => {
    const digest = await push(at('deleted', 'gone'));
    assert.equal((await askRegistry(registry, `${repository('deleted')}/manifests/${digest}`, 'DELETE')).status, 202);
    const pull = buildah.command('pull', '--tls-verify=false', at('deleted', 'gone'));
    assert.match(await fails(pull, { env: buildah.env() }), /manifest unknown|not found/i);
  });
});
