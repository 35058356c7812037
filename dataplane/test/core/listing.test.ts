import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { ListPage } from '../../src/core/object.ts';
import { ACTOR, bucketNamed, testCore } from './core.fixture.ts';

/** What S3 says a listing is, over a plain list of keys. */
function model(keys: readonly string[], prefix: string, delimiter: string | undefined): { objects: string[]; prefixes: string[] } {
  const objects: string[] = [];
  const prefixes = new Set<string>();
  for (const key of [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    if (at >= 0) prefixes.add(key.slice(0, at + delimiter!.length));
    else objects.push(key);
  }
  return { objects, prefixes: [...prefixes] };
}

const key = fc
  .array(fc.constantFrom('a', 'b', '/', '//', 'é', '\u{1F600}', '\uE000', '..', '%'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));

describe('core: listings', () => {
  it('agree with a plain list of keys, whole and in pages, with and without delete markers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          present: fc.uniqueArray(key, { minLength: 1, maxLength: 25 }),
          gone: fc.uniqueArray(key, { maxLength: 8 }),
          prefix: fc.constantFrom('', 'a', 'a/', 'é'),
          delimiter: fc.constantFrom(undefined, '/', '//', 'b'),
          limit: fc.integer({ min: 1, max: 4 }),
        }),
        async ({ present, gone, prefix, delimiter, limit }) => {
          const bucket = bucketNamed('b', { versioning: 'Enabled' });
          const { put, core } = testCore();
          for (const name of [...present, ...gone]) await put(bucket, name, 'x');
          for (const name of gone) await core.objects.delete(bucket, name, undefined, {}, ACTOR);
          const expected = model(
            present.filter((name) => !gone.includes(name)),
            prefix,
            delimiter,
          );
          const objects: string[] = [];
          const prefixes: string[] = [];
          for (let after: string | undefined, more = true; more;) {
            const page: ListPage = await core.objects.list(bucket, { prefix, limit, delimiter, after });
            assert.ok(page.objects.length + page.prefixes.length <= limit);
            if (page.next !== undefined) assert.equal(page.objects.length + page.prefixes.length, limit);
            objects.push(...page.objects.map((object) => object.key));
            prefixes.push(...page.prefixes);
            after = page.next;
            more = after !== undefined;
          }
          assert.deepEqual({ objects, prefixes }, expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('never leaks a neighbouring bucket', async () => {
    const { put, core } = testCore();
    await put(bucketNamed('a'), 'k', 'x');
    await put(bucketNamed('ab'), 'k2', 'x');
    const page = await core.objects.list(bucketNamed('a'), { prefix: '', limit: 10 });
    assert.deepEqual(
      page.objects.map((object) => object.key),
      ['k'],
    );
  });
});

describe('core: search', () => {
  it('finds by prefix, glob, metadata and digest', async () => {
    const { put, core } = testCore();
    const bucket = bucketNamed('b');
    const one = await put(bucket, 'releases/1/app.tgz', 'same');
    await put(bucket, 'releases/2/app.tgz', 'same');
    await put(bucket, 'nightly/app.zip', 'other');
    const names = async (query: object): Promise<string[]> =>
      (await core.search({ bucket, limit: 10, ...query })).objects.map((object) => object.key);
    assert.deepEqual(await names({ prefix: 'releases/' }), ['releases/1/app.tgz', 'releases/2/app.tgz']);
    assert.deepEqual(await names({ glob: '**/*.zip' }), ['nightly/app.zip']);
    assert.deepEqual(await names({ glob: 'releases/*.tgz' }), []);
    assert.deepEqual(await names({ digest: one.digest }), ['releases/1/app.tgz', 'releases/2/app.tgz']);
    assert.deepEqual(await names({ digest: one.digest, prefix: 'nightly' }), []);
    assert.deepEqual(await names({ metadata: { a: 'b' } }), []);
    const first = await core.search({ bucket, digest: one.digest, limit: 1 });
    const second = await core.search({ bucket, digest: one.digest, limit: 1, after: first.next! });
    assert.deepEqual(
      [...first.objects, ...second.objects].map((object) => object.key),
      ['releases/1/app.tgz', 'releases/2/app.tgz'],
    );
  });
});
