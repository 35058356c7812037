import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../../src/storage/contract.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { patterned, read, sameBytes } from '../conformance/bodies.ts';
import { startChild } from './children.ts';
import { newDirectory } from './place.ts';
import { blobOf, sizeOf } from './rounds.ts';

const KILLS = 20;

/** Far apart, so that no run of the child meets the ids of an earlier one. */
const ROUNDS_PER_KILL = 100_000;

describe('local store: a process that is killed', () => {
  it('has lost nothing acknowledged and shows no half blob, 20 times', async function () {
    this.timeout(120_000);
    const { directory, remove } = await newDirectory();
    const acknowledged: number[] = [];
    try {
      for (let kill = 0; kill < KILLS; kill += 1) acknowledged.push(...(await killWriter(directory, kill)));
      assert.ok(acknowledged.length > KILLS * 4, `only ${acknowledged.length} rounds were acknowledged`);
      const store = await openLocalStore({ directory });
      try {
        await hasAll(store, acknowledged);
        await showsOnlyWhole(store);
        await store.records.write([{ put: 'last', value: 'writable' }]);
      } finally {
        await store.close();
      }
    } finally {
      await remove();
    }
  });

  it('leaves a part that another live process is writing', async function () {
    this.timeout(20_000);
    const { directory, remove } = await newDirectory();
    const child = await startChild(directory, 'write', '0');
    try {
      await sleep(200);
      await (await openLocalStore({ directory })).close();
      const lines: string[] = [];
      for (let n = 0; n < 20; n += 1) lines.push((await child.lines.next()).value as string);
      assert.equal(new Set(lines).size, 20);
    } finally {
      child.process.kill('SIGKILL');
      await child.ended;
      await remove();
    }
  });
});

/** Answers the rounds that were acknowledged before the kill. */
async function killWriter(directory: string, kill: number): Promise<number[]> {
  const child = await startChild(directory, 'write', String(kill * ROUNDS_PER_KILL));
  setTimeout(() => child.process.kill('SIGKILL'), 30 + ((kill * 37) % 150));
  const rounds: number[] = [];
  for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) {
    if (/^\d+$/.test(line.value)) rounds.push(Number(line.value));
  }
  await child.ended;
  return rounds;
}

async function hasAll({ records, blobs }: Store, rounds: readonly number[]): Promise<void> {
  for (const round of rounds) {
    assert.deepEqual((await records.get(`round/${round}`))?.value, { round });
    sameBytes(await read(blobs.get(blobOf(round))), patterned(sizeOf(round), round));
  }
}

/** Whatever can be listed is whole, also what was never acknowledged. */
async function showsOnlyWhole({ blobs }: Store): Promise<void> {
  const ids = await blobs.list(undefined, 10_000);
  for (const id of ids) {
    const round = Number(id.slice(4));
    assert.equal(await blobs.head(id), sizeOf(round));
    sameBytes(await read(blobs.get(id)), patterned(sizeOf(round), round));
  }
}
