/**
 * The rows of the S3 table: what a request must look like to be an operation, and what it then demands and does.
 * `table.ts` gathers the rows of `bucket/`, `objects/`, `multipart/` and `form/`; `recognise.ts` picks one for a request.
 */
import type { Action, Resource } from '../../authz/action.ts';
import type { Core } from '../../core/core.ts';
import type { Call, Demand, Operation, Reply, RequestHead } from '../contract.ts';

/** A request to the service as a whole (`GET /`). */
export type ServiceParams = Readonly<Record<never, never>>;

/** Names only: whether the bucket exists is asked (with `bucketOf`) after authorisation. */
export interface BucketParams {
  readonly bucket: string;
}

export interface ObjectParams extends BucketParams {
  /** Decoded; 1–1024 UTF-8 bytes, without U+0000. */
  readonly key: string;
}

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';

/** One operation as its author writes it: how it is recognised, what it demands, what it does. */
export type RowOf<Params> = Recognition & Demands<Params> & Handling<Params>;

interface Recognition {
  /** `s3.<Operation>` by AWS's name. */
  readonly name: `s3.${string}`;
  readonly method: Method;
  /** The subresource marker that the query must hold (`?tagging`, `?uploadId=…`); see `subresource.ts`. */
  readonly subresource?: string;
  /** Further query parameters that must be present (`partNumber`, `list-type`). */
  readonly query?: readonly string[];
  /** A header that must be present (`x-amz-copy-source`). */
  readonly header?: string;
  /** Only for bodies of `multipart/form-data` (browser uploads). */
  readonly form?: true;
}

/** One demand on the bucket or object that the path names. */
interface SimpleDemand {
  readonly action: Action;
  /** By AWS's name; a function where it depends on the request (`?versionId` makes `s3:GetObject` `s3:GetObjectVersion`). */
  readonly s3Action: string | ((head: RequestHead) => string);
  readonly demands?: undefined;
}

/** Demands that are not just one, or not just on what the path names. */
interface OwnDemands<Params> {
  readonly demands: (head: RequestHead, params: Params) => readonly Demand[];
}

type Demands<Params> = SimpleDemand | OwnDemands<Params>;

interface Handling<Params> {
  /** Default: `request`. */
  readonly authenticates?: Operation<Params>['authenticates'];
  readonly handle: (call: Call<Params>, core: Core) => Promise<Reply>;
}

export type Scope = 'service' | 'bucket' | 'object';

/** A row in the table: the operation with what recognises it. */
export interface Row {
  readonly scope: Scope;
  readonly method: Method;
  readonly subresource?: string;
  readonly query: readonly string[];
  readonly header?: string;
  readonly form: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each row ties its own parameter type
  readonly operation: Operation<any>;
}

/** A row at `/`. */
export function serviceRow(row: RowOf<ServiceParams>): Row {
  return makeRow('service', row, () => ({}));
}

/** A row at `/{bucket}`. */
export function bucketRow(row: RowOf<BucketParams>): Row {
  return makeRow('bucket', row, ({ bucket }) => ({ bucket }));
}

/** A row at `/{bucket}/{key}`. */
export function objectRow(row: RowOf<ObjectParams>): Row {
  return makeRow('object', row, ({ bucket, key }) => ({ bucket, name: key }));
}

function makeRow<Params>(scope: Scope, row: RowOf<Params>, resourceOf: (params: Params) => Resource): Row {
  const operation: Operation<Params> = {
    name: row.name,
    authenticates: row.authenticates ?? 'request',
    demands: row.demands ?? ((head, params) => [oneDemand(row, head, resourceOf(params))]),
    handle: row.handle,
  };
  const { method, subresource, query = [], header, form = false } = row;
  return { scope, method, subresource, query, header, form, operation };
}

function oneDemand({ action, s3Action }: SimpleDemand, head: RequestHead, resource: Resource): Demand {
  return { action, s3Action: typeof s3Action === 'string' ? s3Action : s3Action(head), resource };
}
