/** `DELETE /api/v1/buckets/{bucket}`, of an empty bucket or with all that is in it. */
import type { BucketConfig } from '@bonded/crds';
import { matchesAnyGlob } from '../../config/glob.ts';
import type { Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call } from '../contract.ts';
import { bucketOf } from './bucketView.ts';
import { administer } from './demands.ts';
import { flag } from './fields.ts';
import { bucketName } from './parameters.ts';
import { row } from './row.ts';

interface DeleteParams {
  readonly bucket: string;
  readonly force: boolean;
}

const PAGE = 1000;

export const deleteBucket = row<DeleteParams>({
  name: 'admin.DeleteBucket',
  method: 'DELETE',
  path: '/api/v1/buckets/{bucket}',
  fields: { bucket: bucketName, force: flag },
  demands: ({ bucket }) => [administer(bucket, 's3:DeleteBucket')],
  async handle(call, core) {
    const bucket = bucketOf(call.snapshot, call.params.bucket);
    if (call.params.force) await emptyFirst(bucket, call, core);
    await core.configuration.deleteBucket(bucket, call.actor);
    return { status: 204 };
  },
});

/** Removes the contents, unless it is known already that the bucket or one of its names must stay. */
async function emptyFirst(bucket: BucketConfig, call: Call<DeleteParams>, core: Core): Promise<void> {
  if (bucket.origin.managedBy !== 'api') {
    throw new ArtefactError('ManagedElsewhere', `The bucket is managed by ${bucket.origin.owner}: delete it there.`, {
      details: { owner: bucket.origin.owner },
    });
  }
  await authoriseContents(bucket, call, core);
  await core.objects.empty(bucket, call.actor);
}

/** A denial may concern single names: every one of them is asked for before the first is removed. */
async function authoriseContents(bucket: BucketConfig, call: Call<DeleteParams>, core: Core): Promise<void> {
  let from: { readonly key: string; readonly versionId?: string } | undefined;
  do {
    call.signal.throwIfAborted();
    const page = await core.objects.listVersions(bucket, { prefix: '', limit: PAGE, after: from?.key, afterVersion: from?.versionId });
    for (const key of new Set(page.versions.map((version) => version.key))) requireRemovable(bucket, key, call);
    from = page.next;
  } while (from !== undefined);
}

function requireRemovable(bucket: BucketConfig, name: string, call: Call<DeleteParams>): void {
  const resource = { bucket: bucket.name, name };
  call.authorise({ action: 'delete', s3Action: 's3:DeleteObject', resource });
  call.authorise({ action: 'delete', s3Action: 's3:DeleteObjectVersion', resource });
  if (!matchesAnyGlob(bucket.immutability, name)) return;
  throw new ArtefactError('Immutable', `The bucket holds ${name}, which is immutable: nothing was removed.`, { details: { name } });
}
