/** Lists: tags of a repository, referrers of a manifest, repositories of all. */
import type { BucketConfig } from '@bonded/crds';
import { withinLimits, withoutLimits } from '../../../authz/limits.ts';
import type { Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import { parseDigestName } from '../../../core/digest.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf, parameter, requireCredentials, resourceOf } from '../call.ts';
import { indexOf } from '../manifests/fallback.ts';
import { OCI_INDEX } from '../manifests/read.ts';
import { nameOf } from '../names.ts';
import type { Repository } from '../names.ts';
import { linkTo, readPage } from './page.ts';

const MAX_TAGS = 1000;
const MAX_REFERRERS = 200;

/** end-8a, end-8b. */
export async function listTags(call: Call<Repository>, core: Core): Promise<Reply> {
  const { names, next } = await core.registry.tags(bucketOf(call), call.params.repository, readPage(call.head, MAX_TAGS));
  return json({ name: nameOf(call.params), tags: names }, linkTo(call.head, next));
}

/** end-12a, end-12b. */
export async function listReferrers(call: Call<Repository & { readonly digest: string }>, core: Core): Promise<Reply> {
  const { repository } = call.params;
  const subject = { repository, digest: parseDigestName(call.params.digest) };
  const artifactType = parameter(call.head, 'artifactType');
  const page = readPage(call.head, MAX_REFERRERS);
  const { descriptors, next } = await core.registry.referrers(bucketOf(call), subject, {
    ...page,
    limit: Math.max(1, page.limit),
    artifactType,
  });
  const headers = { ...linkTo(call.head, next), ...(artifactType !== undefined && { 'oci-filters-applied': 'artifactType' }) };
  return { status: 200, headers: { ...headers, 'content-type': OCI_INDEX }, body: indexOf(descriptors) };
}

const MAX_REPOSITORIES = 1000;

export interface CatalogueDeps {
  /** The buckets in which the caller may read at least something. */
  readonly visibleBuckets: (call: Pick<Call<unknown>, 'head' | 'principal' | 'snapshot'>) => readonly BucketConfig[];
}

/** What a token for the catalogue is good for. */
const CATALOGUE = { action: 'list', s3Action: 's3:ListAllMyBuckets', resource: {} } as const;

/** What the caller may read of `/v2/_catalog`, in the order of names. */
export async function listRepositories(call: Call<unknown>, core: Core, deps: CatalogueDeps): Promise<Reply> {
  const { limit, after } = readPage(call.head, MAX_REPOSITORIES);
  takeForCatalogue(call);
  const found: string[] = [];
  for await (const name of readable(call, core, { ...deps, after: after ?? '' })) {
    if (found.length === limit) return json({ repositories: found }, linkTo(call.head, limit === 0 ? undefined : found.at(-1)));
    found.push(name);
  }
  return json({ repositories: found }, {});
}

/**
 * Clients ask without credentials first, and with a token for something else: both are told what to get. With a token for the catalogue
 * one sees what its owner may read.
 */
function takeForCatalogue(call: Call<unknown>): void {
  const { head, principal } = call;
  requireCredentials(head);
  if (principal.limits === undefined) return;
  if (!withinLimits(principal, CATALOGUE))
    throw new ArtefactError('AccessDenied', 'Get a token for the catalogue.', { details: { limited: true } });
  call.become(withoutLimits(principal));
}

/** Names of repositories behind `after`, whose bytes the caller may read. */
async function* readable(
  call: Call<unknown>,
  core: Core,
  { visibleBuckets, after }: CatalogueDeps & { readonly after: string },
): AsyncGenerator<string, void, void> {
  const slash = after.indexOf('/');
  const [afterBucket, afterRepository] = slash < 0 ? [after, undefined] : [after.slice(0, slash), after.slice(slash + 1)];
  const buckets = [...visibleBuckets(call)].sort((a, b) => (`${a.name}/` < `${b.name}/` ? -1 : 1));
  for (const bucket of buckets) {
    if (`${bucket.name}/` < `${afterBucket}/`) continue;
    const from = bucket.name === afterBucket ? afterRepository : undefined;
    for await (const repository of repositoriesOf(core, bucket, from)) {
      const resource = resourceOf({ bucket: bucket.name, repository });
      if (call.may({ action: 'read', s3Action: 's3:GetObject', resource })) yield nameOf({ bucket: bucket.name, repository });
    }
  }
}

async function* repositoriesOf(core: Core, bucket: BucketConfig, after: string | undefined): AsyncGenerator<string, void, void> {
  for (let last = after; ;) {
    const { names, next } = await core.registry.repositories(bucket, { after: last, limit: MAX_REPOSITORIES });
    yield* names;
    if (next === undefined) return;
    last = next;
  }
}

function json(value: unknown, headers: Readonly<Record<string, string>>): Reply {
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body: `${JSON.stringify(value)}\n` };
}
