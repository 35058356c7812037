import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { readIssuers } from '../../src/config/issuers.ts';
import { createManifestReader } from '../../src/config/manifests.ts';
import { createWorkshop, type Workshop } from './workshop.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const EXAMPLES = join(ROOT, 'examples', 'standalone');

describe('the examples', () => {
  let shop: Workshop;
  before(async () => void (shop = await createWorkshop()));
  after(() => shop.close());

  it('come into force as they are, but for the secret that everybody must choose', async () => {
    const issuers = await readIssuers(join(EXAMPLES, 'issuers.yaml.example'));
    await cp(EXAMPLES, shop.manifests, { recursive: true });
    const config = await shop.open({ issuers });
    const { problems, notReady } = config.status();
    assert.deepEqual(problems, []);
    assert.deepEqual(
      notReady.map(({ kind, name, reason }) => [kind, name, reason]),
      [['AccessBinding', 'nightly', 'SecretInvalid']],
    );
    assert.deepEqual([...config.current().bucketsByName.keys()], ['builds', 'public-downloads']);
  });

  it('leave the directory that `make run` reads as good as empty', async () => {
    const { resources, problems } = await createManifestReader(join(ROOT, 'config', 'standalone')).read();
    assert.deepEqual(problems, []);
    assert.deepEqual(
      resources.filter(({ file }) => !file.startsWith('api/')),
      [],
    );
  });
});
