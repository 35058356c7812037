/** Configuration changes through an API: written where the manifests are, journalled, and kept in step with what is stored. */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError, isError } from '../errors.ts';
import { bucketValue, findBucket, isClosing, isEmpty, openBucket } from './buckets.ts';
import { retireBucket } from './collect/buckets.ts';
import type { CoreContext } from './context.ts';
import { storeOf } from './context.ts';
import type { Actor, BucketSettings, Configuration, Journal } from './core.ts';
import { keys } from './keys.ts';

/** Writes resources where the installation keeps them; what it wrote is in force in every process when it resolves. */
export interface ResourceWriter {
  createBucket(name: string, namespace: string, settings?: BucketSettings): Promise<void>;
  deleteBucket(name: string): Promise<void>;
  updateBucket(name: string, settings: BucketSettings): Promise<void>;
  putPolicy(bucket: string, document: string): Promise<void>;
  deletePolicy(bucket: string): Promise<void>;
}

export function createConfiguration(context: CoreContext, writer: ResourceWriter, journal: Journal): Configuration {
  const tell = (actor: Actor, bucket: string, note: string): Promise<void> => journal.append({ actor, change: 'configure', bucket, note });
  return {
    createBucket: async (name, namespace, actor, settings) => {
      await writer.createBucket(name, namespace, settings);
      await tell(actor, name, 'bucket created');
    },
    deleteBucket: async (bucket, actor) => {
      await closeBucket(context, bucket, () => writer.deleteBucket(bucket.name));
      await tell(actor, bucket.name, 'bucket deleted');
    },
    updateBucket: async (bucket, settings, actor) => {
      await writer.updateBucket(bucket.name, settings);
      await tell(actor, bucket.name, `bucket settings changed: ${Object.keys(settings).join(', ')}`);
    },
    putPolicy: async (bucket, document, actor) => {
      await writer.putPolicy(bucket.name, document);
      await tell(actor, bucket.name, 'bucket policy replaced');
    },
    deletePolicy: async (bucket, actor) => {
      await writer.deletePolicy(bucket.name);
      await tell(actor, bucket.name, 'bucket policy deleted');
    },
    bucketCreated: async (bucket) => (await openBucket(context, bucket)).created,
  };
}

/**
 * Deletes an empty bucket. It is first marked as closing: a write that names something in it looks at the mark afterwards,
 * so either this sees the name, or the writer sees the mark and does not acknowledge.
 */
async function closeBucket(context: CoreContext, bucket: BucketConfig, removeResource: () => Promise<void>): Promise<void> {
  const store = storeOf(context, bucket);
  const { id } = await openBucket(context, bucket);
  const closing = await mark(context, bucket, true);
  try {
    if (!(await isEmpty({ store, id }))) {
      throw new ArtefactError(
        'BucketNotEmpty',
        'The bucket you tried to delete is not empty. Delete all versions of all objects in it first, and what was pushed to its repositories.',
      );
    }
    await removeResource();
  } catch (error) {
    await mark(context, bucket, false);
    throw error;
  }
  const found = await findBucket(store, bucket.name);
  if (found?.revision !== closing) return;
  await store.records.write([
    ...retireBucket(bucket.name, found.record, context.now()),
    { delete: keys.bucket(bucket.name), ifRevision: closing },
  ]);
}

/** Sets or takes off the closing mark; answers the record's revision. */
async function mark(context: CoreContext, bucket: BucketConfig, closing: boolean): Promise<string> {
  const store = storeOf(context, bucket);
  for (;;) {
    const found = await findBucket(store, bucket.name);
    if (found === undefined) throw new ArtefactError('BucketUnknown', 'The specified bucket does not exist.');
    if (closing && isClosing(found.record, context.now()))
      throw new ArtefactError('ConcurrentChange', 'The bucket is being deleted by another request. Please try again.');
    const { closing: _closing, ...rest } = found.record;
    const value = bucketValue(closing ? { ...rest, closing: context.now() } : rest);
    try {
      const [revision] = await store.records.write([{ put: keys.bucket(bucket.name), value, ifRevision: found.revision }]);
      return revision ?? '';
    } catch (error) {
      if (!isError(error, 'Conflict')) throw error;
    }
  }
}
