import assert from 'node:assert/strict';
import { ANONYMOUS } from '../../../../src/authn/principal.ts';
import { bucketRows } from '../../../../src/protocols/s3/bucket/table.ts';
import { bucket, head, OPTIONS, perform, recordingConfiguration, REGION, ROOT, snapshot, textOf } from '../fakes.ts';
import type { World } from '../fakes.ts';

const names = (body: string) => [...body.matchAll(/<Name>([^<]*)<\/Name>/g)].map((match) => match[1]);
const world: World = {
  snapshot: snapshot(bucket('alice'), bucket('bob'), bucket('bobby'), bucket('carol')),
  core: { configuration: recordingConfiguration().configuration },
};
const list = (query: string, more: World = {}) => perform({ ...world, ...more }, 'GET', `/${query}`);

describe('ListBuckets', () => {
  it('gives them in order, with their age and region', async () => {
    const { status, body } = await list('');
    assert.equal(status, 200);
    assert.deepEqual(names(body), ['alice', 'bob', 'bobby', 'carol']);
    assert.deepEqual([textOf(body, 'CreationDate'), textOf(body, 'BucketRegion')], ['2026-01-02T03:04:05.000Z', REGION]);
    assert.match(body, /<Owner><ID>[0-9a-f]{64}<\/ID>/);
  });

  it('denies an anonymous caller who may see none, and shows an authenticated one an empty list', async () => {
    const none = { snapshot: snapshot() };
    const anonymous = await list('', { ...none, principal: ANONYMOUS });
    assert.deepEqual([anonymous.status, textOf(anonymous.body, 'Code')], [403, 'AccessDenied']);
    assert.equal((await list('', { principal: ANONYMOUS })).status, 200);
    const signed = await list('', none);
    assert.deepEqual([signed.status, names(signed.body)], [200, []]);
  });

  it('asks authorisation who sees what', async () => {
    const seen: unknown[] = [];
    const visibleBuckets = (call: unknown) => (seen.push(call), [bucket('bob')]);
    const [row] = bucketRows({ ...OPTIONS, visibleBuckets });
    const reply = await row!.operation.handle(
      { head: head('GET', '/'), principal: ROOT, snapshot: world.snapshot } as never,
      { configuration: recordingConfiguration().configuration } as never,
    );
    assert.deepEqual([names(reply.body as string), seen.length], [['bob'], 1]);
  });

  it('gives pages, and goes on where the last one ended', async () => {
    const seen: string[][] = [];
    for (let token = ''; ;) {
      const { body } = await list(`?max-buckets=3${token}`);
      seen.push(names(body) as string[]);
      const next = textOf(body, 'ContinuationToken');
      if (next === undefined) break;
      token = `&continuation-token=${next}`;
    }
    assert.deepEqual(seen, [['alice', 'bob', 'bobby'], ['carol']]);
  });

  it('filters by prefix and region', async () => {
    assert.deepEqual(names((await list('?prefix=bob')).body), ['bob', 'bobby']);
    assert.equal(textOf((await list('?prefix=bob')).body, 'Prefix'), 'bob');
    assert.deepEqual(names((await list(`?bucket-region=${REGION}`)).body).length, 4);
    assert.deepEqual(names((await list('?bucket-region=us-west-2')).body), []);
  });

  it('refuses bad numbers and tokens', async () => {
    for (const query of [
      '?max-buckets=0',
      '?max-buckets=10001',
      '?max-buckets=x',
      '?max-buckets=',
      '?max-buckets=-1',
      '?continuation-token=',
      '?continuation-token=zzz',
    ]) {
      assert.equal((await list(query)).failed, 'InvalidArgument', query);
    }
  });
});
