/** Finding the version that a request names, without telling a caller what he may not know. */
import type { BucketConfig } from '@bonded/crds';
import type { Resource } from '../../../authz/action.ts';
import type { Core } from '../../../core/core.ts';
import type { ObjectVersion, Version } from '../../../core/object.ts';
import { ArtefactError, isError } from '../../../errors.ts';
import type { Call, Demand, RequestHead } from '../../contract.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';

/** A name in a bucket that a request is about. */
export interface Subject {
  readonly bucket: BucketConfig;
  readonly key: string;
}

/** The same for demands. */
export function resourceOf({ bucket, key }: Subject): Resource {
  return { bucket: bucket.name, name: key };
}

/** The `versionId` parameter, or undefined; an empty one is an `InvalidArgument`, as in S3. */
export function versionIdOf(head: RequestHead): string | undefined {
  const versionId = queryValue(head, 'versionId');
  if (versionId === '') throw invalidArgument('versionId', '', 'Version id cannot be the empty string');
  return versionId;
}

/** Makes an S3 action that has a twin for versions (`s3:GetObject`, `s3:GetObjectVersion`) depend on `?versionId`. */
export function byVersion(current: string, version: string): (head: RequestHead) => string {
  return (head) => (queryValue(head, 'versionId') === undefined ? current : version);
}

/**
 * The object version that is there. Throws `NameUnknown`, `VersionUnknown`, `DeleteMarkerFound`; any of these is
 * `AccessDenied` for a caller who may not list the name, so that no one can probe for names.
 */
export async function findObject(call: Call<unknown>, core: Core, subject: Subject, versionId?: string): Promise<ObjectVersion> {
  const version = await conceal(call, subject, () => core.objects.get(subject.bucket, subject.key, versionId));
  if (!version.deleteMarker) return version;
  return conceal(call, subject, () => Promise.reject(deleteMarkerFound(version, versionId !== undefined)));
}

/** Runs a look-up; what it says of absent names reaches only callers who may list them. */
export async function conceal<T>(call: Call<unknown>, subject: Subject, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    const tellsAbsence = isError(error, 'NameUnknown', 'VersionUnknown', 'DeleteMarkerFound');
    if (!tellsAbsence || call.may(listing(subject))) throw error;
    throw new ArtefactError('AccessDenied', 'Access Denied');
  }
}

function listing(subject: Subject): Demand {
  return { action: 'list', s3Action: 's3:ListBucket', resource: resourceOf(subject), context: new Map([['s3:prefix', [subject.key]]]) };
}

function deleteMarkerFound(marker: Version, byVersionId: boolean): ArtefactError {
  const message = byVersionId ? 'The specified method is not allowed against this resource.' : 'The specified key does not exist.';
  return new ArtefactError('DeleteMarkerFound', message, {
    details: { byVersionId, versionId: marker.versionId, lastModified: new Date(marker.modified).toUTCString() },
  });
}
