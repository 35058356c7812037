/** DeleteBucket: an empty one, or with `x-bonded-force-delete: true` (an extension) one with everything in it. */
import type { BucketConfig } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { noContent } from '../replies.ts';

/** Asks for recursive deletion; anything but `true` and `false` is refused. */
const FORCE_DELETE_HEADER = 'x-bonded-force-delete';

type DeleteCall = Call<BucketParams>;

/** Throws `BucketNotEmpty`, `ManagedElsewhere`; forced, also `AccessDenied` and `Immutable` before anything is removed. */
export async function deleteBucket(call: DeleteCall, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  if (isForced(call)) {
    refuseManaged(bucket);
    authoriseEmptying(call, bucket);
    await core.objects.empty(bucket, call.actor);
  }
  await core.configuration.deleteBucket(bucket, call.actor);
  return noContent();
}

function isForced(call: DeleteCall): boolean {
  const header = call.head.headers[FORCE_DELETE_HEADER];
  if (header === undefined || header === 'false') return false;
  if (header !== 'true') throw invalidArgument(FORCE_DELETE_HEADER, header, `${FORCE_DELETE_HEADER} must be true or false`);
  return true;
}

/** What Git would put back must not be emptied first. */
function refuseManaged({ origin, name }: BucketConfig): void {
  if (origin.managedBy === 'api') return;
  throw new ArtefactError('ManagedElsewhere', `The bucket ${name} is managed by ${origin.owner}: delete it there.`, {
    details: { bucket: name },
  });
}

/** Whoever may delete every name there could be, by each action that deletes one. A Deny that touches a single name is enough to refuse. */
const EMPTYING = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'] as const;

function authoriseEmptying(call: DeleteCall, { name }: BucketConfig): void {
  for (const s3Action of EMPTYING) call.authorise({ action: 'delete', s3Action, resource: { bucket: name } });
}
