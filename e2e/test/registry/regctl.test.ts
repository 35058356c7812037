/** regctl, of regclient. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { MIB, makeWorkspace, type Workspace } from '../../src/files.ts';
import { digestsIn, makeImage, makeIndex } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import {
  askRegistry,
  assertIndexStands,
  assertStands,
  blobOf,
  manifestOf,
  manifestStatus,
  parsed,
  tagsOf,
} from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

const ARTIFACT = 'application/vnd.example.report';

describe('regctl', () => {
  let registry: Registry;
  let work: Workspace;

  before(async () => {
    program('regctl');
    registry = await startRegistry();
    work = await makeWorkspace();
    await login('known');
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const env = (config = 'known') => ({ HOME: work.folder, REGCTL_CONFIG: work.at(`${config}.json`) });
  const command = (...args: string[]): Command => [program('regctl'), ...args];
  const regctl = (...args: string[]) => run(command(...args), { env: env() });
  const plain = (config: string, ...more: string[]) =>
    run(command('registry', 'set', registry.host, '--tls', 'disabled', '--skip-check', ...more), { env: env(config) });
  const loginCommand = () => command('registry', 'login', registry.host, '--user', registry.user, '--pass-stdin');
  const login = async (config: string) => {
    await plain(config);
    await run(loginCommand(), { env: env(config), input: registry.password });
  };
  const repository = (name: string) => registry.repository(`regctl/${name}`);
  const at = (name: string) => `${registry.host}/${repository(name)}`;

  it('is refused without a password, and with a wrong one', async () => {
    const image = await makeImage(work.at('refused'), 'a');
    await plain('stranger');
    await fails(command('image', 'copy', `ocidir://${image.layout}:a`, `${at('refused')}:a`), { env: env('stranger') });
    assert.match(await fails(loginCommand(), { env: env('stranger'), input: 'not the password' }), /unauthorized/i);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes an image, which stands byte for byte, and pulls the same', async () => {
    const image = await makeImage(work.at('image'), '1.0', 3 * MIB);
    await regctl('image', 'copy', `ocidir://${image.layout}:1.0`, `${at('image')}:1.0`);
    await assertStands(registry, repository('image'), '1.0', image);
    assert.equal((await regctl('manifest', 'head', `${at('image')}:1.0`)).trim(), image.descriptor.digest);
    await regctl('image', 'copy', `${at('image')}:1.0`, `ocidir://${work.at('image-back')}:1.0`);
    assert.deepEqual(await digestsIn(work.at('image-back')), await digestsIn(image.layout));
  });

  it('pushes a blob in chunks', async () => {
    const sample = await work.sample('chunks.bin', 3 * MIB + 7);
    await plain('chunks', '--blob-max', String(MIB), '--blob-chunk', String(MIB));
    await run(loginCommand(), { env: env('chunks'), input: registry.password });
    const stdin = await readFile(sample.path);
    const said = await run(command('blob', 'put', at('chunks')), { env: env('chunks'), input: stdin });
    assert.match(said, new RegExp(sample.sha256));
    assert.ok((await blobOf(registry, repository('chunks'), `sha256:${sample.sha256}`)).equals(stdin));
    await regctl('blob', 'delete', at('chunks'), `sha256:${sample.sha256}`);
    assert.equal((await askRegistry(registry, `${repository('chunks')}/blobs/sha256:${sample.sha256}`, 'HEAD')).status, 404);
  });

  it('pushes an index with its images', async () => {
    const index = await makeIndex(work.at('index'), 'all');
    await regctl('image', 'copy', `ocidir://${index.layout}:all`, `${at('index')}:all`);
    await assertIndexStands(registry, repository('index'), 'all', index);
    await regctl('image', 'copy', `${at('index')}:all`, `${at('index-copy')}:all`);
    await assertIndexStands(registry, repository('index-copy'), 'all', index);
  });

  it('puts an artefact beside an image, lists it as a referrer, and copies both', async () => {
    const image = await makeImage(work.at('subject'), 'a');
    await regctl('image', 'copy', `ocidir://${image.layout}:a`, `${at('subject')}:a`);
    await writeFile(work.at('report.json'), '{"found":[]}');
    const [file, type] = [work.at('report.json'), ARTIFACT];
    await regctl('artifact', 'put', '--artifact-type', type, '--subject', `${at('subject')}:a`, '--file', file);
    const list = JSON.parse(await regctl('artifact', 'list', `${at('subject')}:a`, '--format', '{{json .}}')) as {
      descriptors: { digest: string; artifactType: string }[];
    };
    assert.deepEqual(
      list.descriptors.map(({ artifactType }) => artifactType),
      [type],
    );
    const referrer = list.descriptors[0]?.digest ?? '';
    assert.equal(parsed(await manifestOf(registry, repository('subject'), referrer)).subject?.digest, image.descriptor.digest);
    assert.equal(await regctl('artifact', 'get', '--subject', `${at('subject')}:a`, '--filter-artifact-type', type), '{"found":[]}');
    await regctl('image', 'copy', '--referrers', `${at('subject')}:a`, `${at('subject-copy')}:a`);
    assert.equal(await manifestStatus(registry, repository('subject-copy'), referrer), 200);
  });

  it('lists tags, and deletes a tag and then the manifest', async () => {
    const image = await makeImage(work.at('tags'), 'b');
    for (const tag of ['b', 'c', 'a']) await regctl('image', 'copy', `ocidir://${image.layout}:b`, `${at('tags')}:${tag}`);
    assert.deepEqual((await regctl('tag', 'ls', at('tags'))).trim().split('\n').toSorted(), ['a', 'b', 'c']);
    assert.match(await regctl('repo', 'ls', registry.host), new RegExp(`^${repository('tags')}$`, 'm'));
    await regctl('tag', 'delete', `${at('tags')}:b`);
    assert.deepEqual((await tagsOf(registry, repository('tags'))).toSorted(), ['a', 'c']);
    await assertStands(registry, repository('tags'), 'a', image);
    await regctl('manifest', 'delete', `${at('tags')}@${image.descriptor.digest}`);
    assert.equal(await manifestStatus(registry, repository('tags'), 'a'), 404);
    assert.deepEqual(await tagsOf(registry, repository('tags')), []);
  });
});
