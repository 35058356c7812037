/** From the head of a request to the one row of the table that it asks for. */
import { ArtefactError } from '../../errors.ts';
import type { Recognised, RequestHead } from '../contract.ts';
import { addressOf } from './address.ts';
import type { Address } from './address.ts';
import { invalidArgument, notImplemented } from './errors.ts';
import { amzHeader, queryValue } from './head.ts';
import type { Row, Scope } from './operation.ts';
import { isDefinedByS3, subresourceOf } from './subresource.ts';

/** What `recognise` goes by. */
export interface Routes {
  readonly rows: readonly Row[];
  /** Host names under which buckets are host names of their own, lower-case. */
  readonly domains: readonly string[];
}

/**
 * Picks the row that fits a request most closely, and gives it the names out of the path. Throws `MalformedUri`,
 * `InvalidBucketName`, `NameTooLong`, `MethodNotAllowed`, `NotImplemented`, and `InvalidArgument` for contradictory queries.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each row ties its own parameter type
export function recognise(head: RequestHead, { rows, domains }: Routes): Recognised<any> {
  const address = addressOf(head, domains);
  const scope = scopeOf(address);
  if (head.method === 'OPTIONS' && scope !== 'service') return { operation: preflight(rows, scope), params: address };
  const subresource = subresourceOf(head);
  refuseStrayPartNumber(head, subresource);
  const beside = rows.filter((row) => row.scope === scope && row.subresource === subresource);
  const fitting = beside.filter((row) => row.method === head.method && fits(row, head));
  const closest = fitting.reduce<Row | undefined>((best, row) => (best && closeness(best) >= closeness(row) ? best : row), undefined);
  if (closest) return { operation: closest.operation, params: address };
  throw unrecognised(head, scope, subresource, beside);
}

function scopeOf({ bucket, key }: Address): Scope {
  if (bucket === undefined) return 'service';
  return key === undefined ? 'bucket' : 'object';
}

/** A preflight asks about a path, whatever the query. */
function preflight(rows: readonly Row[], scope: Scope): Row['operation'] {
  const row = rows.find((candidate) => candidate.scope === scope && candidate.method === 'OPTIONS');
  if (!row) throw new ArtefactError('MethodNotAllowed', NOT_ALLOWED);
  return row.operation;
}

function fits(row: Row, head: RequestHead): boolean {
  if (row.form && !isForm(head)) return false;
  if (row.header !== undefined && amzHeader(head, row.header) === undefined) return false;
  return row.query.every((name) => queryValue(head, name) !== undefined);
}

/** How much of a request a row has asked for. */
function closeness({ query, header, form }: Row): number {
  return query.length + (header === undefined ? 0 : 1) + (form ? 1 : 0);
}

function isForm(head: RequestHead): boolean {
  return (head.headers['content-type'] ?? '').toLowerCase().startsWith('multipart/form-data');
}

/** A part without its upload must never become an object of its own. */
function refuseStrayPartNumber(head: RequestHead, subresource: string | undefined): void {
  const partNumber = queryValue(head, 'partNumber');
  if (head.method !== 'PUT' || partNumber === undefined || subresource === 'uploadId') return;
  throw invalidArgument('partNumber', partNumber, 'This operation does not accept partNumber without uploadId');
}

const NOT_ALLOWED = 'The specified method is not allowed against this resource.';

function unrecognised(head: RequestHead, scope: Scope, subresource: string | undefined, beside: readonly Row[]): ArtefactError {
  const sameMethod = beside.filter(({ method }) => method === head.method);
  if (sameMethod.some(({ form }) => form)) {
    const condition = 'Bucket POST must be of the enclosure-type multipart/form-data';
    return new ArtefactError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      details: { condition },
    });
  }
  const missing = sameMethod[0]?.query.find((name) => queryValue(head, name) === undefined);
  if (missing !== undefined) return invalidArgument(missing, '', `This operation needs the query parameter ${missing}`);
  if (subresource !== undefined && isDefinedByS3(scope, subresource, head.method)) return notImplemented(`?${subresource}`);
  const allow = [...new Set(beside.map(({ method }) => method))].join(', ');
  const resourceType = (subresource ?? scope).toUpperCase();
  return new ArtefactError('MethodNotAllowed', NOT_ALLOWED, { details: { method: head.method, resourceType, allow } });
}
