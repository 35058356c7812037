import assert from 'node:assert/strict';
import { isError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import type { TestCore } from '../core.fixture.ts';
import { ACTOR, bucketNamed, testCore } from '../core.fixture.ts';
import { cutStore } from '../cutting.ts';
import { gatedStore } from '../gatedStore.ts';
import { pushesTo, sha256 } from './push.ts';

const GRACE = 60_000;
const bucket = bucketNamed('b');
const never = new AbortController().signal;
const terms = { grace: GRACE, wait: 0 };

/** Every manifest that stands has its blobs, and every tag its manifest. */
async function consistent({ core }: TestCore): Promise<void> {
  const { names } = await core.registry.tags(bucket, 'app', { limit: 100 }).catch(() => ({ names: [] as readonly string[] }));
  for (const tag of names) {
    const { digest, version } = await core.registry.findManifest(bucket, 'app', { tag });
    const manifest = await core.registry.findManifest(bucket, 'app', { digest });
    assert.equal(manifest.version.digest, version.digest);
    for (const blob of (manifest.version.metadata['blobs'] ?? '').split(' ').filter((one) => one !== '')) {
      const found = await core.registry.findBlob(bucket, { repository: 'app', digest: blob as `sha256:${string}` });
      await core.objects.checkSound(bucket, found);
    }
  }
}

const unless =
  (code: ErrorCode) =>
  (error: unknown): void => {
    if (!isError(error, code)) throw error;
  };

describe('core: a registry, raced', () => {
  it('never lets a collection take a blob from under a push, before whichever of its steps that comes', async () => {
    let refused = 0;
    for (const collectorStops of [true, false]) {
      for (let at = 1; at <= 30; at += 1) {
        const gate = gatedStore();
        const test = testCore({ terms, store: gate.store });
        const push = pushesTo(test, bucket);
        const layer = await push.blob('layer');
        test.pass(2 * GRACE);
        const pushing = async (): Promise<void> => {
          const whole = async (): Promise<void> => push.tag('1', await push.manifest([layer]));
          await whole().catch((error: unknown) => {
            if (!isError(error, 'DigestUnknown')) throw error;
            refused += 1;
          });
        };
        const collecting = () => test.core.collection.collect(never);
        const done = gate.before(at, collectorStops ? pushing : collecting);
        await (collectorStops ? collecting() : pushing());
        await done();
        await consistent(test);
        for (let round = 0; round < 4; round += 1) {
          test.pass(2 * GRACE);
          await collecting();
        }
        await consistent(test);
      }
    }
    assert.ok(refused > 0, 'some pushes come when the removal has begun');
    assert.ok(refused < 40, `${refused} of 60 pushes were refused`);
  });

  it('never leaves a tag without its manifest, when a deletion comes before any step of tagging, or the other way round', async () => {
    for (const deletionStops of [true, false]) {
      for (let at = 1; at <= 16; at += 1) {
        const gate = gatedStore();
        const test = testCore({ terms, store: gate.store });
        const push = pushesTo(test, bucket);
        const digest = await push.manifest([]);
        const tagging = async (): Promise<void> => {
          await push.tag('1', digest).catch((error: unknown) => {
            if (!isError(error, 'NameUnknown')) throw error;
          });
        };
        const deleting = () => test.core.registry.deleteManifest(bucket, { repository: 'app', digest }, ACTOR);
        const done = gate.before(at, deletionStops ? tagging : deleting);
        await (deletionStops ? deleting() : tagging());
        await done();
        await consistent(test);
      }
    }
  });

  it('never leaves a manifest without its blob, when its deletion comes before any step of the push, or the other way round', async () => {
    for (const deletionStops of [true, false]) {
      for (let at = 1; at <= 20; at += 1) {
        const gate = gatedStore();
        const test = testCore({ terms, store: gate.store });
        const push = pushesTo(test, bucket);
        const layer = await push.blob('layer');
        const deleting = async (): Promise<void> => {
          await test.core.registry.deleteBlob(bucket, { repository: 'app', digest: layer }, ACTOR).catch(unless('Held'));
        };
        const pushing = async (): Promise<void> => {
          const whole = async (): Promise<void> => push.tag('1', await push.manifest([layer]));
          await whole().catch(unless('DigestUnknown'));
        };
        const done = gate.before(at, deletionStops ? pushing : deleting);
        await (deletionStops ? deleting() : pushing());
        await done();
        await consistent(test);
      }
    }
  });

  it('writers of different tags and referrers of one repository never refuse one another', async () => {
    const test = testCore({ terms, store: openMemoryStore() });
    const push = pushesTo(test, bucket);
    const layer = await push.blob('shared');
    const subject = sha256('subject');
    await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        const about = { digest: subject, descriptor: { mediaType: 'm', digest: sha256(`d${n}`), size: 1 } };
        await push.tag(`t${n}`, await push.manifest([layer], { subject: about }));
      }),
    );
    assert.equal((await test.core.registry.tags(bucket, 'app', { limit: 100 })).names.length, 64);
    assert.equal(
      (await test.core.registry.referrers(bucket, { repository: 'app', digest: subject }, { limit: 100 })).descriptors.length,
      64,
    );
    await consistent(test);
  });

  it('over a store without transactions, a push that was cut off anywhere leaves nothing for ever, and can be made again', async () => {
    for (let cut = 0; cut <= 24; cut += 1) {
      for (const again of [true, false]) {
        const { store, cutAfter, heal } = cutStore();
        const test = testCore({ terms, store });
        const push = pushesTo(test, bucket);
        const all = async (): Promise<void> => {
          const layer = await push.blob('layer');
          const arrived = await test.core.objects.receive(bucket, once('manifest'), {});
          const digest = await push.manifest([layer], { digest: sha256('manifest'), arrived });
          await push.tag('1', digest);
        };
        cutAfter(cut);
        await all().catch(() => undefined);
        heal();
        await consistent(test);
        if (again) {
          await all();
          await consistent(test);
          assert.equal((await test.core.registry.tags(bucket, 'app', { limit: 10 })).names.length, 1);
        }
        const { registry } = test.core;
        await registry.deleteManifest(bucket, { repository: 'app', digest: sha256('manifest') }, ACTOR).catch((error: unknown) => {
          if (!isError(error, 'NameUnknown')) throw error;
        });
        for (let round = 0; round < 6; round += 1) {
          test.pass(2 * GRACE);
          await test.core.collection.collect(never);
        }
        const left = (await test.keys()).filter((key) => !/^(journal|bucket)\//.test(key));
        assert.deepEqual(left, [], `cut after ${cut} changes, ${again ? 'made again' : 'left'}`);
        assert.deepEqual(await store.blobs.list(undefined, 10), []);
      }
    }
  });
});

async function* once(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text);
}
