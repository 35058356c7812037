/** skopeo of Debian. */
import assert from 'node:assert/strict';
import { MIB, makeWorkspace, type Workspace } from '../../src/files.ts';
import { blobIn, digestsIn, makeImage, makeIndex } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { assertIndexStands, assertStands, blobOf, manifestOf, manifestStatus, parsed, tagsOf } from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

describe('skopeo', () => {
  let registry: Registry;
  let work: Workspace;

  before(async () => {
    program('skopeo');
    registry = await startRegistry();
    work = await makeWorkspace();
    await run(loginCommand(), { env: env(), input: registry.password });
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const env = (who = 'known') => ({ HOME: work.folder, REGISTRY_AUTH_FILE: work.at(`${who}.json`), TMPDIR: work.folder });
  const loginCommand = (): Command => [
    program('skopeo'),
    'login',
    '--tls-verify=false',
    '--username',
    registry.user,
    '--password-stdin',
    registry.host,
  ];
  const skopeo = (...args: string[]) => run([program('skopeo'), ...args], { env: env() });
  const copyCommand = (...args: string[]): Command => [
    program('skopeo'),
    'copy',
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    ...args,
  ];
  const copy = (...args: string[]) => run(copyCommand(...args), { env: env() });
  const repository = (name: string) => registry.repository(`skopeo/${name}`);
  const at = (name: string) => `docker://${registry.host}/${repository(name)}`;

  it('is refused without a password, and with a wrong one', async () => {
    const image = await makeImage(work.at('refused'), 'a');
    const push = copyCommand(`oci:${image.layout}:a`, `${at('refused')}:a`);
    assert.match(await fails(push, { env: env('stranger') }), /unauthorized|authentication required|access to the resource is denied/i);
    assert.match(
      await fails(loginCommand(), { env: env('stranger'), input: 'not the password' }),
      /invalid username\/password|unauthorized/i,
    );
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes an image, which stands byte for byte, and pulls the same', async () => {
    const image = await makeImage(work.at('image'), '1.0', 3 * MIB);
    await copy('--preserve-digests', `oci:${image.layout}:1.0`, `${at('image')}:1.0`);
    await assertStands(registry, repository('image'), '1.0', image);
    const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', `${at('image')}:1.0`)) as { Digest: string; Layers: string[] };
    assert.equal(seen.Digest, image.descriptor.digest);
    assert.deepEqual(
      seen.Layers,
      image.layers.map(({ digest }) => digest),
    );
    await copy('--preserve-digests', `${at('image')}@${image.descriptor.digest}`, `oci:${work.at('image-back')}:1.0`);
    assert.deepEqual(await digestsIn(work.at('image-back')), await digestsIn(image.layout));
  });

  it('pushes an index with its images, and copies it to another repository', async () => {
    const index = await makeIndex(work.at('index'), 'all');
    await copy('--all', '--preserve-digests', `oci:${index.layout}:all`, `${at('index')}:all`);
    await assertIndexStands(registry, repository('index'), 'all', index);
    await copy('--all', '--preserve-digests', `${at('index')}:all`, `${at('index-copy')}:all`);
    await assertIndexStands(registry, repository('index-copy'), 'all', index);
  });

  it('pushes the older form of Docker, which stays what it is', async () => {
    const image = await makeImage(work.at('docker'), 'v2s2');
    await copy('--format', 'v2s2', `oci:${image.layout}:v2s2`, `${at('docker')}:v2s2`);
    const stored = await manifestOf(registry, repository('docker'), 'v2s2');
    assert.equal(stored.mediaType, DOCKER_MANIFEST);
    assert.equal(parsed(stored).mediaType, DOCKER_MANIFEST);
    for (const { digest } of image.layers)
      assert.ok((await blobOf(registry, repository('docker'), digest)).equals(await blobIn(image.layout, digest)));
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `${at('docker')}:v2s2`);
    assert.equal(raw, stored.bytes.toString());
  });

  it('lists tags, and deletes', async () => {
    const image = await makeImage(work.at('tags'), 'b');
    for (const tag of ['b', 'c', 'a']) await copy('--preserve-digests', `oci:${image.layout}:b`, `${at('tags')}:${tag}`);
    const { Tags } = JSON.parse(await skopeo('list-tags', '--tls-verify=false', at('tags'))) as { Tags: string[] };
    assert.deepEqual(Tags.toSorted(), ['a', 'b', 'c']);
    await skopeo('delete', '--tls-verify=false', `${at('tags')}:b`);
    assert.equal(await manifestStatus(registry, repository('tags'), 'b'), 404);
    assert.equal(await manifestStatus(registry, repository('tags'), image.descriptor.digest), 404);
    assert.deepEqual(await tagsOf(registry, repository('tags')), []);
  });
});
