import assert from 'node:assert/strict';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseManifest } from '../../src/config/manifestFile.ts';
import { showProblem } from '../../src/config/manifestProblem.ts';
import { createManifestReader, sourced, type ReadManifests } from '../../src/config/manifests.ts';
import { bucketText, createWorkshop, type Workshop } from './workshop.ts';

describe('a directory of manifests', () => {
  let shop: Workshop;
  beforeEach(async () => {
    shop = await createWorkshop();
    await mkdir(shop.manifests);
  });
  afterEach(() => shop.close());

  const read = (): Promise<ReadManifests> => createManifestReader(shop.manifests).read();
  const names = async (): Promise<readonly string[]> =>
    (await read()).resources.map(({ resource, file, line }) => `${file}:${line} ${resource.metadata.name}`);
  const problems = async (): Promise<readonly string[]> => (await read()).problems.map(showProblem);

  it('is read at any depth, in the order of paths, every document with its line', async () => {
    await shop.write('b.yml', bucketText('third'));
    await shop.write('a/x.yaml', `# two\n${bucketText('first')}---\n${bucketText('second')}`);
    await shop.write(
      'c.json',
      JSON.stringify({ apiVersion: 'bonded.dev/v1alpha1', kind: 'Bucket', metadata: { name: 'fourth' }, spec: {} }),
    );
    await shop.write('README.md', 'not: a manifest');
    await shop.write('buckets.yaml.example', bucketText('example'));
    await shop.write('.hidden.yaml', 'broken: [');
    await shop.write('.git/config.yaml', 'broken: [');
    assert.deepEqual(await names(), ['a/x.yaml:2 first', 'a/x.yaml:9 second', 'b.yml:1 third', 'c.json:1 fourth']);
    assert.deepEqual(await problems(), []);
  });

  it('says of each broken manifest where and why', async () => {
    await shop.write('a.yaml', bucketText('abc').replace('spec: {}', 'spec:\n  versioning: Enabled\n  versionning: Enabled'));
    await shop.write('b.yaml', 'a: b: c');
    await shop.write('c.yaml', `${bucketText('good')}---\napiVersion: bonded.dev/v1alpha1\nkind: SigningPolicy\nmetadata: { name: x }\n`);
    await shop.write('d.yaml', bucketText('twice'));
    await shop.write('e.yaml', bucketText('twice'));
    await writeFile(join(shop.manifests, 'f.yaml'), Buffer.from([0x61, 0xff]));
    assert.deepEqual(await problems(), [
      'a.yaml:8: spec.versionning: unknown field',
      'b.yaml:1: a value holds another mapping on its line; quote it or indent it',
      'c.yaml:9: kind: SigningPolicy is not enforced by this version of Bonded, and is refused so that nobody relies on it; remove it',
      'f.yaml: it is not UTF-8 text',
      'e.yaml:1: Bucket team-a/twice is also defined in d.yaml:1; keep one of them',
    ]);
  });

  it('is not left by a link, and special files are refused', async () => {
    await writeFile(join(shop.folder, 'outside.yaml'), bucketText('outside'));
    await symlink(join(shop.folder, 'outside.yaml'), join(shop.manifests, 'a.yaml'));
    await symlink(shop.folder, join(shop.manifests, 'up'));
    await symlink('/dev/zero', join(shop.manifests, 'zero.yaml'));
    assert.deepEqual(await problems(), [
      'a.yaml: the link leads out of the directory of manifests',
      'up: a link to a directory is not followed',
      'zero.yaml: the link leads out of the directory of manifests',
    ]);
    assert.deepEqual(await names(), []);
  });

  it('may be a mounted ConfigMap, which is links to a hidden folder that is swapped', async () => {
    await shop.write('..one/buckets.yaml', bucketText('one'));
    await shop.write('..two/buckets.yaml', bucketText('two'));
    await symlink('..one', join(shop.manifests, '..data'));
    await symlink('..data/buckets.yaml', join(shop.manifests, 'buckets.yaml'));
    const reader = createManifestReader(shop.manifests);
    assert.equal((await reader.read()).resources[0]?.resource.metadata.name, 'one');
    await symlink('..two', join(shop.manifests, '..next'));
    await rename(join(shop.manifests, '..next'), join(shop.manifests, '..data'));
    assert.equal((await reader.read()).resources[0]?.resource.metadata.name, 'two');
  });

  it('has a limit for a file', async () => {
    await shop.write('big.yaml', `${bucketText('abc')}# ${'x'.repeat(1024 * 1024)}\n`);
    assert.deepEqual(await problems(), ['big.yaml: it has more than 1048576 bytes']);
  });

  it('sees every change, also one of the same size at the same moment', async () => {
    const reader = createManifestReader(shop.manifests);
    for (const name of ['aaa', 'bbb', 'ccc', 'ddd']) {
      await shop.write('x.yaml', bucketText(name));
      assert.equal((await reader.read()).resources[0]?.resource.metadata.name, name);
    }
    await rm(join(shop.manifests, 'x.yaml'));
    assert.deepEqual((await reader.read()).resources, []);
  });

  it('that cannot be read is a problem, not an empty state', async () => {
    const reader = createManifestReader(shop.manifests);
    await rm(shop.manifests, { recursive: true });
    assert.deepEqual((await reader.read()).problems.map(showProblem), ['.: the directory cannot be read (ENOENT)']);
  });

  it('with a file that may not be read says so', async function () {
    const path = await shop.write('a.yaml', bucketText('abc'));
    await chmod(path, 0);
    if (process.getuid?.() === 0) this.skip(); // the superuser may read everything
    assert.deepEqual(await problems(), ['a.yaml: it cannot be read (EACCES)']);
  });

  it("tells the API's own manifests from everybody else's by place and label", async () => {
    const labelled = (name: string): string => bucketText(name).replace('metadata:\n', 'metadata:\n  labels: { bonded.dev/origin: api }\n');
    await shop.write('api/team-a/bucket-own.yaml', labelled('own'));
    await shop.write('api/team-a/bucket-put-here.yaml', bucketText('put-here'));
    await shop.write('copied.yaml', labelled('copied'));
    assert.deepEqual(
      (await read()).resources.map(sourced).map(({ origin }) => [origin.managedBy, origin.owner]),
      [
        ['api', 'api/team-a/bucket-own.yaml'],
        ['manifests', 'api/team-a/bucket-put-here.yaml:1'],
        ['manifests', 'copied.yaml:1'],
      ],
    );
  });
});

describe('the bytes of a manifest', () => {
  it('of any kind make resources or problems, never anything else', () => {
    const lines = fc.constantFrom(
      ...[
        'apiVersion: bonded.dev/v1alpha1',
        'kind: Bucket',
        'kind: Secret',
        'metadata: { name: abc }',
        'spec: {}',
        'spec:',
        '  name: abc',
        '---',
        '- x',
        '  - {',
        '&a b: *a',
        'a: |',
      ],
    );
    const text = fc.array(lines, { maxLength: 12 }).map((parts) => Buffer.from(parts.join('\n')));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        const { resources, problems } = parseManifest('x.yaml', bytes);
        for (const { line } of resources) assert.ok(line >= 1);
        for (const problem of problems) assert.match(showProblem(problem), /^x\.yaml(:\d+)?: ./);
      }),
      { numRuns: 500 },
    );
  });
});
