import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { failsWith } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

describe('local store: the check', () => {
  it('finds out within a second that a file cannot be written, and that it can again', async function () {
    this.timeout(10_000);
    const { directory, remove } = await newDirectory();
    const store = await openLocalStore({ directory });
    try {
      const { incoming } = layoutOf(directory);
      await store.check();
      await rm(incoming, { recursive: true });
      await store.check();
      await sleep(1050);
      await assert.rejects(store.check(), failsWith('Unavailable'));
      await mkdir(incoming);
      await sleep(1050);
      await store.check();
    } finally {
      await store.close();
      await remove();
    }
  });
});
