/** ORAS: files as artefacts, with what refers to them. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { MIB, makeWorkspace, sameBytes, sha256Of, type Workspace } from '../../src/files.ts';
import { digestsIn, makeImage } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { askRegistry, assertStands, blobOf, manifestOf, manifestStatus, parsed } from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

const TYPE = 'application/vnd.example.thing';
const REPORT = 'application/vnd.example.report';

describe('oras', () => {
  let registry: Registry;
  let work: Workspace;

  before(async () => {
    program('oras');
    registry = await startRegistry();
    work = await makeWorkspace();
    await run(loginCommand(), { env: env(), input: registry.password });
  });
  after(async () => {
    await registry.stop();
    await work.remove();
  });

  const env = (home = 'known') => ({ HOME: work.at(home), DOCKER_CONFIG: work.at(home) });
  const loginCommand = (): Command => [program('oras'), 'login', '--plain-http', '-u', registry.user, '--password-stdin', registry.host];
  /** Of the flags of ORAS, `--plain-http` belongs to each command that speaks to one registry. */
  const command = (...args: string[]): Command => [program('oras'), ...args, '--plain-http'];
  const oras = (...args: string[]) => run(command(...args), { env: env(), cwd: work.folder });
  const digestOf = async (...args: string[]) => (await oras(...args, '--format', 'go-template={{.digest}}')).trim();
  const repository = (name: string) => registry.repository(`oras/${name}`);
  const at = (name: string) => `${registry.host}/${repository(name)}`;

  it('is refused without a password, and with a wrong one', async () => {
    await work.sample('refused.bin', 1000);
    const push = command('push', `${at('refused')}:a`, 'refused.bin');
    assert.match(await fails(push, { env: env('stranger'), cwd: work.folder }), /unauthorized|401|basic credential not found/i);
    assert.match(await fails(loginCommand(), { env: env('stranger'), input: 'not the password' }), /unauthorized|401/i);
    assert.equal(await manifestStatus(registry, repository('refused'), 'a'), 404);
  });

  it('pushes files as an artefact, and pulls the same', async () => {
    const [small, large] = [await work.sample('small.bin', 1000), await work.sample('large.bin', 5 * MIB)];
    const digest = await digestOf('push', '--artifact-type', TYPE, `${at('files')}:1`, 'small.bin', 'large.bin:application/x-large');
    const stored = await manifestOf(registry, repository('files'), '1');
    assert.equal(stored.digest, digest);
    const { artifactType, layers = [] } = parsed(stored);
    assert.equal(artifactType, TYPE);
    assert.deepEqual(
      layers.map((layer) => layer.digest),
      [`sha256:${small.sha256}`, `sha256:${large.sha256}`],
    );
    await oras('pull', '--output', work.at('back'), `${at('files')}:1`);
    assert.equal(await sha256Of(work.at('back/large.bin')), large.sha256);
    assert.equal(await sha256Of(work.at('back/small.bin')), small.sha256);
  });

  it('attaches an artefact to another, discovers it, and copies both', async () => {
    await work.sample('thing.bin', 1000);
    await writeFile(work.at('report.txt'), 'nothing found');
    const subject = await digestOf('push', '--artifact-type', TYPE, `${at('subject')}:1`, 'thing.bin');
    const referrer = await digestOf('attach', '--artifact-type', REPORT, `${at('subject')}:1`, 'report.txt');
    assert.equal(parsed(await manifestOf(registry, repository('subject'), referrer)).subject?.digest, subject);
    const found = JSON.parse(await oras('discover', '--format', 'json', '--artifact-type', REPORT, `${at('subject')}:1`)) as {
      referrers: { digest: string; artifactType: string }[];
    };
    assert.deepEqual(
      found.referrers.map((one) => [one.digest, one.artifactType]),
      [[referrer, REPORT]],
    );
    const copy: Command = [program('oras'), 'cp', '-r', '--from-plain-http', '--to-plain-http', `${at('subject')}:1`, `${at('copy')}:1`];
    await run(copy, { env: env() });
    assert.equal(await manifestStatus(registry, repository('copy'), referrer), 200);
  });

  it('carries an image from a layout to the registry and back', async () => {
    const image = await makeImage(work.at('image'), '1');
    const [path, target] = [work.at('image-back'), `${at('image')}:1`];
    await run([program('oras'), 'cp', '--from-oci-layout', `${image.layout}:1`, '--to-plain-http', target], { env: env() });
    await assertStands(registry, repository('image'), '1', image);
    await mkdir(path);
    await run([program('oras'), 'cp', '--from-plain-http', target, '--to-oci-layout', `${path}:1`], { env: env() });
    assert.deepEqual(await digestsIn(path), await digestsIn(image.layout));
  });

  it('pushes, fetches and deletes a blob by itself', async () => {
    const sample = await work.sample('blob.bin', 2 * MIB);
    const digest = `sha256:${sample.sha256}`;
    await oras('blob', 'push', at('blob'), 'blob.bin');
    sameBytes(await blobOf(registry, repository('blob'), digest), await readFile(sample.path));
    await oras('blob', 'fetch', '--output', work.at('blob.back'), `${at('blob')}@${digest}`);
    assert.equal(await sha256Of(work.at('blob.back')), sample.sha256);
    await oras('blob', 'delete', '--force', `${at('blob')}@${digest}`);
    assert.equal((await askRegistry(registry, `${repository('blob')}/blobs/${digest}`, 'HEAD')).status, 404);
  });

  it('tags, lists tags and repositories, and deletes', async () => {
    await work.sample('tagged.bin', 1000);
    const digest = await digestOf('push', '--artifact-type', TYPE, `${at('tags')}:b`, 'tagged.bin');
    await oras('tag', `${at('tags')}:b`, 'c', 'a');
    assert.deepEqual((await oras('repo', 'tags', at('tags'))).trim().split('\n').toSorted(), ['a', 'b', 'c']);
    assert.match(await oras('repo', 'ls', registry.host), new RegExp(`^${repository('tags')}$`, 'm'));
    await oras('manifest', 'delete', '--force', `${at('tags')}@${digest}`);
    assert.equal(await manifestStatus(registry, repository('tags'), 'a'), 404);
  });
});
