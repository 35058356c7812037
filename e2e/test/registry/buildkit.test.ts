/** BuildKit: images with attestations, and a registry as the cache of builds. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { makeWorkspace, type Workspace } from '../../src/files.ts';
import { startBuildKit, type BuildKit } from '../../src/registry/buildkit.ts';
import { INDEX_TYPE } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { blobOf, manifestOf, manifestStatus, parsed } from '../../src/registry/wire.ts';
import { attempt, fails, run } from '../../src/shell.ts';

const DOCKERFILE = 'FROM scratch AS first\nCOPY ware /ware\nFROM scratch\nCOPY --from=first /ware /shipped\n';
const IN_TOTO = 'application/vnd.in-toto+json';

describe('BuildKit', () => {
  let registry: Registry;
  let work: Workspace;
  let buildKit: BuildKit;

  before(async () => {
    registry = await startRegistry();
    work = await makeWorkspace();
    buildKit = await startBuildKit(work.folder, registry.host);
    await mkdir(work.at('context'));
    await writeFile(work.at('context/Dockerfile'), DOCKERFILE);
    await work.sample('context/ware', 100_000);
    // Of BuildKit's own programs none logs in: it reads what others wrote.
    const login = [program('crane'), 'auth', 'login', registry.host, '--username', registry.user, '--password-stdin'] as const;
    await run(login, { env: env(), input: registry.password });
  });
  after(async () => {
    await buildKit.stop();
    await registry.stop();
    await work.remove();
  });

  const env = (who = 'known') => ({ PATH: '/usr/bin:/bin', HOME: work.at(who), DOCKER_CONFIG: work.at(who) });
  const repository = (name: string) => registry.repository(`buildkit/${name}`);
  const at = (name: string) => `${registry.host}/${repository(name)}`;
  const output = (name: string) => ['--output', `type=image,name=${at(name)}:1,push=true,oci-mediatypes=true`];
  const build = async (...more: string[]) => {
    const { code, stderr } = await attempt(buildKit.command(work.at('context'), ...more), { env: env() });
    assert.equal(code, 0, stderr);
    return stderr;
  };

  it('is refused without a password', async () => {
    const command = buildKit.command(work.at('context'), ...output('refused'));
    assert.match(await fails(command, { env: env('stranger') }), /unauthorized|401|authorization failed|no basic auth/i);
    assert.equal(await manifestStatus(registry, repository('refused'), '1'), 404);
  });

  it('pushes an image with an attestation of how it was made', async () => {
    await build(...output('attested'), '--opt', 'attest:provenance=mode=max');
    const stored = await manifestOf(registry, repository('attested'), '1');
    assert.equal(stored.mediaType, INDEX_TYPE);
    const manifests = parsed(stored).manifests ?? [];
    assert.equal(manifests.length, 2);
    const [image, attestation] = await Promise.all(manifests.map(({ digest }) => manifestOf(registry, repository('attested'), digest)));
    assert.ok(image && attestation);
    for (const { digest } of parsed(image).layers ?? []) await blobOf(registry, repository('attested'), digest);
    const [layer] = parsed(attestation).layers ?? [];
    assert.equal(layer?.mediaType, IN_TOTO);
    const statement = JSON.parse((await blobOf(registry, repository('attested'), layer.digest)).toString()) as {
      subject: { digest: { sha256: string } }[];
    };
    assert.equal(`sha256:${statement.subject[0]?.digest.sha256}`, image.digest);
  });

  it('keeps the cache of builds in the registry, and builds from it', async () => {
    const cache = `type=registry,ref=${at('cache')}:latest`;
    await build(...output('cached'), '--export-cache', `${cache},mode=max,image-manifest=true,oci-mediatypes=true`);
    assert.equal(await manifestStatus(registry, repository('cache'), 'latest'), 200);
    await buildKit.prune();
    assert.match(await build(...output('again'), '--import-cache', cache), /CACHED/);
    const digests = await Promise.all(['cached', 'again'].map((name) => manifestOf(registry, repository(name), '1')));
    assert.deepEqual(parsed(digests[0] ?? assert.fail()).layers, parsed(digests[1] ?? assert.fail()).layers);
  });
});
