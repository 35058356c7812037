import assert from 'node:assert/strict';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRootCredentials } from '../../src/config/rootCredentials.ts';
import { isError } from '../../src/errors.ts';
import { createWorkshop, type Workshop } from './workshop.ts';

describe("the built-in Owner's key", () => {
  let shop: Workshop;
  beforeEach(async () => void (shop = await createWorkshop()));
  afterEach(() => shop.close());

  it('is made once, as an AWS credentials file that only its owner reads', async () => {
    const made = await loadRootCredentials(shop.data);
    assert.match(made.accessKeyId, /^BONDED[A-Z0-9]{14}$/);
    assert.match(made.secretAccessKey, /^[A-Za-z0-9]{40}$/);
    assert.deepEqual([made.created, made.file], [true, join(shop.data, 'root-credentials')]);
    assert.equal((await stat(made.file)).mode & 0o777, 0o600);
    const plain = `[bonded]\naws_access_key_id = ${made.accessKeyId}\naws_secret_access_key = ${made.secretAccessKey}\n`;
    assert.equal(await readFile(made.file, 'utf8'), `${plain}s3 =\n    signature_version = s3v4\n`);
    assert.deepEqual(await loadRootCredentials(shop.data), { ...made, created: false });
    await writeFile(made.file, plain, { mode: 0o600 });
    assert.deepEqual(await loadRootCredentials(shop.data), { ...made, created: false });
  });

  it('is the same for all that start at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => loadRootCredentials(shop.data)));
    assert.equal(new Set(all.map(({ secretAccessKey }) => secretAccessKey)).size, 1);
    assert.equal(all.filter(({ created }) => created).length, 1);
  });

  it('is another one after the file was removed', async () => {
    const first = await loadRootCredentials(shop.data);
    await rm(first.file);
    assert.notEqual((await loadRootCredentials(shop.data)).accessKeyId, first.accessKeyId);
  });

  for (const mode of [0o640, 0o604, 0o660]) {
    it(`is refused when others may use the file (mode ${mode.toString(8)})`, async () => {
      const { file, secretAccessKey } = await loadRootCredentials(shop.data);
      await chmod(file, mode);
      await assert.rejects(
        loadRootCredentials(shop.data),
        (error) => isError(error, 'Unavailable') && /chmod 600/.test(error.message) && !error.message.includes(secretAccessKey),
      );
    });
  }

  it('is refused when the file is not as it was written, without showing it', async () => {
    const { file } = await loadRootCredentials(shop.data);
    await writeFile(file, '[bonded]\naws_access_key_id = hunter2\n');
    await assert.rejects(loadRootCredentials(shop.data), (error) => isError(error, 'Unavailable') && !error.message.includes('hunter2'));
  });
});
