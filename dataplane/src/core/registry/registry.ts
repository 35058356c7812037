/** The registry: each function opens the bucket's realm, and leaves the work to the file of its noun. */
import type { BucketConfig } from '@bonded/crds';
import type { OpenBucket } from '../buckets.ts';
import { openBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import { digestHex } from '../digest.ts';
import { nameKnown } from '../ranges/known.ts';
import { registryOf } from '../realm.ts';
import { BLOB_ATTRIBUTES, deleteBlob, findAndTouch, findBlob, mountBlob, putBlob } from './blobs.ts';
import type { Registry } from './contract.ts';
import { deleteManifest, findManifest, putManifest } from './manifests.ts';
import { blobKey } from './names.ts';
import { listReferrers } from './referrers.ts';
import { listRepositories, listTags, standingTag, tagManifest, untag } from './tags.ts';

export function createRegistry(context: CoreContext): Registry {
  const open = (bucket: BucketConfig): Promise<OpenBucket> => openBucket(context, registryOf(bucket));
  return {
    findBlob: async (bucket, place, touch) => {
      const opened = await open(bucket);
      return touch === true ? findAndTouch(context, opened, place) : findBlob(opened, place);
    },
    putBlob: async (bucket, place, arrived, actor) => putBlob(context, await open(bucket), { place, arrived, actor }),
    mountBlob: async (from, { bucket, place }, actor) => {
      const source = await findBlob(await open(from.bucket), { ...place, repository: from.repository });
      await mountBlob(context, { bucket: from.bucket, version: source }, { target: await open(bucket), place }, actor);
    },
    mountKnown: async (bucket, place, mayRead, actor) => {
      // Of other algorithms it is not known which bytes they are of.
      if (!place.digest.startsWith('sha256:')) return false;
      const sha256 = digestHex(place.digest as Digest);
      const wanted = { key: blobKey(place), sha256, attributes: BLOB_ATTRIBUTES, conditions: {}, actor };
      return (await nameKnown(context, await open(bucket), wanted, mayRead)) !== undefined;
    },
    deleteBlob: async (bucket, place, actor) => deleteBlob(context, await open(bucket), place, actor),
    findManifest: async (bucket, repository, reference) => findManifest(await open(bucket), repository, reference),
    putManifest: async (bucket, push, actor) => putManifest(context, await open(bucket), push, actor),
    deleteManifest: async (bucket, place, actor) => deleteManifest(context, await open(bucket), place, actor),
    tag: async (bucket, tagging) => tagManifest(context, await open(bucket), tagging),
    mayTag: async (bucket, tagging) => void (await standingTag(await open(bucket), tagging)),
    untag: async (bucket, repository, tag, actor) => untag(context, await open(bucket), { repository, tag, actor }),
    tags: async (bucket, repository, page) => listTags(await open(bucket), repository, page),
    repositories: async (bucket, page) => listRepositories(await open(bucket), page),
    referrers: async (bucket, subject, query) => listReferrers(await open(bucket), subject, query),
  };
}
