/** ListBuckets: the buckets that the caller may list, and no others, in pages. */
import type { BucketConfig } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import { readToken, writeToken } from '../listing/token.ts';
import type { ServiceParams } from '../operation.ts';
import { ownerFields, tenantOf } from '../owner.ts';
import { xmlReply } from '../replies.ts';

const MAX_BUCKETS = 10_000;

type ListCall = Call<ServiceParams>;

/** Parameters: `prefix`, `max-buckets` (1–10,000), `continuation-token`, `bucket-region`. An anonymous caller who may see none is denied. */
export async function listBuckets(call: ListCall, core: Core, region: string): Promise<Reply> {
  const { head, principal } = call;
  const prefix = queryValue(head, 'prefix') ?? '';
  const limit = readLimit(queryValue(head, 'max-buckets'));
  const after = readToken(queryValue(head, 'continuation-token'));
  const elsewhere = (queryValue(head, 'bucket-region') ?? region) !== region;
  const visible = elsewhere ? [] : firstVisible(call, { prefix, after }, limit + 1);
  if (visible.length === 0 && principal.kind === 'anonymous') throw new ArtefactError('CredentialsMissing', 'Access Denied');
  const page = visible.slice(0, limit);
  return xmlReply('ListAllMyBucketsResult', {
    Owner: ownerFields(tenantOf(principal)),
    Buckets: { Bucket: await Promise.all(page.map((bucket) => describe(bucket, core, region))) },
    Prefix: prefix === '' ? undefined : prefix,
    ContinuationToken: visible.length > limit ? writeToken(page.at(-1)!.name) : undefined,
  });
}

async function describe(bucket: BucketConfig, core: Core, region: string) {
  const created = await core.configuration.bucketCreated(bucket);
  return {
    Name: bucket.name,
    CreationDate: new Date(created).toISOString(),
    BucketRegion: region,
    BucketArn: `arn:aws:s3:::${bucket.name}`,
  };
}

/** Asks about no more buckets than it needs: there may be thousands. */
function firstVisible(call: ListCall, { prefix, after = '' }: { prefix: string; after?: string }, count: number): readonly BucketConfig[] {
  const candidates = call.snapshot.buckets.filter(({ name }) => name.startsWith(prefix) && name > after);
  const inOrder = candidates.sort((one, other) => (one.name < other.name ? -1 : 1));
  return inOrder
    .values()
    .filter(({ name }) => call.may({ action: 'list', s3Action: 's3:ListBucket', resource: { bucket: name } }))
    .take(count)
    .toArray();
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return MAX_BUCKETS;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_BUCKETS)
    throw invalidArgument('max-buckets', text, `max-buckets must be an integer from 1 to ${MAX_BUCKETS}`);
  return limit;
}
