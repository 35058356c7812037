import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isError } from '../../../src/errors.ts';
import type { Db } from '../../../src/storage/local/database.ts';
import { openDatabase } from '../../../src/storage/local/database.ts';
import { layoutOf } from '../../../src/storage/local/layout.ts';
import { marksOf } from '../../../src/storage/local/standing.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import type { WireBatch } from '../../../src/storage/local/wire.ts';
import { openWriteQueue } from '../../../src/storage/local/writeQueue.ts';
import type { WriteQueue } from '../../../src/storage/local/writeQueue.ts';
import { failsWith } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

let count = 0;
const batch = (size = 10): WireBatch => [{ put: `k${count++}`, json: JSON.stringify('x'.repeat(size)), revision: `r${count}` }];

describe('local store: the write queue', () => {
  let directory: string;
  let remove: () => Promise<void>;
  let queue: WriteQueue | undefined;
  let reader: Db | undefined;

  beforeEach(async () => ({ directory, remove } = await newDirectory()));
  afterEach(async () => {
    await queue?.close();
    queue = undefined;
    reader?.close();
    reader = undefined;
    await remove();
  });

  const open = async (maxPendingBytes?: number): Promise<WriteQueue> => {
    // Makes the directories that the writer expects.
    await (await openLocalStore({ directory })).close();
    const layout = layoutOf(directory);
    reader = openDatabase(layout.database, 'default', 0);
    queue = await openWriteQueue({ directory, location: 'default', maxPendingBytes, marks: marksOf(layout) });
    return queue;
  };

  it('rejects all that waits when its thread dies, and writes again when there is a new one', async () => {
    const { write, thread } = bound(await open());
    await write(batch());
    const waiting = Array.from({ length: 50 }, () => write(batch(100_000)));
    const dying = thread.crash();
    const results = await Promise.allSettled([...waiting, dying.then(() => write(batch()))]);
    const lost = results.filter(({ status }) => status === 'rejected');
    assert.ok(lost.length >= 1);
    for (const result of results) if (result.status === 'rejected') failsWith('Unavailable')(result.reason);
    await eventually(() => write(batch()));
  });

  it('answers SlowDown when too much waits, and takes more when it is written', async () => {
    const { write } = bound(await open(100_000));
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => write(batch(20_000))));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    assert.ok(refused.length >= 15 && refused.length < 20, `${refused.length} refused`);
    for (const reason of refused) failsWith('SlowDown')(reason);
    await write(batch(20_000));
    await write(batch(500_000));
  });

  it('writes thousands of batches and groups larger than one commit takes', async function () {
    this.timeout(20_000);
    const { write } = bound(await open());
    await Promise.all(Array.from({ length: 5000 }, () => write(batch())));
    await Promise.all(Array.from({ length: 20 }, () => write(batch(1_000_000))));
  });

  it('writes all that waits before it closes', async () => {
    const { write, close } = bound(await open());
    const waiting = Array.from({ length: 100 }, () => write(batch(50_000)));
    await close();
    await Promise.all(waiting);
    await assert.rejects(write(batch()), failsWith('Unavailable'));
  });

  it('rejects what cannot be sent to the thread, and goes on', async () => {
    const { write } = bound(await open());
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    await assert.rejects(write([{ blob: '01JD7K', bytes: shared }]));
    await write(batch());
  });

  it('cannot be opened where there is no directory', async () => {
    await assert.rejects(openWriteQueue({ directory: `${directory}/none`, location: 'default', marks: [] }));
  });
});

function bound(queue: WriteQueue) {
  return { write: (one: WireBatch) => queue.write(one), close: () => queue.close(), thread: queue.thread };
}

async function eventually(step: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await step();
    } catch (thrown) {
      if (attempt >= 100 || !isError(thrown, 'Unavailable')) throw thrown;
      await sleep(30);
    }
  }
}
