/** Copying: a new name for bytes that are there. Within a location no byte is read; across locations they stream. */
import type { BucketConfig } from '@bonded/crds';
import type { OpenBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import { storeOf } from './context.ts';
import type { Actor, PutResult } from './core.ts';
import type { Adoption } from './digests.ts';
import { findDigest, openDigest, planAdoption, takeBack } from './digests.ts';
import type { Conditions, Content, ObjectAttributes, ObjectVersion } from './object.ts';
import { nameContent } from './put.ts';
import { asDamage, damaged, ownSha256 } from './quarantine.ts';
import { receive } from './receive.ts';
import { notFound } from './versions.ts';

export interface Copy {
  readonly from: { readonly bucket: BucketConfig; readonly version: ObjectVersion };
  readonly target: OpenBucket;
  readonly key: string;
  readonly attributes: ObjectAttributes;
  readonly conditions: Conditions;
  readonly actor: Actor;
}

/** What `Objects.copy` promises. */
export async function copyVersion(context: CoreContext, copy: Copy): Promise<PutResult> {
  const { from, target, key, attributes, conditions, actor } = copy;
  const naming = { bucket: target, key, attributes, conditions, actor };
  if (storeOf(context, from.bucket) === target.store) {
    return nameContent(context, { ...naming, content: contentOf(from.version), adopt: () => adoptKnown(copy) });
  }
  const { digest, size } = from.version;
  const bytes = openDigest(storeOf(context, from.bucket), digest);
  const arrived = await receive(context, target.store, bytes, { size, sha256: ownSha256(digest) }).catch(asDamage(digest));
  const { layout: _layout, partCount: _partCount, ...content } = contentOf(from.version);
  return nameContent(context, {
    ...naming,
    content,
    adopt: () => planAdoption(target.store, digest, { place: arrived.place, size }, { context, actor }),
  });
}

function contentOf(version: ObjectVersion): Content {
  const { digest, size, etag, checksum, partCount, layout } = version;
  return {
    digest,
    size,
    etag,
    ...(checksum === undefined ? {} : { checksum }),
    ...(partCount === undefined ? {} : { partCount }),
    ...(layout === undefined ? {} : { layout }),
  };
}

/** The source's hold on the digest ends only with the source: without it there is nothing to copy, nor while its bytes are in quarantine. */
async function adoptKnown({ from, target }: Copy): Promise<Adoption> {
  const found = await findDigest(target.store, from.version.digest);
  if (found === undefined) throw notFound(from.version.key);
  if (found.record.quarantined !== undefined) throw damaged(from.version.digest);
  return { known: true, changes: takeBack(from.version.digest, found), after: [] };
}
