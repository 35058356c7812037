/**
 * Reading ahead: where asking for a record costs a round trip, what is known of it is used at once, while it is asked whether it
 * still is so. Nothing comes of it before the answer: if it is another, the work is done anew.
 */
import type { BucketConfig } from '@bonded/crds';
import type { Bytes } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { openBucket, recallBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';

/** Reads in a bucket. `read` changes nothing, and may be called a second time. Throws what opening the bucket throws, or what `read` does. */
export async function readIn<T>(context: CoreContext, config: BucketConfig, read: (bucket: OpenBucket) => Promise<T>): Promise<T> {
  const known = recallBucket(context, config);
  if (known === undefined) return read(await openBucket(context, config));
  const [opened, ahead] = await Promise.allSettled([openBucket(context, config), read(known)]);
  if (opened.status === 'rejected') throw opened.reason;
  if (opened.value.id !== known.id) return read(opened.value);
  if (ahead.status === 'rejected') throw ahead.reason;
  return ahead.value;
}

/** Bytes of which the first are on their way before anybody knows whether they may be used. */
export interface BytesAhead {
  /** All of them; once. */
  bytes(): Bytes;
  /** Lets go of them, when they were not read to their end. */
  close(): Promise<void>;
}

/** Asks for the first bytes now. */
export function readAhead(source: Bytes): BytesAhead {
  const iterator = source[Symbol.asyncIterator]();
  const first = iterator.next();
  first.catch(() => undefined);
  return {
    async *bytes() {
      for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value;
    },
    close: async () => void (await iterator.return?.()),
  };
}
