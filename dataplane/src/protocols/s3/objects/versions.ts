/** Finding the version that a request names, without telling a caller what he may not know. */
import type { Core } from '../../../core/core.ts';
import { isId } from '../../../core/ids.ts';
import type { ObjectVersion, Version } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, RequestHead } from '../../contract.ts';
import { conceal } from '../../subject.ts';
import type { Subject } from '../../subject.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';

export { conceal, resourceOf } from '../../subject.ts';
export type { Subject } from '../../subject.ts';

/** The `versionId` parameter, or undefined; one that cannot be is an `InvalidArgument`, as in S3. */
export function versionIdOf(head: RequestHead): string | undefined {
  const versionId = queryValue(head, 'versionId');
  if (versionId === '') throw invalidArgument('versionId', '', 'Version id cannot be the empty string');
  if (versionId !== undefined && versionId !== 'null' && !isId(versionId)) {
    throw invalidArgument('versionId', versionId, 'Invalid version id specified');
  }
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

function deleteMarkerFound(marker: Version, byVersionId: boolean): ArtefactError {
  const message = byVersionId ? 'The specified method is not allowed against this resource.' : 'The specified key does not exist.';
  return new ArtefactError('DeleteMarkerFound', message, {
    details: { byVersionId, versionId: marker.versionId, lastModified: new Date(marker.modified).toUTCString() },
  });
}
