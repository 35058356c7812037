/**
 * Realms: a bucket has names of other kinds beside its keys, which no listing of keys shows. Each realm is kept as a bucket of its
 * own would be, under an id made of the bucket's; it lives and ends with the bucket.
 *
 * `registry`: what a container registry names. Its keys begin with the kind of the name, and the rest is what people know it by:
 *
 *     t/<repository>:<tag>            a tag
 *     m/<repository>@<digest>         a manifest
 *     l/<repository>@<digest>         a blob that was pushed or mounted
 *     u/<repository>                  uploads that have no digest yet
 */
import type { BucketConfig } from '@bonded/crds';
import { matchesAnyGlob } from '../config/glob.ts';

export type Realm = 'registry';

/** A bucket, or one of its realms. */
export type InRealm = BucketConfig & { readonly realm?: Realm };

const REALMS: readonly Realm[] = ['registry'];
const MARK = '+';
const KIND = 't/'.length;

const known = new WeakMap<BucketConfig, InRealm>();

/** The bucket's registry. Nothing in it has versions: moving a tag is told by the journal. */
export function registryOf(bucket: BucketConfig): InRealm {
  const made = known.get(bucket) ?? { ...bucket, versioning: 'Disabled' as const, realm: 'registry' as const };
  known.set(bucket, made);
  return made;
}

/** The id under which a realm's records stand. */
export function realmId(bucketId: string, realm: Realm | undefined): string {
  return realm === undefined ? bucketId : bucketId + MARK + realm;
}

/** The id of the bucket that a realm belongs to. */
export function bucketIdOf(id: string): string {
  const mark = id.indexOf(MARK);
  return mark < 0 ? id : id.slice(0, mark);
}

/** Which realm an id is of; undefined for the bucket's own keys. */
export function realmOf(id: string): Realm | undefined {
  return REALMS.find((realm) => id.endsWith(MARK + realm));
}

/** The bucket's own id, and those of its realms. */
export function idsOf(bucketId: string): readonly string[] {
  return [bucketId, ...REALMS.map((realm) => realmId(bucketId, realm))];
}

/** What people know a key by: in the journal, and in the globs of configuration. */
export function publicName({ realm }: Pick<InRealm, 'realm'>, key: string): string {
  return realm === undefined ? key : key.slice(KIND);
}

/** True when the configuration says that the name never changes once it is there. Of a registry's blobs only manifests and tags are held. */
export function isImmutable(bucket: InRealm, key: string): boolean {
  if (bucket.immutability.length === 0 || (bucket.realm === 'registry' && key.startsWith('l/'))) return false;
  return matchesAnyGlob(bucket.immutability, publicName(bucket, key));
}
