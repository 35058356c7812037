import assert from 'node:assert/strict';
import { bucketNamed, createStage, objectNamed } from './stage.ts';
import type { Stage } from './stage.ts';

const digest = `sha256:${'cd'.repeat(32)}` as const;

/** All pages of a search, by names. */
async function namesOf(stage: Stage, query: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let cursor = '', pages = 0; pages < 50; pages += 1) {
    const { json, status } = await stage.send('GET', `/api/v1/search?${query}${cursor}`);
    assert.equal(status, 200, JSON.stringify(json));
    found.push(...json.objects.map((object) => `${object.bucket}/${object.key}`));
    if (!('next' in json)) return found;
    cursor = `&cursor=${json.next}`;
  }
  return assert.fail('the pages do not end');
}

function stageWithNames(): Stage {
  const stage = createStage();
  stage.buckets.push(bucketNamed('bravo'), bucketNamed('alpha'), bucketNamed('secret'));
  stage.objects.set(
    'alpha',
    ['a1', 'a2', 'a3', 'b1', 'b2'].map((key) => objectNamed(key)),
  );
  stage.objects.set('bravo', [objectNamed('a9', { metadata: { commit: '4f1' } }), objectNamed('x', { digest })]);
  stage.objects.set('secret', [objectNamed('a0', { digest })]);
  stage.may = ({ resource }) => resource.bucket !== 'secret';
  return stage;
}

describe('search in the JSON API', () => {
  it('walks all buckets that the caller may list, page by page, each name once', async () => {
    const all = ['alpha/a1', 'alpha/a2', 'alpha/a3', 'alpha/b1', 'alpha/b2', 'bravo/a9', 'bravo/x'];
    for (const limit of [1, 2, 3, 5, 6, 7, 1000])
      assert.deepEqual(await namesOf(stageWithNames(), `limit=${limit}`), all, `limit ${limit}`);
  });

  it('filters by bucket, prefix, digest and metadata', async () => {
    const stage = stageWithNames();
    assert.deepEqual(await namesOf(stage, 'bucket=alpha&prefix=b'), ['alpha/b1', 'alpha/b2']);
    assert.deepEqual(await namesOf(stage, 'prefix=a&limit=2'), ['alpha/a1', 'alpha/a2', 'alpha/a3', 'bravo/a9']);
    assert.deepEqual(await namesOf(stage, `digest=${digest}`), ['bravo/x']);
    assert.deepEqual(await namesOf(stage, 'meta.Commit=4f1'), ['bravo/a9']);
    assert.deepEqual(await namesOf(stage, 'meta.commit=other'), []);
  });

  it('goes on after a bounded amount of work, even where it found nothing', async () => {
    const stage = createStage();
    stage.buckets.push(bucketNamed('big'));
    stage.objects.set('big', [...Array(100).keys()].map((n) => objectNamed(`k${String(n).padStart(3, '0')}`)).concat(objectNamed('z')));
    const { json } = await stage.send('GET', '/api/v1/search?prefix=z');
    assert.deepEqual([json.objects, typeof json.next], [[], 'string']);
    assert.deepEqual(await namesOf(stage, 'prefix=z'), ['big/z']);
  });

  it('shows only names that the caller may list', async () => {
    const stage = stageWithNames();
    stage.may = ({ s3Action, resource, context }) =>
      s3Action !== 's3:ListBucket' || resource.name === undefined || context?.get('s3:prefix')?.[0]?.startsWith('b') === true;
    assert.deepEqual(await namesOf(stage, 'bucket=alpha'), ['alpha/b1', 'alpha/b2']);
  });

  it('lets nobody guess metadata that they may not read', async () => {
    const stage = stageWithNames();
    stage.may = ({ action, resource }) => action === 'list' && resource.bucket !== 'secret';
    assert.deepEqual(await namesOf(stage, 'meta.commit=4f1'), []);
    const { json } = await stage.send('GET', '/api/v1/search?bucket=bravo&prefix=a');
    const [found] = json.objects;
    assert.deepEqual([found?.key, found?.metadata, found?.contentType], ['a9', undefined, undefined]);
  });

  it('refuses a bucket that the caller may not list, whether it exists or not', async () => {
    const stage = stageWithNames();
    stage.may = ({ resource }) => resource.bucket === undefined;
    const [there, absent] = [
      await stage.send('GET', '/api/v1/search?bucket=secret'),
      await stage.send('GET', '/api/v1/search?bucket=absent'),
    ];
    assert.deepEqual(there.json, absent.json);
  });

  it('refuses a cursor that was given for other filters', async () => {
    const stage = stageWithNames();
    const { json } = await stage.send('GET', '/api/v1/search?prefix=a&limit=1');
    assert.equal((await stage.send('GET', `/api/v1/search?prefix=b&limit=1&cursor=${json.next}`)).json.code, 'InvalidArgument');
    assert.equal((await stage.send('GET', `/api/v1/search?prefix=a&limit=2&cursor=${json.next}`)).status, 200);
  });
});
