/** A Snapshot with its indexes: made once when it comes into force, then read by every request. */
import type { AccessKeyConfig, BucketConfig, PolicyConfig, Snapshot } from '@bonded/crds';
import { indexGrants, type GrantIndex } from './grants.ts';

/** Immutable; swapped whole. */
export interface LoadedSnapshot extends Snapshot {
  readonly bucketsByName: ReadonlyMap<string, BucketConfig>;
  readonly bucketsByNamespace: ReadonlyMap<string, readonly BucketConfig[]>;
  /** The policies that reach a bucket, by its name; absent where there is none. */
  readonly policiesByBucket: ReadonlyMap<string, readonly PolicyConfig[]>;
  readonly accessKeysById: ReadonlyMap<string, AccessKeyConfig>;
  /** Buckets that nobody may use, with the reason for the log. */
  readonly closedBuckets: ReadonlyMap<string, string>;
  /** Bindings by whom they are about. */
  readonly grants: GrantIndex;
}

/** Makes the indexes. Pure; takes about 100 ms for 10,000 buckets and 20,000 bindings. */
export function indexSnapshot(snapshot: Snapshot): LoadedSnapshot {
  return Object.freeze({
    ...snapshot,
    bucketsByName: new Map(snapshot.buckets.map((bucket) => [bucket.name, bucket])),
    bucketsByNamespace: Map.groupBy(snapshot.buckets, ({ namespace }) => namespace),
    policiesByBucket: Map.groupBy(snapshot.policies, ({ bucket }) => bucket),
    accessKeysById: new Map(snapshot.accessKeys.map((key) => [key.accessKeyId, key])),
    closedBuckets: new Map(snapshot.closed?.map(({ bucket, reason }) => [bucket, reason])),
    grants: indexGrants(snapshot.bindings),
  });
}
