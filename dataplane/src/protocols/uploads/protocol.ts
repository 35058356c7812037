/** Resumable uploads: one session in the core, told apart by headers into tus, the resumable uploads of HTTP, and plain HTTP. */
import type { Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Operation, Protocol, Recognised, Reply, RequestHead } from '../contract.ts';
import { renderUploadError } from './errors.ts';
import { createUpload } from './ietf/create.ts';
import { readComplete } from './ietf/fields.ts';
import { appendUpload, cancelUpload, retrieveOffset } from './ietf/session.ts';
import { corsHeaders, tellOptions } from './options.ts';
import type { UploadParams } from './place.ts';
import { readPlace, ROOT } from './place.ts';
import { createPlain } from './plain/create.ts';
import { putRange } from './plain/put.ts';
import { completeUpload, getUpload } from './plain/status.ts';
import { tusCreate } from './tus/create.ts';
import { isTus } from './tus/fields.ts';
import { tusAppend, tusOffset, tusTerminate } from './tus/session.ts';
import { aborting, creating } from './upload.ts';
import type { UploadCall } from './upload.ts';

type Handler = (call: UploadCall, core: Core) => Promise<Reply>;

function row(name: string, handle: Handler, demands = creating): Operation<UploadParams> {
  return { name: `uploads.${name}`, authenticates: 'request', demands, handle };
}

const OPTIONS: Operation<UploadParams> = { name: 'uploads.Options', authenticates: 'public', demands: () => [], handle: tellOptions };

/** What a request that makes an upload asks for. */
const CREATING = { tus: row('TusCreate', tusCreate), ietf: row('Create', createUpload), plain: row('CreatePlain', createPlain) };

/** What a request to an upload asks for, by method; `tus` and `plain` where both have their own. */
const TUS: Readonly<Record<string, Operation<UploadParams>>> = {
  HEAD: row('TusOffset', tusOffset),
  PATCH: row('TusAppend', tusAppend),
  DELETE: row('TusTerminate', tusTerminate, aborting),
};
const PLAIN: Readonly<Record<string, Operation<UploadParams>>> = {
  HEAD: row('Offset', retrieveOffset),
  GET: row('Get', getUpload),
  PATCH: row('Append', appendUpload),
  PUT: row('PutRange', putRange),
  POST: row('Complete', completeUpload),
  DELETE: row('Cancel', cancelUpload, aborting),
};

/** Every operation, for tables and tests. */
export const OPERATIONS: readonly Operation<UploadParams>[] = [
  OPTIONS,
  ...Object.values(CREATING),
  ...Object.values(TUS),
  ...Object.values(PLAIN),
];

/** `/uploads/{bucket}/{key}`, and creations at `/{bucket}/{key}` itself. */
export function createUploadsProtocol(): Protocol {
  return {
    name: 'uploads',
    recognise,
    renderError: renderUploadError,
    decorate: corsHeaders,
  };
}

/** True for requests to `/{bucket}/{key}` that belong here: they say Upload-Complete, or ask what may be said. */
export function acceptsTarget(head: RequestHead): boolean {
  if (head.rawPath === '/' || !/^\/[^/]+\/./.test(head.rawPath)) return false;
  if (head.method === 'OPTIONS') return head.headers['access-control-request-method'] === undefined && head.headers.origin === undefined;
  return (head.method === 'PUT' || head.method === 'POST') && readComplete(head) !== undefined;
}

function recognise(head: RequestHead): Recognised<UploadParams> {
  if (head.method === 'OPTIONS') return { operation: OPTIONS, params: { bucket: '', key: '' } };
  const params = readPlace(head);
  const method = methodOf(head);
  const operation = params.uploadId === undefined ? creation(head, method) : onUpload(head, method);
  return { operation, params };
}

/** tus: "the server MUST interpret this as the request's method"; for clients whose way allows only POST. */
function methodOf({ method, headers }: RequestHead): string {
  const override = headers['x-http-method-override']?.toUpperCase();
  return method === 'POST' && override !== undefined ? override : method;
}

function creation(head: RequestHead, method: string): Operation<UploadParams> {
  const own = head.rawPath.startsWith(`${ROOT}/`);
  if (method === 'POST' && own && isTus(head)) return CREATING.tus;
  if ((method === 'POST' || method === 'PUT') && readComplete(head) !== undefined) return CREATING.ietf;
  if (method === 'POST' && own) return CREATING.plain;
  throw notAllowed(method, 'OPTIONS, POST');
}

function onUpload(head: RequestHead, method: string): Operation<UploadParams> {
  if (method === 'PATCH' && !isTus(head) && head.headers['content-range'] !== undefined) return PLAIN['PUT']!;
  if (method === 'POST' && !head.query.some(([name]) => name === 'complete')) throw notAllowed(method, 'HEAD, GET, PUT, PATCH, DELETE');
  const operation = isTus(head) ? TUS[method] : PLAIN[method];
  if (operation === undefined) throw notAllowed(method, isTus(head) ? 'HEAD, PATCH, DELETE' : 'HEAD, GET, PUT, PATCH, POST, DELETE');
  return operation;
}

function notAllowed(method: string, allow: string): ArtefactError {
  return new ArtefactError('MethodNotAllowed', `${method.slice(0, 16)} means nothing here.`, { details: { allow } });
}
