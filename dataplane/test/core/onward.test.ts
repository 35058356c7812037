/** Steps that were cut off and are never repeated: what comes after them sees that they happened, or that they did not. */
import assert from 'node:assert/strict';
import type { BucketConfig } from '@bonded/crds';
import * as fc from 'fast-check';
import { ID_LENGTH, invertId } from '../../src/core/ids.ts';
import { isError } from '../../src/errors.ts';
import type { TestCore } from './core.fixture.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN, testCore } from './core.fixture.ts';
import { bodies, cutStore, GRACE, large, segments, sendRanges, step } from './cutting.ts';
import type { Step } from './cutting.ts';

/** What happened so far to one name, newest first, as a client sees it. */
interface Seen {
  readonly versionId: string;
  /** Undefined for a delete marker. */
  readonly content: string | undefined;
  readonly tag: string | undefined;
}

type History = readonly Seen[];
type Versioning = 'Disabled' | 'Enabled' | 'Suspended';

interface OnwardStep {
  readonly step: Step;
  /** Which of the versions, where the step is about one of many. */
  readonly which: number;
  readonly versioning: Versioning;
  /** Changes after which it is cut off; never, for most. */
  readonly cut: number | undefined;
  /** Time goes by, and the collector runs, before it. */
  readonly collect: boolean;
}

const contentOf = (one: Step): string => ('body' in one ? bodies[one.body]!.toString() : '');

/** What a step makes of the history of its name. `copied`: what stands under the name that it copies. */
function expected(before: History, { step: one, which, versioning }: OnwardStep, copied: Seen | undefined): History {
  const added = (content: string | undefined): History => {
    const made = { versionId: versioning === 'Enabled' ? 'new' : 'null', content, tag: undefined };
    if (versioning === 'Disabled') return content === undefined ? [] : [made];
    return [made, ...before.filter(({ versionId }) => versioning === 'Enabled' || versionId !== 'null')];
  };
  switch (one.do) {
    case 'delete':
      return added(undefined);
    case 'delete-version':
      return before.filter((_, index) => index !== which % before.length);
    case 'tag':
      return before.map((seen, index) => (index === which % before.length && seen.content !== undefined ? { ...seen, tag: '1' } : seen));
    case 'copy':
      return copied?.content === undefined ? before : added(copied.content);
    default:
      return added(contentOf(one));
  }
}

/** The same but for the id of a version that was made. */
function isSame(seen: History, wanted: History, known: ReadonlySet<string>): boolean {
  if (seen.length !== wanted.length) return false;
  return seen.every(({ versionId, content, tag }, index) => {
    const want = wanted[index]!;
    const sameId = want.versionId === 'new' ? !known.has(versionId) : versionId === want.versionId;
    return sameId && content === want.content && tag === want.tag;
  });
}

/** Every version that a listing shows, each of which must be what a client gets by its id, and the first of all without one. */
async function historyOf(test: TestCore, bucket: BucketConfig, name: string): Promise<History> {
  const { versions } = await test.core.objects.listVersions(bucket, { prefix: name, limit: 1000 });
  const history: Seen[] = [];
  for (const version of versions) {
    const got = await test.core.objects.get(bucket, name, version.versionId);
    assert.equal(got.id, version.id, `${name} ${version.versionId}`);
    const content = got.deleteMarker ? undefined : await test.text(bucket, name, version.versionId);
    history.push({ versionId: version.versionId, content, tag: got.deleteMarker ? undefined : got.tags['t'] });
  }
  const current = await test.core.objects.get(bucket, name).catch((error: unknown) => {
    assert.ok(isError(error, 'NameUnknown'), String(error));
  });
  assert.equal(current?.versionId, history[0]?.versionId, name);
  return history;
}

async function act(test: TestCore, bucket: BucketConfig, { step: one, which }: OnwardStep, before: History): Promise<void> {
  switch (one.do) {
    case 'put':
      return void (await test.put(bucket, one.key, bodies[one.body]!));
    case 'delete':
      return void (await test.core.objects.delete(bucket, one.key, undefined, {}, ACTOR));
    case 'upload':
      return upload(test, bucket, one);
    case 'copy':
      return copy(test, bucket, one);
    case 'delete-version':
    case 'tag':
      return change(test, bucket, one, before[which % before.length]);
    default:
      return sendRanges(test, bucket, one);
  }
}

type Of<Do extends Step['do']> = Extract<Step, { readonly do: Do }>;

async function upload({ core: { objects, uploads } }: TestCore, bucket: BucketConfig, one: Of<'upload'>): Promise<void> {
  const session = await uploads.begin(bucket, one.key, PLAIN, undefined, ACTOR);
  const part = await uploads.putPart(bucket, session, 1, await objects.receive(bucket, bytesOf(bodies[one.body]!), {}));
  await uploads.complete(bucket, session, [part], {}, {}, ACTOR);
}

async function copy({ core: { objects } }: TestCore, bucket: BucketConfig, { key: target, from }: Of<'copy'>): Promise<void> {
  const version = await objects.get(bucket, from).catch(() => undefined);
  if (version === undefined || version.deleteMarker) return;
  await objects.copy({ bucket, version }, { bucket, key: target }, PLAIN, {}, ACTOR);
}

async function change({ core: { objects } }: TestCore, bucket: BucketConfig, one: Step, chosen: Seen | undefined): Promise<void> {
  if (chosen === undefined || (one.do === 'tag' && chosen.content === undefined)) return;
  if (one.do === 'tag') return void (await objects.setTags(bucket, one.key, chosen.versionId, { t: '1' }, ACTOR));
  await objects.delete(bucket, one.key, chosen.versionId, {}, ACTOR);
}

const UPLOADED = Buffer.concat([large('one', 80_000), Buffer.from('and the end')]);

/** An upload of all its bytes; answers what completes it. */
async function openUpload({ core }: TestCore, bucket: BucketConfig, kind: 'parts' | 'ranges'): Promise<() => Promise<unknown>> {
  if (kind === 'parts') {
    const session = await core.uploads.begin(bucket, 'k', PLAIN, undefined, ACTOR);
    const part = await core.uploads.putPart(bucket, session, 1, await core.objects.receive(bucket, bytesOf(UPLOADED), {}));
    return () => core.uploads.complete(bucket, session, [part], {}, {}, ACTOR);
  }
  const session = await core.ranges.begin(bucket, 'k', { attributes: PLAIN, mode: 'parallel', length: UPLOADED.length }, ACTOR);
  for (const [from, to] of [
    [0, 80_000],
    [80_000, UPLOADED.length],
  ] as const)
    await core.ranges.write(bucket, session, { offset: from, bytes: bytesOf(UPLOADED.subarray(from, to)) });
  return () => core.ranges.complete(bucket, session, { conditions: {}, actor: ACTOR });
}

describe('core: over a store without transactions, going on after steps that were cut off', () => {
  const onward = (versioning: fc.Arbitrary<Versioning>): fc.Arbitrary<OnwardStep[]> =>
    fc.array(
      fc.record({
        step,
        which: fc.nat(5),
        versioning,
        cut: fc.option(fc.nat(24), { freq: 2, nil: undefined }),
        collect: fc.nat(9).map((n) => n === 0),
      }),
      { minLength: 2, maxLength: 9 },
    );

  interface Player {
    readonly test: TestCore;
    readonly cuts: ReturnType<typeof cutStore>;
    /** Ids of all versions that were ever seen. */
    readonly known: Set<string>;
    seen: Record<'k' | 'l', History>;
  }

  const bucketOf = ({ versioning }: OnwardStep): BucketConfig => bucketNamed('b', { versioning });

  const look = async (test: TestCore, bucket: BucketConfig): Promise<Player['seen']> => ({
    k: await historyOf(test, bucket, 'k'),
    l: await historyOf(test, bucket, 'l'),
  });

  const collect = async (test: TestCore, rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      test.pass(3 * GRACE);
      await test.core.collection.collect(new AbortController().signal);
    }
  };

  /** One step, which may be cut off: then it has happened or not, and that is seen at once. */
  const playStep = async (player: Player, one: OnwardStep): Promise<void> => {
    const { test, cuts, seen, known } = player;
    const name = one.step.key as 'k' | 'l';
    cuts.cutAfter(one.cut ?? Infinity);
    const finished = await act(test, bucketOf(one), one, seen[name]).then(
      () => true,
      (error: unknown) => {
        if (one.cut === undefined) throw error;
        return false;
      },
    );
    cuts.heal();
    const now = await look(test, bucketOf(one));
    const copied = one.step.do === 'copy' ? seen[one.step.from as 'k' | 'l'][0] : undefined;
    const happened = isSame(now[name], expected(seen[name], one, copied), known);
    const untouched = !finished && isSame(now[name], seen[name], known);
    assert.ok(happened || untouched, `${JSON.stringify(one)}: ${shown(seen[name])} became ${shown(now[name])}`);
    const other = name === 'k' ? 'l' : 'k';
    assert.deepEqual(now[other], seen[other], `${other} is not concerned`);
    player.seen = now;
    for (const { versionId } of [...now.k, ...now.l]) if (versionId !== 'null') known.add(versionId);
  };

  const play = async (steps: readonly OnwardStep[], backwards = false): Promise<void> => {
    const cuts = cutStore({ backwards });
    const test = testCore({ store: cuts.store, terms: { grace: GRACE, uploadLife: 2 * GRACE, doneLife: GRACE, wait: 0 } });
    const player: Player = { test, cuts, known: new Set(), seen: { k: [], l: [] } };
    for (const one of steps) {
      if (one.collect) await collect(test, 2);
      assert.deepEqual(await look(test, bucketOf(one)), player.seen, 'nothing comes or goes by itself');
      await playStep(player, one);
    }
    await collect(test, 6);
    const bucket = bucketOf(steps.at(-1)!);
    assert.deepEqual(await look(test, bucket), player.seen, 'collection changes nothing that is seen');
    await isTidy(test, bucket);
    await areGone(player, bucket);
  };

  async function areGone({ test, seen, known }: Player, bucket: BucketConfig): Promise<void> {
    const there = new Set([...seen.k, ...seen.l].map(({ versionId }) => versionId));
    for (const gone of known.difference(there)) {
      for (const name of ['k', 'l'])
        await assert.rejects(test.core.objects.get(bucket, name, gone), (error) => isError(error, 'VersionUnknown'));
    }
  }

  const shown = (history: History): string =>
    JSON.stringify(history.map(({ content, ...rest }) => ({ ...rest, content: content?.slice(0, 3) })));

  /** Nothing is stored that no version needs, records of versions included. */
  async function isTidy({ core, keys, store }: TestCore, bucket: BucketConfig): Promise<void> {
    const { versions } = await core.objects.listVersions(bucket, { prefix: '', limit: 1000 });
    const ids = new Set(versions.map(({ id }) => id));
    const named = new Set(versions.flatMap((version) => (version.deleteMarker ? [] : [version.digest])));
    assert.deepEqual(new Set((await keys('digest/')).map((record) => `sha256:${record.slice('digest/'.length)}`)), named, 'digests');
    assert.equal((await store.blobs.list(undefined, 1000)).length, await segments(store), 'no stray bytes');
    for (const left of ['intent/', 'garbage/', 'upload/', 'ranges/', 'part/', 'done/']) assert.deepEqual(await keys(left), [], left);
    const stray = (await keys('past/')).filter((record) => !ids.has(invertId(record.slice(-ID_LENGTH))));
    assert.deepEqual(stray, [], 'versions that do not stand');
    // A reference that was cut off goes with the content that it speaks of.
    for (const ref of await keys('ref/')) assert.ok(named.has(`sha256:${ref.slice(4, 68)}`), ref);
  }

  it('shows it so wherever a step was cut off after which the past matters', async () => {
    const put = (body: number): Step => ({ do: 'put', key: 'k', body });
    const remove: Step = { do: 'delete-version', key: 'k' };
    const mark: Step = { do: 'delete', key: 'k' };
    const tag: Step = { do: 'tag', key: 'k' };
    // The step with this index is cut off.
    const stories: readonly (readonly [number, ...Step[]])[] = [
      [1, put(1), put(2), put(3), remove],
      [1, put(1), mark, put(3), remove],
      [3, put(1), put(2), remove, remove, put(3), put(1)],
      [2, put(1), put(2), remove, put(3), remove],
      [1, put(1), tag, put(2), remove],
      [0, mark, put(1), put(2), remove],
    ];
    for (const [at, ...story] of stories) {
      for (let cut = 0; cut < 16; cut += 1) {
        await play(
          story.map((one, index) => ({ step: one, which: 0, versioning: 'Enabled', cut: index === at ? cut : undefined, collect: false })),
        );
      }
    }
  });

  const LIFE = 100 * GRACE;

  for (const versioning of ['Disabled', 'Enabled'] as const) {
    for (const kind of ['parts', 'ranges'] as const) {
      it(`keeps the bytes of an upload whose completion was cut off, until it is completed or over (${kind}, versioning ${versioning})`, async () => {
        const bucket = bucketNamed('b', { versioning });
        for (let cut = 0; cut < 18; cut += 1) {
          const cuts = cutStore();
          const test = testCore({ store: cuts.store, terms: { grace: GRACE, uploadLife: LIFE, doneLife: GRACE, wait: 0 } });
          const complete = await openUpload(test, bucket, kind);
          cuts.cutAfter(cut);
          await complete().catch(() => undefined);
          cuts.heal();
          // Whatever came to stand is replaced, and loses its name.
          await test.put(bucket, 'k', 'other');
          for (const { versionId } of await historyOf(test, bucket, 'k')) await test.core.objects.delete(bucket, 'k', versionId, {}, ACTOR);
          await collect(test, 8);
          const outcome = await complete().then(
            () => test.text(bucket, 'k'),
            (error: unknown) => {
              assert.ok(isError(error, 'UploadUnknown'), `cut after ${cut}: ${String(error)}`);
              return 'over';
            },
          );
          assert.ok(outcome === 'over' || outcome === UPLOADED.toString(), `cut after ${cut}`);
          const [version] = await historyOf(test, bucket, 'k');
          if (version !== undefined) await test.core.objects.delete(bucket, 'k', version.versionId, {}, ACTOR);
          test.pass(LIFE);
          await collect(test, 6);
          await isTidy(test, bucket);
        }
      });
    }
  }

  for (const [what, versioning] of Object.entries({
    'without versions': fc.constant<Versioning>('Disabled'),
    'with versions': fc.constant<Versioning>('Enabled'),
    'where versions are kept at times': fc.constantFrom<Versioning>('Enabled', 'Suspended'),
  })) {
    it(`shows what was acknowledged, and the rest once and for all or never (${what})`, async () => {
      await fc.assert(fc.asyncProperty(onward(versioning), fc.boolean(), play), { numRuns: 300 });
    });
  }
});
