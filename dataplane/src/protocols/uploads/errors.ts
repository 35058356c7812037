/** Errors of uploads: problem documents (RFC 9457), with the draft's own types where it has one; plain text and its statuses for tus. */
import type { ArtefactError, ErrorDetails } from '../../errors.ts';
import type { ErrorContext, Reply, RequestHead } from '../contract.ts';
import { PROBLEMS, problemType } from '../problemKinds.ts';
import { limitHeader, NO_STORE } from './replies.ts';
import { isTus, TUS_VERSION } from './tus/fields.ts';

type Headers = Readonly<Record<string, string>>;

/** Renders any error, in the words of the face that the request came by. */
export function renderUploadError(error: ArtefactError, { head }: ErrorContext): Reply {
  return isTus(head) ? renderTus(error, head) : renderProblem(error, head);
}

function renderTus(error: ArtefactError, head: RequestHead): Reply {
  const status = tusStatus(error, head);
  const version: Headers = error.details.reason === 'tus-version' ? { 'tus-version': TUS_VERSION } : {};
  const headers = { 'tus-resumable': TUS_VERSION, 'content-type': 'text/plain; charset=utf-8', ...version, ...NO_STORE };
  return { status, headers: { ...headers, ...headersOf(error, status) }, body: `${error.message}\n` };
}

/** 460 is tus' own: the content of a request is not what its checksum says. */
function tusStatus(error: ArtefactError, head: RequestHead): number {
  if (error.code === 'DigestMismatch' && error.details.reason === 'content') return 460;
  return statusOf(error, head);
}

/** Types of the draft, with the title that goes with each. */
const DRAFT_TYPES: Readonly<Record<string, { readonly name: string; readonly title: string }>> = {
  offset: { name: 'mismatching-upload-offset', title: 'offset from request does not match offset of resource' },
  length: { name: 'inconsistent-upload-length', title: 'inconsistent length values for upload' },
  completed: { name: 'completed-upload', title: 'upload is already completed' },
};
const REGISTRY = 'https://iana.org/assignments/http-problem-types#';

/** Details that are said by the type or a header. */
const UNSHOWN = [
  'reason',
  'complete',
  'location',
  'accept',
  'allow',
  'retryAfter',
  's3Code',
  'contentRange',
  'expectedOffset',
  'providedOffset',
];

function renderProblem(error: ArtefactError, head: RequestHead): Reply {
  const status = statusOf(error, head);
  if (status === 304) return { status };
  const draft = DRAFT_TYPES[String(error.details.reason ?? '')];
  const { expectedOffset, providedOffset } = error.details;
  const details = Object.fromEntries(Object.entries(error.details).filter(([name]) => !UNSHOWN.includes(name)));
  const problem = {
    type: draft === undefined ? problemType(error.code) : REGISTRY + draft.name,
    title: draft?.title ?? PROBLEMS[error.code].title,
    status,
    detail: error.message,
    code: error.code,
    requestId: head.id,
    ...(expectedOffset === undefined ? {} : { 'expected-offset': expectedOffset, 'provided-offset': providedOffset }),
    ...(Object.keys(details).length > 0 && { details }),
  };
  const headers = { 'content-type': 'application/problem+json', ...NO_STORE, ...headersOf(error, status) };
  return { status, headers, body: `${JSON.stringify(problem)}\n` };
}

function statusOf(error: ArtefactError, { headers }: RequestHead): number {
  if (error.code === 'AccessDenied' && headers.authorization === undefined) return 401;
  return (error.code === 'InvalidRequest' ? statusOfRequest(error) : undefined) ?? PROBLEMS[error.code].status;
}

/** What is wrong with a request is often the state of the upload, or the type of the content. */
function statusOfRequest({ details: { reason, accept, location } }: ArtefactError): number | undefined {
  if (accept !== undefined) return 415;
  if (reason === 'incomplete' || reason === 'overlap') return 409;
  return reason === 'completed' && location !== undefined ? 410 : undefined;
}

function headersOf({ details }: ArtefactError, status: number): Headers {
  return { ...statusHeaders(details, status), ...stateHeaders(details) };
}

function statusHeaders({ accept, allow, retryAfter }: ErrorDetails, status: number): Headers {
  switch (status) {
    case 401:
      // RFC 9110 §15.5.2; not Basic, though it is taken: browsers would ask their user for a password.
      return { 'www-authenticate': 'Bearer realm="bonded"' };
    case 405:
      return allow === undefined ? {} : { allow: String(allow) };
    case 413:
      return limitHeader();
    case 415:
      return { 'accept-patch': String(accept), accept: String(accept) };
    case 503:
      return { 'retry-after': String(retryAfter ?? 1) };
    default:
      return {};
  }
}

/** The right offset, and whether all bytes have come. */
function stateHeaders({ expectedOffset, complete, contentRange, location }: ErrorDetails): Headers {
  return {
    ...(contentRange === undefined ? {} : { 'content-range': String(contentRange) }),
    ...(location === undefined ? {} : { location: String(location) }),
    ...(expectedOffset === undefined ? {} : { 'upload-offset': String(expectedOffset), 'upload-complete': '?0' }),
    ...(complete === true ? { 'upload-complete': '?1' } : {}),
  };
}
