/** ListBuckets: the buckets that the caller may list, and no others, in pages. */
import type { BucketConfig } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import { readToken, writeToken } from '../listing/token.ts';
import type { ServiceParams } from '../operation.ts';
import { ownerFields, accountOf } from '../owner.ts';
import { xmlReply } from '../replies.ts';

const MAX_BUCKETS = 10_000;

type ListCall = Call<ServiceParams>;

export interface ListBucketsOptions {
  readonly region: string;
  /** The buckets that the call's principal gets to see, in the order of their names. */
  readonly visibleBuckets: (call: Pick<Call<unknown>, 'head' | 'principal' | 'snapshot'>) => readonly BucketConfig[];
}

/** Parameters: `prefix`, `max-buckets` (1–10,000), `continuation-token`, `bucket-region`. An anonymous caller who may see none is denied. */
export async function listBuckets(call: ListCall, core: Core, { region, visibleBuckets }: ListBucketsOptions): Promise<Reply> {
  const { head, principal } = call;
  const prefix = queryValue(head, 'prefix') ?? '';
  const limit = readLimit(queryValue(head, 'max-buckets'));
  const after = readToken(queryValue(head, 'continuation-token')) ?? '';
  const elsewhere = (queryValue(head, 'bucket-region') ?? region) !== region;
  const all = visibleBuckets(call);
  if (all.length === 0 && principal.kind === 'anonymous') throw new ArtefactError('CredentialsMissing', 'Access Denied');
  const wanted = elsewhere ? [] : all.filter(({ name }) => name.startsWith(prefix) && name > after);
  const page = wanted.slice(0, limit);
  return xmlReply('ListAllMyBucketsResult', {
    Owner: ownerFields(accountOf(principal)),
    Buckets: { Bucket: await Promise.all(page.map((bucket) => describe(bucket, core, region))) },
    Prefix: prefix === '' ? undefined : prefix,
    ContinuationToken: wanted.length > limit ? writeToken(page.at(-1)!.name) : undefined,
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

function readLimit(text: string | undefined): number {
  if (text === undefined) return MAX_BUCKETS;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_BUCKETS)
    throw invalidArgument('max-buckets', text, `max-buckets must be an integer from 1 to ${MAX_BUCKETS}`);
  return limit;
}
