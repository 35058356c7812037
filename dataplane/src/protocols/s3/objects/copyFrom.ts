/** The source of a copy: found, allowed to be read, in the state the client expects, and let out of the door. */
import type { BucketConfig } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import type { Admitted } from '../../../core/door.ts';
import type { ObjectVersion } from '../../../core/object.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Call } from '../../contract.ts';
import { bucketIn } from '../../buckets.ts';
import { refuseOtherOwner } from '../bucketOf.ts';
import { judgeCopySource } from './conditions.ts';
import { parseCopySource } from './copySource.ts';
import type { CopySource } from './copySource.ts';
import { versionFact } from './facts.ts';
import type { Fields } from './headerText.ts';
import { findObject } from './versions.ts';

export interface OpenSource {
  readonly named: CopySource;
  readonly bucket: BucketConfig;
  readonly version: ObjectVersion;
  readonly admitted: Admitted;
}

/**
 * Opens what `x-amz-copy-source` names. Asks for `s3:GetObject` (or `s3:GetObjectVersion`) on it before anything is looked up,
 * judges the `x-amz-copy-source-if-*` conditions, and asks the door: bytes that may not leave may not leave under another name.
 */
export async function openCopySource(call: Call<unknown>, core: Core, fields: Fields): Promise<OpenSource> {
  const named = parseCopySource(fields['x-amz-copy-source'] ?? '');
  const resource = { bucket: named.bucket, name: named.key };
  call.authorise({
    action: 'read',
    s3Action: named.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
    resource,
    context: versionFact(named.versionId),
  });
  const bucket = bucketIn(call.snapshot, named.bucket);
  refuseOtherOwner(bucket, fields['x-amz-source-expected-bucket-owner']);
  const version = await findSource(call, core, bucket, named);
  judgeCopySource(fields, version);
  return { named, bucket, version, admitted: await call.admit({ digest: version.digest, resource }) };
}

/** `x-amz-copy-source-version-id`, where the source's bucket keeps (or kept) versions. */
export function sourceVersionHeaders({ bucket, version }: OpenSource): Readonly<Record<string, string>> {
  return bucket.versioning === 'Disabled' ? {} : { 'x-amz-copy-source-version-id': version.versionId };
}

async function findSource(call: Call<unknown>, core: Core, bucket: BucketConfig, { key, versionId }: CopySource): Promise<ObjectVersion> {
  try {
    return await findObject(call, core, { bucket, key }, versionId);
  } catch (error) {
    if (!isError(error, 'DeleteMarkerFound') || versionId === undefined) throw error;
    throw new ArtefactError('InvalidRequest', 'The source of a copy request may not specifically refer to a delete marker by version id.');
  }
}
