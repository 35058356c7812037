import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCache } from '../../../src/storage/s3/cache.ts';
import { newDirectory } from '../local/place.ts';

describe('the cache of records', () => {
  it('is shared through its file, place by place', async () => {
    const { directory, remove } = await newDirectory();
    const file = join(directory, 'cache.db');
    const [one, other, elsewhere] = [openCache('a', file), openCache('a', file), openCache('b', file)];
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    one.keep('n', { etag: 'e', text: 't' });
    assert.deepEqual(one.find('n'), { etag: 'e', text: 't' });
    one.close();
    assert.deepEqual({ ...other.find('n') }, { etag: 'e', text: 't' });
    assert.equal(elsewhere.find('n'), undefined);
    other.forget('n');
    assert.equal(other.find('n'), undefined);
    other.close();
    elsewhere.close();
    await remove();
  });

  it('is made anew when its file is damaged', async () => {
    const { directory, remove } = await newDirectory();
    const file = join(directory, 'cache.db');
    await writeFile(file, 'this is no database, whatever its name says'.repeat(100));
    const cache = openCache('a', file);
    cache.keep('n', { etag: 'e', text: 't' });
    cache.close();
    const again = openCache('a', file);
    assert.equal(again.find('n')?.etag, 'e');
    again.close();
    await remove();
  });

  it('does not keep what is long', () => {
    const cache = openCache('a');
    cache.keep('n', { etag: 'e', text: 'x'.repeat(300 * 1024) });
    assert.equal(cache.find('n'), undefined);
    cache.close();
  });
});
