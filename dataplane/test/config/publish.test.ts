import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sealSnapshot } from '@bonded/crds';
import { parseManifest } from '../../src/config/manifestFile.ts';
import type { ManifestReader } from '../../src/config/manifests.ts';
import { publishManifests, type PublishContext } from '../../src/config/publish.ts';
import { loadRootCredentials } from '../../src/config/rootCredentials.ts';
import { openConfigStore, type ConfigStore } from '../../src/config/store.ts';
import { bucketText, createWorkshop, type Workshop } from './workshop.ts';

const EMPTY = sealSnapshot({ buckets: [], bindings: [], policies: [], accessKeys: [] });

describe('publishing manifests', () => {
  let shop: Workshop;
  let store: ConfigStore;
  beforeEach(async () => {
    shop = await createWorkshop();
    await mkdir(shop.data);
    store = openConfigStore(join(shop.data, 'config.db'));
  });
  afterEach(async () => {
    store.close();
    await shop.close();
  });

  /** A reader that reads these one after the other, somebody else publishing during the first reading. */
  function overtaken(...texts: readonly string[]): ManifestReader {
    let reading = 0;
    return {
      read: () => {
        if (reading === 0) store.publish(store.counter(), { snapshot: EMPTY, conditions: [] });
        const text = texts[Math.min(reading, texts.length - 1)] ?? '';
        reading += 1;
        return Promise.resolve(parseManifest('a.yaml', Buffer.from(text)));
      },
    };
  }

  const context = async (reader: ManifestReader): Promise<PublishContext> => ({
    store,
    reader,
    root: await loadRootCredentials(shop.data),
    terms: { issuers: [], locations: ['default'] },
  });

  it('reads again when somebody else published while it read, since what it read may be old', async () => {
    assert.equal((await publishManifests(await context(overtaken(bucketText('old'), bucketText('new'))))).outcome, 'inForce');
    assert.deepEqual(
      store.load()?.snapshot.buckets.map(({ name }) => name),
      ['new'],
    );
  });

  it('refuses nothing on the ground of an old reading', async () => {
    assert.equal((await publishManifests(await context(overtaken('broken: [', bucketText('new'))))).outcome, 'inForce');
    assert.deepEqual(store.problems(), []);
  });

  it('changes nothing where nothing changed', async () => {
    const publish = await context({ read: () => Promise.resolve(parseManifest('a.yaml', Buffer.from(bucketText('builds')))) });
    await publishManifests(publish);
    const counter = store.counter();
    await publishManifests(publish);
    assert.equal(store.counter(), counter);
  });
});
