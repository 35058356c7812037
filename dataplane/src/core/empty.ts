/** Emptying a bucket: every version goes, one journalled change each, so that it can be cut off and repeated. */
import { mapAtOnce } from './atOnce.ts';
import type { OpenBucket } from './buckets.ts';
import { checkMutable } from './put.ts';
import type { CoreContext } from './context.ts';
import type { Actor } from './core.ts';
import { listVersions } from './listing.ts';
import { removeName } from './remove.ts';
import { abortUpload, listUploads } from './uploads.ts';
import { endSession } from './collect/uploads.ts';
import { removeAll, scanAll } from './scan.ts';
import { keys, registryRemains } from './keys.ts';
import { asHead } from './versions.ts';

const PAGE = 1000;
/** Removals under way at once; they share commits. */
const AT_ONCE = 32;

/** What `Objects.empty` promises, of a bucket's keys or of one of its realms. */
export async function emptyBucket(context: CoreContext, bucket: OpenBucket, actor: Actor): Promise<void> {
  for (;;) {
    const { versions } = await listVersions(bucket, { prefix: '', limit: PAGE });
    if (versions.length === 0) break;
    await mapAtOnce(versions, AT_ONCE, (version) =>
      removeName(context, { bucket, key: version.key, versionId: version.versionId, conditions: {}, actor }),
    );
  }
  for (;;) {
    const { uploads } = await listUploads(bucket, { prefix: '', limit: PAGE });
    if (uploads.length === 0) break;
    await mapAtOnce(uploads, AT_ONCE, ({ key, uploadId }) => abortUpload(context, bucket, { key, uploadId, actor }));
  }
  for await (const entry of scanAll(bucket.store, keys.rangeSessions(bucket.id))) await endSession(context, bucket.store, entry);
  for (const prefix of registryRemains(bucket.id)) await removeAll(bucket.store, prefix);
}

/** Throws `Immutable` when a name in it may never be removed. */
export async function refuseImmutable(bucket: OpenBucket): Promise<void> {
  if (bucket.config.immutability.length === 0) return;
  for await (const entry of scanAll(bucket.store, keys.heads(bucket.id))) {
    const head = asHead(entry);
    checkMutable(bucket, head.version.key, head);
  }
}
