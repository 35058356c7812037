/** The scrub in the JSON API, over the real core. */
import assert from 'node:assert/strict';
import type { Digest } from '../../../src/core/digest.ts';
import { bodyOf, bucket, WAYS } from '../../core/scrub/content.ts';
import { blobsOf, ROT, rot, rottingCore } from '../../core/scrub/rot.ts';
import type { RottingCore } from '../../core/scrub/rot.ts';
import { createStage } from './stage.ts';
import type { Stage } from './stage.ts';

function open(options: Parameters<typeof rottingCore>[0] = {}): { readonly test: RottingCore; readonly stage: Stage } {
  const test = rottingCore(options);
  const stage = createStage({}, test.core);
  stage.buckets.push(bucket);
  return { test, stage };
}

interface FindingBody {
  readonly digest: string;
  readonly kind: string;
  readonly where: readonly object[];
  readonly quarantined: boolean;
}

interface LocationBody {
  readonly budget: object;
  readonly pass?: { readonly progress: number };
  readonly last?: { readonly started: string; readonly digests: number; readonly bytes: number };
  readonly next: string;
  readonly quarantined: number;
}

const findingsOf = (json: { readonly [name: string]: unknown }): readonly FindingBody[] => json['findings'] as readonly FindingBody[];

describe('the scrub in the JSON API', () => {
  it('tells how far it is, and makes another pass', async () => {
    const { test, stage } = open({ budget: { bytesPerSecond: 1_000_000, digestsPerSecond: 1e6 } });
    for (let n = 0; n < 8; n += 1) await test.put(bucket, `k${n}`, bodyOf(100_000));
    const locationNow = async () => ((await stage.send('GET', '/api/v1/scrub')).json['locations'] as readonly LocationBody[])[0]!;
    const before = await locationNow();
    assert.deepEqual([before.pass, before.last, before.quarantined], [undefined, undefined, 0]);
    assert.deepEqual(before.budget, { bytesPerSecond: 1_000_000, digestsPerSecond: 1_000_000, periodSeconds: 604_800 });
    const stop = new AbortController();
    const running = test.core.scrub.run(stop.signal);
    const seen: number[] = [];
    for (let now = before; now.last === undefined; now = await locationNow()) {
      if (now.pass !== undefined) seen.push(now.pass.progress);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    stop.abort();
    await running;
    assert.ok(new Set(seen).size > 3 && seen.every((progress, index) => index === 0 || progress >= seen[index - 1]!), seen.join());
    const { last, next, pass } = await locationNow();
    assert.deepEqual([last?.digests, last?.bytes, pass], [8, 800_000, undefined]);
    assert.equal(Date.parse(next) - Date.parse(last?.started ?? ''), 604_800_000);
    test.pass(1000);
    const asked = await stage.send('POST', '/api/v1/scrub', { body: {} });
    assert.equal(asked.status, 202);
    assert.ok(Date.parse((await locationNow()).next) < Date.parse(next));
  });

  it('refuses a pass where none are made', async () => {
    const { stage } = open({ budget: { bytesPerSecond: 0 } });
    assert.deepEqual(await stage.send('POST', '/api/v1/scrub').then(({ status, json }) => [status, json.code]), [400, 'InvalidRequest']);
  });

  it('lists what is wrong, page by page, until it is repaired', async () => {
    const { test, stage } = open();
    const bodies = new Map<Digest, Buffer>();
    for (let n = 0; n < 7; n += 1) {
      const body = bodyOf(50_000 + n);
      const { digest } = await test.put(bucket, `k${n}`, body);
      await rot(test.store, (await blobsOf(test.store, digest))[0]!, [ROT.flipped, ROT.truncated, ROT.deleted][n % 3]!);
      bodies.set(digest, body);
    }
    await test.scrub();
    const all = [...bodies.keys()].sort();
    for (const limit of [1, 3, 7, 100]) {
      const found: FindingBody[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const { json } = await stage.send('GET', `/api/v1/scrub/findings?limit=${limit}${cursor && `&cursor=${cursor}`}`);
        found.push(...findingsOf(json));
        cursor = 'next' in json ? json.next : undefined;
      }
      assert.deepEqual(
        found.map(({ digest }) => digest),
        all,
      );
      assert.ok(found.every(({ quarantined, where }) => quarantined && where.length === 1));
      assert.deepEqual(new Set(found.map(({ kind }) => kind)), new Set(['differs', 'length', 'missing']));
    }
    const [first = assert.fail()] = all;
    const keep = (await stage.send('GET', `/api/v1/digests/${first}/keep`)).json;
    assert.match(String(keep['quarantined']), /^\d{4}-/);
    await WAYS.put(test, 'repaired', bodies.get(first)!);
    assert.deepEqual(
      findingsOf((await stage.send('GET', '/api/v1/scrub/findings')).json).map(({ digest }) => digest),
      all.slice(1),
    );
    assert.equal('quarantined' in (await stage.send('GET', `/api/v1/digests/${first}/keep`)).json, false);
    const { entries } = (await stage.send('GET', '/api/v1/journal?after=0&limit=1000')).json;
    assert.deepEqual(
      ['quarantine', 'repair'].map((change) => entries.filter((entry) => entry.change === change).length),
      [7, 1],
    );
  });

  it('examines one digest now', async () => {
    const { test, stage } = open();
    const { digest } = await test.put(bucket, 'k', bodyOf(60_000));
    const path = `/api/v1/digests/${digest}/scrub`;
    const outcome = async () => {
      const { json } = await stage.send('POST', path);
      return (json['locations'] as readonly { readonly outcome: string }[]).map((one) => one.outcome);
    };
    assert.deepEqual(await outcome(), ['sound']);
    const restore = await rot(test.store, (await blobsOf(test.store, digest))[0]!, ROT.flipped);
    assert.deepEqual(await outcome(), ['quarantined']);
    assert.deepEqual(await outcome(), ['quarantined']);
    await restore();
    assert.deepEqual(await outcome(), ['released']);
    assert.deepEqual(await outcome(), ['sound']);
    assert.deepEqual(
      (await test.journal('quarantine', 'release')).map(({ actor, change }) => [change, actor.operation]),
      [
        ['quarantine', 'admin.ScrubDigest'],
        ['release', 'admin.ScrubDigest'],
      ],
    );
    const unknown = await stage.send('POST', `/api/v1/digests/sha256:${'0'.repeat(64)}/scrub`);
    assert.deepEqual([unknown.status, unknown.json.code], [404, 'DigestUnknown']);
  });
});
