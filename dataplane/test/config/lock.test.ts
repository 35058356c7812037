import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWriterLock } from '../../src/config/lock.ts';
import { isError } from '../../src/errors.ts';

describe('the lock of writers', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets one at a time', async () => {
    const path = join(folder, 'writer.lock');
    const locks = [openWriterLock(path), openWriterLock(path)];
    let inside = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      assert.equal(inside, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    await Promise.all([0, 1, 0, 1, 1].map((which) => locks[which]!.hold(work)));
    for (const lock of locks) lock.close();
  });

  it('that cannot be taken says so, and can be taken later', async () => {
    const path = join(folder, 'writer.lock');
    const lock = openWriterLock(path);
    await writeFile(path, 'this is no lock'.repeat(100));
    await assert.rejects(
      lock.hold(async () => undefined),
      (error) => isError(error, 'Unavailable') && /data directory/.test(error.message),
    );
    await truncate(path);
    assert.equal(await lock.hold(async () => 'held'), 'held');
    lock.close();
  });
});
