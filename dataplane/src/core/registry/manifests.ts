/** Manifests of repositories: pushed when all that they name is there, deleted with the tags that point at them. */
import { ArtefactError, isError } from '../../errors.ts';
import { nameArrived } from '../arrived.ts';
import { mapAtOnce } from '../atOnce.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { Actor } from '../core.ts';
import type { DigestName } from '../digest.ts';
import { keys, splitNamed } from '../keys.ts';
import type { ObjectVersion } from '../object.ts';
import { checkMutable } from '../put.ts';
import { discard } from '../receive.ts';
import { removeName } from '../remove.ts';
import { scanAll } from '../scan.ts';
import { findHead } from '../versions.ts';
import { attributesOf, findVersionAt } from './blobs.ts';
import type { FoundManifest, ManifestPush, Reference } from './contract.ts';
import { blobKey, manifestKey, namedBy, namesOf, pointsAt, tagKey, tagsOf } from './names.ts';
import type { Place } from './names.ts';
import { noteBlob, settleUsed } from './unused.ts';
import { forgetReferrers, writeReferrers } from './referrers.ts';
import { takeTagFrom } from './tags.ts';
import { forgetUses, writeUses } from './uses.ts';

/** Look-ups at once. */
const AT_ONCE = 64;

/** What `Registry.putManifest` promises. */
export async function putManifest(context: CoreContext, bucket: OpenBucket, push: ManifestPush, actor: Actor): Promise<void> {
  try {
    refuseMissing(await missingOf(bucket, push));
  } catch (error) {
    await discard(bucket.store, push.arrived);
    throw error;
  }
  await nameArrived(context, push.arrived, {
    bucket,
    key: manifestKey(push),
    attributes: { ...attributesOf(push.mediaType), metadata: namesOf(push) },
    conditions: {},
    actor,
    also: async () => ({
      before: writeUses(bucket, push, push.blobs, context.now()),
      after: writeReferrers(bucket, push),
    }),
  });
  const gone = await settleUsed(bucket, push.repository, push.blobs);
  if (gone.length === 0) return;
  await deleteManifest(context, bucket, push, actor).catch((error: unknown) => {
    if (!isError(error, 'NameUnknown')) throw error;
  });
  refuseMissing(gone);
}

function refuseMissing(missing: readonly DigestName[]): void {
  if (missing.length === 0) return;
  throw new ArtefactError('DigestUnknown', 'The manifest names what is not in this repository: push that first.', {
    details: { missing: missing.join(' ') },
  });
}

async function missingOf(bucket: OpenBucket, { repository, blobs, children }: ManifestPush): Promise<readonly DigestName[]> {
  const named = [
    ...blobs.map((digest) => ({ digest, key: blobKey({ repository, digest }) })),
    ...children.map((digest) => ({ digest, key: manifestKey({ repository, digest }) })),
  ];
  const heads = await mapAtOnce(named, AT_ONCE, ({ key }) => findHead(bucket, key));
  return named.filter((_one, index) => heads[index] === undefined).map(({ digest }) => digest);
}

/** What `Registry.findManifest` promises. */
export async function findManifest(bucket: OpenBucket, repository: string, reference: Reference): Promise<FoundManifest> {
  const key = 'tag' in reference ? tagKey(repository, reference.tag) : manifestKey({ repository, digest: reference.digest });
  const what = 'tag' in reference ? `tag ${reference.tag}` : `manifest ${reference.digest}`;
  const version = await findVersionAt(bucket, key, what);
  const digest = 'tag' in reference ? pointsAt(version) : reference.digest;
  return { digest, mediaType: version.headers.contentType ?? '', version };
}

/**
 * What `Registry.deleteManifest` promises. The tags go first; of one that comes meanwhile, either this finds it afterwards, or its maker
 * finds the manifest gone and takes it back (`tags.ts`).
 */
export async function deleteManifest(context: CoreContext, bucket: OpenBucket, place: Place, actor: Actor): Promise<void> {
  const key = manifestKey(place);
  const version = await findVersionAt(bucket, key, `manifest ${place.digest}`);
  const tags = await tagsAt(bucket, place, version);
  await refuseImmutable(bucket, [key, ...tags.map((tag) => tagKey(place.repository, tag))]);
  await untagAll(context, bucket, tags, { repository: place.repository, version, actor });
  const { blobs, ...about } = namedBy(version);
  const { repository } = place;
  const before = [
    ...blobs.map((digest) => noteBlob(bucket, { repository, digest }, context.now())),
    ...forgetReferrers(bucket, place, about),
  ];
  await removeName(context, { bucket, key, conditions: {}, actor, also: { before, after: forgetUses(bucket, place, blobs) } });
  await untagAll(context, bucket, await tagsAt(bucket, place, version), { repository, version, actor });
}

async function refuseImmutable(bucket: OpenBucket, toGo: readonly string[]): Promise<void> {
  for (const key of toGo) checkMutable(bucket, key, await findHead(bucket, key));
}

async function untagAll(
  context: CoreContext,
  bucket: OpenBucket,
  tags: readonly string[],
  given: { readonly repository: string; readonly version: ObjectVersion; readonly actor: Actor },
): Promise<void> {
  for (const tag of tags) await takeTagFrom(context, bucket, { ...given, tag });
}

/** The tags of the repository that point at the manifest: its bytes' references say so. */
async function tagsAt(bucket: OpenBucket, { repository, digest }: Place, version: ObjectVersion): Promise<readonly string[]> {
  const prefix = keys.refsOfBucket(version.digest, bucket.id) + tagsOf(repository);
  const tags: string[] = [];
  for await (const entry of scanAll(bucket.store, prefix)) {
    const { key: tag } = splitNamed(entry.key, prefix);
    const head = await findHead(bucket, tagKey(repository, tag));
    if (head !== undefined && !head.version.deleteMarker && pointsAt(head.version) === digest) tags.push(tag);
  }
  return tags;
}
