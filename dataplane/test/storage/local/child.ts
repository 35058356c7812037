/**
 * A process of its own, with the store of the directory in its first argument.
 * `write`: writes records and blobs without end and prints the number of each round when it was acknowledged.
 * `count`: increments one record `n` times against whoever else does.
 * `see`: answers every key on stdin with the value that it sees.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Store } from '../../../src/storage/contract.ts';
import { isError } from '../../../src/errors.ts';
import { openLocalStore } from '../../../src/storage/local/store.ts';
import { lending, patterned } from '../conformance/bodies.ts';
import { blobOf, sizeOf } from './rounds.ts';

const [, , directory = '', task = '', argument = ''] = process.argv;
const store = await openLocalStore({ directory });
writeSync(1, 'open\n');
const tasks: Readonly<Record<string, (store: Store, argument: string) => Promise<void>>> = {
  write: writeWithoutEnd,
  count,
  see: answerKeys,
};
await tasks[task]?.(store, argument);
await store.close();

async function writeWithoutEnd({ records, blobs }: Store, first: string): Promise<void> {
  const lane = async (start: number): Promise<void> => {
    for (let round = start; ; round += 4) {
      const bytes = patterned(sizeOf(round), round);
      await blobs.put(blobOf(round), lending(bytes, 50_000));
      await records.write([
        { put: `round/${round}`, value: { round } },
        { put: 'last', value: round },
      ]);
      writeSync(1, `${round}\n`);
    }
  };
  await Promise.all([0, 1, 2, 3].map((offset) => lane(Number(first) + offset)));
}

async function count({ records }: Store, times: string): Promise<void> {
  for (let done = 0; done < Number(times);) {
    const entry = await records.get('count');
    try {
      await records.write([{ put: 'count', value: Number(entry?.value) + 1, ifRevision: entry?.revision }]);
      done += 1;
    } catch (thrown) {
      if (!isError(thrown, 'Conflict')) throw thrown;
    }
  }
}

async function answerKeys({ records }: Store): Promise<void> {
  for await (const key of createInterface({ input: process.stdin })) {
    const entry = await records.get(key);
    writeSync(1, `${JSON.stringify(entry?.value ?? null)}\n`);
  }
}
