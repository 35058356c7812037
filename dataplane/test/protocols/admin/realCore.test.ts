/** The JSON API over the real core and a store in memory. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createCore } from '../../../src/core/createCore.ts';
import type { Actor } from '../../../src/core/core.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import { bucketNamed, createStage } from './stage.ts';
import type { Stage } from './stage.ts';

const ACTOR: Actor = { principal: 'key:ALICE', operation: 's3.PutObject', requestId: 'r1', remoteAddress: '127.0.0.1' };
const HOUR = 3_600_000;

interface Store {
  readonly stage: Stage;
  readonly put: (bucket: string, key: string, text: string, metadata?: Readonly<Record<string, string>>) => Promise<void>;
  readonly remove: (bucket: string, key: string) => Promise<void>;
  /** Moves the clock, in ms. */
  readonly pass: (ms: number) => void;
}

function openStore(): Store {
  let offset = 0;
  const buckets = () => stage.buckets;
  const core = createCore({
    stores: new Map([['default', openMemoryStore()]]),
    claimedBuckets: () => new Set(buckets().map(({ name }) => name)),
    now: () => Date.now() + offset,
    writer: {
      createBucket: async (name, namespace) => void buckets().push(bucketNamed(name, { namespace })),
      deleteBucket: async (name) =>
        void buckets().splice(
          buckets().findIndex((bucket) => bucket.name === name),
          1,
        ),
      updateBucket: async (name, settings) => {
        const at = buckets().findIndex((bucket) => bucket.name === name);
        buckets().splice(at, 1, { ...bucketNamed(name), ...buckets()[at], ...settings });
      },
      putPolicy: async () => undefined,
      deletePolicy: async () => undefined,
    },
  });
  const stage = createStage({}, core);
  const bucketOf = (name: string) => buckets().find((bucket) => bucket.name === name) ?? assert.fail(`no bucket ${name}`);
  return {
    stage,
    pass: (ms) => void (offset += ms),
    put: async (name, key, text, metadata = {}) => {
      const bucket = bucketOf(name);
      const bytes = (async function* () {
        yield Buffer.from(text);
      })();
      const arrived = await core.objects.receive(bucket, bytes, {});
      await core.objects.put(bucket, key, arrived, { headers: {}, metadata, tags: {}, storageClass: 'STANDARD' }, {}, ACTOR);
    },
    remove: async (name, key) => void (await core.objects.delete(bucketOf(name), key, undefined, {}, ACTOR)),
  };
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('the JSON API over the real core', () => {
  it('makes, shows, fills, finds, empties and deletes a bucket', async () => {
    const { stage, put } = openStore();
    assert.equal((await stage.send('PUT', '/api/v1/buckets/builds')).status, 201);
    const changed = await stage.send('PUT', '/api/v1/buckets/builds', { body: { versioning: 'Enabled', tags: { team: 'a' } } });
    assert.deepEqual([changed.json.versioning, changed.json.tags], ['Enabled', { team: 'a' }]);
    for (const key of ['releases/1.0/app', 'releases/1.1/app', 'releases/1.1/app.sig', 'snapshots/app'])
      await put('builds', key, key, { commit: key.slice(0, 12) });
    const found = async (query: string) => (await stage.send('GET', `/api/v1/search?${query}`)).json.objects.map(({ key }) => key);
    assert.deepEqual(await found('bucket=builds&prefix=releases/1.1/'), ['releases/1.1/app', 'releases/1.1/app.sig']);
    assert.deepEqual(await found('glob=**/app'), ['releases/1.0/app', 'releases/1.1/app', 'snapshots/app']);
    assert.deepEqual(await found(`digest=${digestOf('snapshots/app')}`), ['snapshots/app']);
    assert.deepEqual(await found('meta.commit=releases/1.0'), ['releases/1.0/app']);
    assert.equal((await stage.send('DELETE', '/api/v1/buckets/builds')).json.code, 'BucketNotEmpty');
    assert.equal((await stage.send('DELETE', '/api/v1/buckets/builds?force=true')).status, 204);
    assert.equal((await stage.send('GET', '/api/v1/buckets/builds')).json.code, 'BucketUnknown');
  });

  it('walks pages of every size to the same names', async () => {
    const { stage, put } = openStore();
    for (const bucket of ['alpha', 'bravo']) {
      await stage.send('PUT', `/api/v1/buckets/${bucket}`);
      for (const key of ['a', 'b/c', 'b/d', 'e', 'ü']) await put(bucket, key, 'same bytes');
    }
    const all = ['alpha', 'bravo'].flatMap((bucket) => ['a', 'b/c', 'b/d', 'e', 'ü'].map((key) => `${bucket}/${key}`));
    for (const query of ['', `digest=${digestOf('same bytes')}&`]) {
      for (const limit of [1, 2, 3, 7, 100]) {
        const names: string[] = [];
        let cursor: string | undefined = '';
        while (cursor !== undefined) {
          const { json } = await stage.send('GET', `/api/v1/search?${query}limit=${limit}${cursor && `&cursor=${cursor}`}`);
          names.push(...json.objects.map(({ bucket, key }) => `${bucket}/${key}`));
          cursor = 'next' in json ? json.next : undefined;
        }
        assert.deepEqual(names, all, `${query}limit=${limit}`);
      }
    }
  });

  it('tells what changed, from the beginning and as it goes on', async () => {
    const { stage, put } = openStore();
    await stage.send('PUT', '/api/v1/buckets/builds');
    await put('builds', 'app', '1');
    const read = async (query: string) => (await stage.send('GET', `/api/v1/journal?${query}`)).json;
    const first = await read('after=0');
    assert.deepEqual(
      first.entries.map(({ change }) => change),
      ['configure', 'create'],
    );
    assert.deepEqual((await read(`after=${first.next}`)).entries, []);
    await put('builds', 'app', '2');
    assert.deepEqual(
      (await read(`after=${first.next}&bucket=builds`)).entries.map(({ change, name }) => [change, name]),
      [['overwrite', 'app']],
    );
    assert.deepEqual(
      (await read('limit=1')).entries.map(({ change }) => change),
      ['overwrite'],
    );
  });

  it('says why bytes are kept, until they are collected', async () => {
    const { stage, put, remove, pass } = openStore();
    await stage.send('PUT', '/api/v1/buckets/builds');
    const bytes = 'x'.repeat(100_000);
    await put('builds', 'app', bytes);
    await put('builds', 'copy', bytes);
    const path = `/api/v1/digests/${digestOf(bytes)}/keep`;
    const names = async () => ((await stage.send('GET', path)).json.names as readonly { key: string }[]).map(({ key }) => key);
    assert.deepEqual(await names(), ['app', 'copy']);
    await remove('builds', 'app');
    assert.deepEqual(await names(), ['copy']);
    await remove('builds', 'copy');
    await stage.send('POST', '/api/v1/collection');
    assert.ok('condemned' in (await stage.send('GET', path)).json);
    pass(25 * HOUR);
    let removed = 0;
    for (let round = 0; round < 3; round += 1) removed += Number((await stage.send('POST', '/api/v1/collection')).json.digests);
    assert.equal(removed, 1);
    assert.equal((await stage.send('GET', path)).json.code, 'DigestUnknown');
  });
});
