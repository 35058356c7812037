/** What the scrub does on whatever store: each driver's tests run it. */
import assert from 'node:assert/strict';
import type { ObjectVersion } from '../../../src/core/object.ts';
import type { Store } from '../../../src/storage/contract.ts';
import { ACTOR, admit, collectBytes, PLAIN } from '../core.fixture.ts';
import { bodyOf, bucket, CONTENTS, WAYS } from './content.ts';
import { blobsOf, GRACE, recordOf, refusedAsDamaged, ROT, rot, rottingCore } from './rot.ts';
import type { RottingCore } from './rot.ts';

const never = new AbortController().signal;

/** `open` answers an empty store of the driver. */
export function describeScrub(driver: string, open: () => Promise<Store>): void {
  describe(`core: the scrub on ${driver}`, () => {
    const stores: Store[] = [];
    const opened = async (): Promise<RottingCore> => {
      const store = await open();
      stores.push(store);
      return rottingCore({ store });
    };
    after(async () => void (await Promise.all(stores.map((store) => store.close()))));

    it('reads every byte once, and finds nothing wrong with right ones', async () => {
      const test = await opened();
      let bytes = 0;
      for (const [name, { way, size }] of Object.entries(CONTENTS)) {
        await way(test, name, bodyOf(size));
        bytes += size;
      }
      await test.put(bucket, 'empty', '');
      const pass = await test.scrub();
      assert.deepEqual([pass.digests, pass.bytes, pass.damaged, pass.unreadable], [6, bytes, 0, 0]);
      assert.equal(test.told.bytes, bytes);
      assert.deepEqual(await test.findings(), []);
      assert.deepEqual(await test.journal('quarantine', 'repair', 'release', 'unreadable'), []);
    });

    for (const [name, { way, size, blobs }] of Object.entries(CONTENTS)) {
      it(`quarantines ${name}, however they rot, and takes right bytes in their place`, async function () {
        this.timeout(60_000);
        const test = await opened();
        const sound = await test.put(bucket, 'sound', 'sound');
        const rotten: { readonly version: ObjectVersion; readonly body: Buffer; readonly kind: string }[] = [];
        for (const [kind, change] of Object.entries(ROT)) {
          const body = bodyOf(size);
          const version = await way(test, kind, body);
          await test.core.objects.copy({ bucket, version }, { bucket, key: `${kind}-copy` }, PLAIN, {}, ACTOR);
          const stored = await blobsOf(test.store, version.digest);
          assert.equal(stored.length, blobs);
          await rot(test.store, stored.at(-1)!, change);
          rotten.push({ version, body, kind });
        }
        assert.equal((await test.scrub()).damaged, rotten.length);
        for (const { version, kind } of rotten) await isWithheld(test, version, kind);
        assert.equal(await test.text(bucket, 'sound'), 'sound');
        assert.equal(
          (await test.findings()).some(({ digest }) => digest === sound.digest),
          false,
        );
        for (const { version, body, kind } of rotten) {
          await way(test, `${kind}-again`, body);
          await isRight(test, version, body, kind);
        }
        assert.equal((await test.scrub()).damaged, 0);
        await leavesNothing(test);
      });
    }

    for (const [name, way] of Object.entries(WAYS)) {
      it(`is repaired by ${name}, in however many blobs the bytes were before`, async () => {
        const test = await opened();
        const body = bodyOf(5 * 1024 * 1024 + 9);
        const before = name === 'put' ? WAYS.appended : WAYS.put;
        const version = await before(test, 'k', body);
        await rot(test.store, (await blobsOf(test.store, version.digest))[0]!, ROT.flipped);
        await test.scrub();
        await isWithheld(test, version, name);
        await way(test, 'other', body);
        await isRight(test, version, body, name);
        await leavesNothing(test);
      });
    }
  });
}

/** No way out of the core for these bytes, and a report about them. */
async function isWithheld(test: RottingCore, version: ObjectVersion, kind: string): Promise<void> {
  const { core } = test;
  const { digest, size, key } = version;
  const admitted = admit(digest);
  await refusedAsDamaged(collectBytes(core.objects.open(bucket, admitted)), `${kind}: read`);
  await refusedAsDamaged(collectBytes(core.objects.open(bucket, admitted, { offset: 0, length: 1 })), `${kind}: a range`);
  await refusedAsDamaged(core.objects.checkSound(bucket, version), `${kind}: looked at`);
  await refusedAsDamaged(core.objects.copy({ bucket, version }, { bucket, key: 'copied' }, PLAIN, {}, ACTOR), `${kind}: copied`);
  const known = { sha256: digest.slice('sha256:'.length), length: size, attributes: PLAIN };
  assert.equal(await core.ranges.known(bucket, 'known', known, async () => true, { conditions: {}, actor: ACTOR }), undefined);
  assert.deepEqual(
    (await test.keys('head/')).filter((record) => /copied$|known$/.test(record)),
    [],
  );
  assert.equal((await core.objects.get(bucket, key)).key, key, 'the name is there');

  await isReported(test, version, kind);
}

const KINDS: Readonly<Record<string, string>> = {
  flipped: 'differs',
  truncated: 'length',
  grown: 'length',
  emptied: 'length',
  deleted: 'missing',
};

async function isReported({ core, store, ...test }: RottingCore, { digest, size, layout }: ObjectVersion, way: string): Promise<void> {
  const finding = (await test.findings()).find((one) => one.digest === digest) ?? assert.fail(`${way}: no finding`);
  assert.deepEqual([finding.quarantined, finding.size], [true, size]);
  const entries = (await test.journal('quarantine')).filter((one) => one.digest === digest);
  assert.deepEqual(
    entries.map(({ actor, note = '' }) => [actor.principal, note.split(':')[0]]),
    [['bonded:scrub', finding.kind]],
  );
  const keep = await core.collection.explain(digest);
  assert.ok(keep.quarantined !== undefined && keep.names.length > 0);
  if (!(way in KINDS)) return;
  assert.equal(finding.kind, KINDS[way]);
  const last = heldExtents(await recordOf(store, digest)).at(-1)!;
  // Pieces have no digests of their own, so that of several nobody can tell which one differs.
  const isKnown = way !== 'flipped' || layout !== undefined || last.offset === 0;
  assert.deepEqual(finding.where, isKnown ? [last] : []);
}

function heldExtents(record: Awaited<ReturnType<typeof recordOf>>) {
  let offset = 0;
  return (record.quarantined?.segments ?? []).map(([blob, length]) => {
    offset += length;
    return { offset: offset - length, length, blob };
  });
}

async function isRight(test: RottingCore, { key, digest }: ObjectVersion, body: Buffer, what: string): Promise<void> {
  const bytes = await collectBytes(test.core.objects.open(bucket, admit(digest)));
  assert.ok(bytes.equals(body), `${what}: the bytes are back`);
  const version = await test.core.objects.get(bucket, key);
  assert.ok(!version.deleteMarker && version.digest === digest);
  assert.equal(
    (await test.findings()).some((one) => one.digest === digest),
    false,
  );
  assert.equal((await test.journal('repair')).filter((one) => one.digest === digest && one.actor.principal === ACTOR.principal).length, 1);
}

/** The wrong bytes stay for the grace time, and go after it. */
async function leavesNothing(test: RottingCore): Promise<void> {
  const { core, store } = test;
  const held = (
    await Promise.all((await test.keys('digest/')).map((key) => blobsOf(store, `sha256:${key.slice('digest/'.length)}`)))
  ).flat();
  await core.collection.collect(never);
  assert.ok((await store.blobs.list(undefined, 1000)).length > 0);
  const kept = (await test.keys('garbage/replaced/')).length;
  assert.ok(kept > 0, 'the wrong bytes are kept for a while');
  for (let round = 0; round < 3; round += 1) {
    test.pass(3 * GRACE);
    await core.collection.collect(never);
  }
  assert.deepEqual([...(await store.blobs.list(undefined, 1000))].sort(), held.sort(), 'no stray bytes');
  for (const left of ['intent/', 'garbage/', 'part/', 'scrub/finding/']) assert.deepEqual(await test.keys(left), [], left);
}
