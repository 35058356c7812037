/** Blobs of repositories: names of bytes, each made, mounted and removed on its own. */
import type { BucketConfig } from '@bonded/crds';
import { ArtefactError } from '../../errors.ts';
import { nameArrived } from '../arrived.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import { copyVersion } from '../copy.ts';
import type { Actor, Arrived } from '../core.ts';
import type { ObjectAttributes, ObjectVersion } from '../object.ts';
import { journalChange } from '../journal.ts';
import { repeatOnConflict } from '../put.ts';
import type { BucketPlace } from '../versions.ts';
import { findHead } from '../versions.ts';
import { blobKey, placeName } from './names.ts';
import type { Place } from './names.ts';
import { noteOf, removeUnused, touchBlob } from './unused.ts';
import { useOf } from './uses.ts';

/** What a blob or a manifest is beside its bytes. */
export function attributesOf(contentType: string): ObjectAttributes {
  return { headers: { contentType }, metadata: {}, tags: {}, storageClass: 'STANDARD' };
}

/** The attributes of all blobs: what is in one, its manifest says. */
export const BLOB_ATTRIBUTES = attributesOf('application/octet-stream');

/** A name of the realm; throws `NameUnknown`. */
export async function findVersionAt(bucket: BucketPlace, key: string, what: string): Promise<ObjectVersion> {
  const version = (await findHead(bucket, key))?.version;
  if (version === undefined || version.deleteMarker) throw unknown(what);
  return version;
}

export function unknown(what: string): ArtefactError {
  return new ArtefactError('NameUnknown', `There is no ${what} in this repository.`);
}

export function findBlob(bucket: BucketPlace, place: Place): Promise<ObjectVersion> {
  return findVersionAt(bucket, blobKey(place), `blob ${place.digest}`);
}

/** As `findBlob`, by somebody who is about to use it. */
export async function findAndTouch(context: CoreContext, bucket: OpenBucket, place: Place): Promise<ObjectVersion> {
  const version = await findBlob(bucket, place);
  if (!(await touchBlob(context, bucket, place))) throw unknown(`blob ${place.digest}`);
  return version;
}

export async function putBlob(
  context: CoreContext,
  bucket: OpenBucket,
  { place, arrived, actor }: { readonly place: Place; readonly arrived: Arrived; readonly actor: Actor },
): Promise<void> {
  await nameArrived(context, arrived, { bucket, key: blobKey(place), attributes: BLOB_ATTRIBUTES, conditions: {}, actor });
}

/** What `Registry.mountBlob` promises. `from` is the bucket whose registry `source` is a blob of. */
export async function mountBlob(
  context: CoreContext,
  from: { readonly bucket: BucketConfig; readonly version: ObjectVersion },
  to: { readonly target: OpenBucket; readonly place: Place },
  actor: Actor,
): Promise<void> {
  const naming = { attributes: BLOB_ATTRIBUTES, conditions: {}, actor };
  await copyVersion(context, { from, target: to.target, key: blobKey(to.place), ...naming });
}

/** What `Registry.deleteBlob` promises. */
export async function deleteBlob(context: CoreContext, bucket: OpenBucket, place: Place, actor: Actor): Promise<void> {
  await repeatOnConflict(async () => {
    const head = await findHead(bucket, blobKey(place));
    if (head === undefined || head.version.deleteMarker) throw unknown(`blob ${place.digest}`);
    const { digest, size, versionId } = head.version;
    const name = placeName(place);
    const told = journalChange(context, { actor, change: 'delete', bucket: bucket.config.name, name, versionId, digest, size });
    const note = await noteOf(bucket, place);
    const isFree = (await useOf(context, bucket, place)) === 'unused';
    if (isFree && (await removeUnused(context, bucket, { place, head, told: [told], ...(note && { note }) }))) return;
    throw new ArtefactError('Held', 'A manifest of this repository names the blob: delete that first.', { details: { reason: 'in-use' } });
  });
}
