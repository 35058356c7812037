/** A bucket as the JSON API shows it. */
import type { BucketConfig, CorsRule, Snapshot } from '@bonded/crds';
import type { Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call } from '../contract.ts';
import { administer } from './demands.ts';

/** `cors` and `tags` are there for those who may read them through S3, too. */
interface BucketView {
  readonly name: string;
  readonly namespace: string;
  readonly location: string;
  readonly versioning: BucketConfig['versioning'];
  readonly immutability: readonly string[];
  readonly deletionPolicy: BucketConfig['deletionPolicy'];
  readonly origin: BucketConfig['origin'];
  /** RFC 3339. */
  readonly created: string;
  readonly cors?: readonly CorsRule[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** What `call`'s principal may see of a bucket. */
export async function bucketView(bucket: BucketConfig, call: Pick<Call<unknown>, 'may'>, core: Core): Promise<BucketView> {
  const { name, namespace, location, versioning, immutability, deletionPolicy, origin } = bucket;
  const created = new Date(await core.configuration.bucketCreated(bucket)).toISOString();
  return {
    ...{ name, namespace, location, versioning, immutability, deletionPolicy, origin, created },
    ...(call.may(administer(name, 's3:GetBucketCORS')) && { cors: bucket.cors }),
    ...(call.may(administer(name, 's3:GetBucketTagging')) && { tags: bucket.tags }),
  };
}

/** The bucket of that name in force, or undefined. */
export function findBucket(snapshot: Snapshot, name: string): BucketConfig | undefined {
  return snapshot.buckets.find((bucket) => bucket.name === name);
}

/** The same; throws `BucketUnknown`. To be asked after authorisation only: it tells what exists. */
export function bucketOf(snapshot: Snapshot, name: string): BucketConfig {
  const bucket = findBucket(snapshot, name);
  if (!bucket) throw new ArtefactError('BucketUnknown', `There is no bucket ${name}.`, { details: { bucket: name } });
  return bucket;
}
