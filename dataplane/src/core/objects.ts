/** Names in buckets: what protocols call. Each function opens the bucket, and leaves the work to the file of its verb. */
import type { BucketConfig } from '@bonded/crds';
import { readIn } from './ahead.ts';
import { nameArrived } from './arrived.ts';
import type { OpenBucket } from './buckets.ts';
import { isEmpty, openBucket } from './buckets.ts';
import { readLayout } from './complete.ts';
import type { CoreContext } from './context.ts';
import { storeOf } from './context.ts';
import { copyVersion } from './copy.ts';
import type { Objects } from './core.ts';
import { openDigest, smallDigest, soundDigest } from './digests.ts';
import { emptyBucket, refuseImmutable } from './empty.ts';
import { listCurrent, listVersions } from './listing.ts';
import type { Version } from './object.ts';
import { locate } from './locate.ts';
import { registryOf } from './realm.ts';
import { discard, receive } from './receive.ts';
import { removeName } from './remove.ts';
import { setTags } from './tags.ts';
import { findHead, findVersion, notFound } from './versions.ts';

export function createObjects(context: CoreContext): Objects {
  const open = (bucket: BucketConfig): Promise<OpenBucket> => openBucket(context, bucket);
  return {
    receive: (bucket, bytes, expected) => receive(context, storeOf(context, bucket), bytes, expected),
    discard: (bucket, arrived) => discard(storeOf(context, bucket), arrived),
    put: async (bucket, key, arrived, attributes, conditions, actor) => {
      return nameArrived(context, arrived, { bucket: await open(bucket), key, attributes, conditions, actor });
    },
    copy: async (from, to, attributes, conditions, actor) => {
      const target = await open(to.bucket);
      return copyVersion(context, { from, target, key: to.key, attributes, conditions, actor });
    },
    get: (bucket, key, versionId) => readIn(context, bucket, (opened) => currentOrVersion(opened, key, versionId)),
    delete: async (bucket, key, versionId, conditions, actor) =>
      removeName(context, { bucket: await open(bucket), key, versionId, conditions, actor }),
    setTags: async (bucket, key, versionId, tags, actor) => setTags(context, { bucket: await open(bucket), key, versionId, tags, actor }),
    list: (bucket, query) => readIn(context, bucket, (opened) => listCurrent(opened, query)),
    listVersions: (bucket, query) => readIn(context, bucket, (opened) => listVersions(opened, query)),
    open: (bucket, admitted, range) => openDigest(storeOf(context, bucket), admitted.digest, range),
    checkSound: async (bucket, version) => void (await soundDigest(storeOf(context, bucket), version.digest)),
    locate: (bucket, admitted, giving) => locate(context, bucket, admitted, giving),
    small: (bucket, admitted, range) => smallDigest(storeOf(context, bucket), admitted.digest, range),
    parts: async (bucket, version) =>
      version.layout === undefined ? undefined : readLayout(storeOf(context, bucket), version.digest, version.layout),
    isEmpty: async (bucket) => isEmpty(await open(bucket)),
    empty: async (bucket, actor) => {
      const all = [await open(bucket), await open(registryOf(bucket))];
      for (const each of all) await refuseImmutable(each);
      for (const each of all) await emptyBucket(context, each, actor);
    },
  };
}

async function currentOrVersion(bucket: OpenBucket, key: string, versionId: string | undefined): Promise<Version> {
  const version = versionId === undefined ? (await findHead(bucket, key))?.version : (await findVersion(bucket, key, versionId))?.version;
  if (version === undefined) throw notFound(key, versionId);
  return version;
}
