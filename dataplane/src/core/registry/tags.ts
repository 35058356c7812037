/** Tags: names of manifests, each a record of its own, so that writers of different tags never meet. */
import { ArtefactError, isError } from '../../errors.ts';
import type { OpenBucket } from '../buckets.ts';
import type { CoreContext } from '../context.ts';
import { copyVersion } from '../copy.ts';
import type { Actor } from '../core.ts';
import { keys } from '../keys.ts';
import type { ObjectVersion } from '../object.ts';
import { checkMutable } from '../put.ts';
import { removeName } from '../remove.ts';
import { findHead } from '../versions.ts';
import { attributesOf, findVersionAt, unknown } from './blobs.ts';
import type { Names, Page, Tagging } from './contract.ts';
import { ALL_MANIFESTS, blobsOf, manifestKey, manifestsOf, pointsAt, tagKey, tagsOf } from './names.ts';

/** What `Registry.tag` promises. */
export async function tagManifest(context: CoreContext, bucket: OpenBucket, tagging: Tagging): Promise<void> {
  const { repository, tag, digest, mayOverwrite, actor } = tagging;
  const manifest = manifestKey({ repository, digest });
  const version = await findVersionAt(bucket, manifest, `manifest ${digest}`);
  const key = tagKey(repository, tag);
  // It points there: nothing changes, and nobody needs to be allowed to.
  if (await standingTag(bucket, tagging)) return;
  const mediaType = version.headers.contentType ?? '';
  const attributes = { ...attributesOf(mediaType), metadata: { digest } };
  const conditions = mayOverwrite ? {} : { ifNoneMatch: ['*'] };
  const from = { bucket: bucket.config, version };
  const { version: made } = await copyVersion(context, { from, target: bucket, key, attributes, conditions, actor }).catch(
    (error: unknown) => {
      if (!mayOverwrite && isError(error, 'PreconditionFailed')) throw mayNotMove(tag);
      throw error;
    },
  );
  if ((await findHead(bucket, manifest)) !== undefined) return;
  // The manifest was deleted meanwhile, and its deletion may have looked for tags before this one came.
  await takeTagFrom(context, bucket, { repository, tag, version: made, actor });
  throw unknown(`manifest ${digest}`);
}

/** Takes a tag away as long as it points at these bytes; one that was moved meanwhile stays. */
export async function takeTagFrom(
  context: CoreContext,
  bucket: OpenBucket,
  given: { readonly repository: string; readonly tag: string; readonly version: ObjectVersion; readonly actor: Actor },
): Promise<void> {
  const { repository, tag, version, actor } = given;
  const conditions = { ifMatch: [version.etag] };
  await removeName(context, { bucket, key: tagKey(repository, tag), conditions, actor }).catch((error: unknown) => {
    if (!isError(error, 'PreconditionFailed', 'NameUnknown')) throw error;
  });
}

/** Whether the tag points at the manifest already. Throws `AccessDenied` or `Immutable` where it points elsewhere, and stays so. */
export async function standingTag(bucket: OpenBucket, { repository, tag, digest, mayOverwrite }: Tagging): Promise<boolean> {
  const key = tagKey(repository, tag);
  const head = await findHead(bucket, key);
  if (head === undefined || head.version.deleteMarker) return false;
  if (pointsAt(head.version) === digest) return true;
  checkMutable(bucket, key, head);
  if (!mayOverwrite) throw mayNotMove(tag);
  return false;
}

function mayNotMove(tag: string): ArtefactError {
  return new ArtefactError('AccessDenied', `The tag ${tag} exists already, and you may create tags but not move them.`);
}

/** What `Registry.untag` promises. */
export async function untag(
  context: CoreContext,
  bucket: OpenBucket,
  { repository, tag, actor }: { readonly repository: string; readonly tag: string; readonly actor: Actor },
): Promise<void> {
  const key = tagKey(repository, tag);
  await findVersionAt(bucket, key, `tag ${tag}`);
  await removeName(context, { bucket, key, conditions: {}, actor });
}

/** What `Registry.tags` promises. */
export async function listTags(bucket: OpenBucket, repository: string, page: Page): Promise<Names> {
  const found = await listNames(bucket, { prefix: tagsOf(repository), page });
  if (found.names.length > 0 || page.after !== undefined || page.limit === 0) return found;
  const prefixes = [manifestsOf(repository), blobsOf(repository)].map((prefix) => headsOf(bucket, prefix));
  const firsts = await Promise.all(prefixes.map((prefix) => bucket.store.records.scan({ prefix, limit: 1 })));
  if (firsts.every((first) => first.length === 0))
    throw new ArtefactError('NameUnknown', 'Nothing was pushed to this repository.', { details: { reason: 'repository' } });
  return found;
}

/** What `Registry.repositories` promises. */
export async function listRepositories(bucket: OpenBucket, page: Page): Promise<Names> {
  const after = page.after === undefined ? undefined : `${page.after}@`;
  const { names, next } = await listNames(bucket, { prefix: ALL_MANIFESTS, delimiter: '@', page: { after, limit: page.limit } });
  return { names: names.map(withoutAt), ...(next === undefined ? {} : { next: withoutAt(next) }) };
}

const withoutAt = (name: string): string => name.slice(0, -1);

function headsOf(bucket: OpenBucket, prefix: string): string {
  return keys.heads(bucket.id) + prefix;
}

async function listNames(
  bucket: OpenBucket,
  { prefix, delimiter, page }: { readonly prefix: string; readonly delimiter?: string; readonly page: Page },
): Promise<Names> {
  if (page.limit === 0) return { names: [] };
  const heads = headsOf(bucket, prefix);
  const items = await bucket.store.records.scan({
    prefix: heads,
    limit: page.limit + 1,
    ...(page.after === undefined ? {} : { after: heads + page.after }),
    ...(delimiter === undefined ? {} : { delimiter }),
  });
  const names = items.map((item) => ('value' in item ? item.key : item.prefix).slice(heads.length));
  return names.length <= page.limit ? { names } : { names: names.slice(0, page.limit), next: names[page.limit - 1]! };
}
