/** The rows of the JSON API's table, and how a request finds its row. */
import type { Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Demand, Operation, Recognised, Reply, RequestHead } from '../contract.ts';
import { readFields } from './fields.ts';
import type { Fields } from './fields.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One operation as its author writes it. */
export interface RowOf<Params> {
  readonly name: `admin.${string}`;
  readonly method: Method;
  /** As in the OpenAPI document: `/api/v1/buckets/{bucket}`. Fields named in braces are read from the path, all others from the query. */
  readonly path: string;
  readonly fields: Fields<Params>;
  /** Turns query parameters of free names into one field; it runs before the fields are read. */
  readonly fold?: (query: ReadonlyMap<string, unknown>) => ReadonlyMap<string, unknown>;
  /** Tells rows of one method and path apart by the request's head. */
  readonly when?: (head: RequestHead) => boolean;
  /** Default: `request`. */
  readonly authenticates?: Operation<Params>['authenticates'];
  readonly demands: (params: Params) => readonly Demand[];
  readonly handle: (call: Call<Params>, core: Core) => Promise<Reply>;
}

/** An operation in the table. */
export interface Row {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  /** The row's operation and parameters, when its path has these segments. Throws `InvalidArgument` for bad parameters. */
  recognise(head: RequestHead, segments: readonly string[]): Recognised<unknown>;
  fits(segments: readonly string[]): boolean;
  takes(head: RequestHead): boolean;
}

const PATH_FIELD = /^\{(\w+)\}$/;

/** Puts an operation into the table. GET rows answer HEAD as well. */
export function row<Params>(given: RowOf<Params>): Row {
  const template = given.path.split('/').slice(1);
  const { name, method, path, authenticates = 'request', handle } = given;
  const demands = (_head: RequestHead, params: Params): readonly Demand[] => given.demands(params);
  const operation: Operation<Params> = { name, authenticates, demands, handle };
  const withoutBody: Operation<Params> = {
    ...operation,
    handle: async (call, core) => ({ ...(await handle(call, core)), body: undefined }),
  };
  return {
    name,
    method,
    path,
    fits: (segments) => segments.length === template.length && template.every((part, i) => PATH_FIELD.test(part) || part === segments[i]),
    takes: (head) => (head.method === method || (head.method === 'HEAD' && method === 'GET')) && (given.when?.(head) ?? true),
    recognise: (head, segments) => ({
      operation: head.method === 'HEAD' ? withoutBody : operation,
      params: readParams(given, template, segments, head),
    }),
  };
}

/**
 * Finds the row of a request. Throws `MalformedUri`, `RouteUnknown`, `MethodNotAllowed` (its `allow` detail lists what the
 * path takes) and `InvalidArgument`.
 */
export function recogniseRow(rows: readonly Row[], head: RequestHead): Recognised<unknown> {
  const segments = segmentsOf(head.rawPath);
  const fitting = rows.filter((candidate) => candidate.fits(segments));
  if (fitting.length === 0)
    throw new ArtefactError('RouteUnknown', 'There is nothing at this path: /api/v1/openapi.json lists what there is.');
  const taken = fitting.find((candidate) => candidate.takes(head));
  if (!taken) throw methodNotAllowed(head.method, fitting);
  return taken.recognise(head, segments);
}

function readParams<Params>(given: RowOf<Params>, template: readonly string[], segments: readonly string[], head: RequestHead): Params {
  const inPath = new Map<string, unknown>();
  template.forEach((part, index) => {
    const name = PATH_FIELD.exec(part)?.[1];
    if (name !== undefined) inPath.set(name, segments[index]);
  });
  const query = given.fold ? given.fold(queryOf(head)) : queryOf(head);
  const entries = Object.entries(given.fields) as [keyof Params & string, Fields<Params>[keyof Params]][];
  const pathFields = Object.fromEntries(entries.filter(([name]) => inPath.has(name)));
  const queryFields = Object.fromEntries(entries.filter(([name]) => !inPath.has(name)));
  return {
    ...readFields(pathFields as Fields<Partial<Params>>, inPath, 'path segment'),
    ...readFields(queryFields as Fields<Partial<Params>>, query, 'query parameter'),
  } as Params;
}

function queryOf(head: RequestHead): ReadonlyMap<string, unknown> {
  const query = new Map<string, unknown>();
  for (const [name, value] of head.query) {
    if (query.has(name)) throw new ArtefactError('InvalidArgument', `The query parameter '${name.slice(0, 80)}' is given twice.`);
    query.set(name, value);
  }
  return query;
}

function segmentsOf(rawPath: string): readonly string[] {
  try {
    return rawPath.split('/').slice(1).map(decodeURIComponent);
  } catch (cause) {
    throw new ArtefactError('MalformedUri', 'The path has a broken percent-encoding.', { cause });
  }
}

function methodNotAllowed(method: string, fitting: readonly Row[]): ArtefactError {
  const methods = new Set(fitting.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method])));
  const allow = [...methods].join(', ');
  return new ArtefactError('MethodNotAllowed', `This path takes ${allow}, not ${method.slice(0, 20)}.`, { details: { allow } });
}
