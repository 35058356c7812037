/**
 * A process of its own with a store in the bucket that its first argument tells: increments one record against whoever else does,
 * takes tickets (exactly one process may have each), and stores a blob with every one it got. Prints what it got, as JSON.
 */
import { isError } from '../../dataplane/src/errors.ts';
import type { Store } from '../../dataplane/src/storage/contract.ts';
import { openS3Store, type S3StoreOptions } from '../../dataplane/src/storage/s3/store.ts';
import { lending, patterned } from '../../dataplane/test/storage/conformance/bodies.ts';

const [, , options = '', name = '', times = ''] = process.argv;
const store = await openS3Store(JSON.parse(options) as S3StoreOptions);
const tickets: number[] = [];
for (let n = 0; n < Number(times); n += 1) {
  await persisting(() => increment(store));
  if (await take(store, n)) tickets.push(n);
}
await store.close();
process.stdout.write(JSON.stringify(tickets));

async function increment({ records }: Store): Promise<boolean> {
  const entry = await records.get('count');
  const value = entry?.value as { readonly count: number } | undefined;
  const expected = entry === undefined ? { ifAbsent: true as const } : { ifRevision: entry.revision };
  return made(records.write([{ put: 'count', value: { count: (value?.count ?? 0) + 1 }, ...expected }]));
}

async function take({ records, blobs }: Store, ticket: number): Promise<boolean> {
  const blob = `${name}.${ticket}`;
  await blobs.put(blob, lending(patterned(1000 + ticket, ticket + 1), 300));
  if (await made(records.write([{ put: `ticket/${ticket}`, value: { blob }, ifAbsent: true }]))) return true;
  await blobs.delete(blob);
  return false;
}

async function persisting(attempt: () => Promise<boolean>): Promise<void> {
  while (!(await attempt()));
}

async function made(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (thrown) {
    if (isError(thrown, 'Conflict')) return false;
    throw thrown;
  }
}
