/** What every operation on a repository does first: the bucket, the resource, the demands. */
import type { BucketConfig } from '@bonded/crds';
import type { Resource } from '../../authz/action.ts';
import { ArtefactError } from '../../errors.ts';
import { bucketIn } from '../buckets.ts';
import type { Call, Demand, RequestHead } from '../contract.ts';
import type { Repository } from './names.ts';

/** What bindings and policies know a repository by. */
export function resourceOf({ bucket, repository }: Repository): Resource {
  return { bucket, name: repository };
}

export function reading(_head: RequestHead, params: Repository): readonly Demand[] {
  return [{ action: 'read', s3Action: 's3:GetObject', resource: resourceOf(params) }];
}

export function creating(_head: RequestHead, params: Repository): readonly Demand[] {
  return [{ action: 'create', s3Action: 's3:PutObject', resource: resourceOf(params) }];
}

export function deleting(_head: RequestHead, params: Repository): readonly Demand[] {
  return [{ action: 'delete', s3Action: 's3:DeleteObject', resource: resourceOf(params) }];
}

/** The bucket of an authorised call. Throws `BucketUnknown`. */
export function bucketOf(call: Call<Repository>): BucketConfig {
  return bucketIn(call.snapshot, call.params.bucket);
}

/** Clients ask without credentials first, and log in only when they are told to: throws `CredentialsMissing`. */
export function requireCredentials({ headers }: RequestHead): void {
  if (headers.authorization !== undefined) return;
  throw new ArtefactError('CredentialsMissing', 'Log in, or get a token that says that you are nobody.');
}

/** A query parameter that may be given once. Throws `InvalidArgument`. */
export function parameter({ query }: RequestHead, name: string): string | undefined {
  const given = query.filter(([key]) => key === name);
  if (given.length > 1) throw new ArtefactError('InvalidArgument', `Give the parameter ${name} once.`);
  return given[0]?.[1];
}
