/** Errors of the JSON API: RFC 9457 problem documents. */
import { ArtefactError } from '../../errors.ts';
import type { ErrorDetails } from '../../errors.ts';
import type { ErrorContext, Reply, RequestHead } from '../contract.ts';
import { PROBLEMS, problemType } from '../problemKinds.ts';

/** Details that are said by a header instead, or that only another protocol has a use for. */
const UNSHOWN_DETAILS = ['allow', 'accept', 'retryAfter', 's3Code', 'stsCode'];

/** Seconds after which trying again makes sense, where the error does not say. */
const RETRY_AFTER = 1;

/**
 * Renders any error as `application/problem+json`: `type`, `title`, `status`, `detail`, `code`, `requestId` and, where
 * the error has facts to add, `details`. 304 has no body. 401 carries the challenge, 405 `Allow`, 415 `Accept`, 503 `Retry-After`.
 */
export function renderProblem(thrown: ArtefactError, { head }: ErrorContext): Reply {
  const error = forCaller(thrown, head);
  const status = statusOf(error);
  if (status === 304) return { status };
  const details = shownDetails(error.details);
  const problem = {
    type: problemType(error.code),
    title: PROBLEMS[error.code].title,
    status,
    detail: error.message,
    code: error.code,
    requestId: head.id,
    ...(Object.keys(details).length > 0 && { details }),
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headersOf(status, error.details) };
  return { status, headers, body: `${JSON.stringify(problem)}\n` };
}

/** Who sent no credentials and may not is told to send some: RFC 9110 §15.5.2 has 401 for that, and 403 for those who did. */
function forCaller(error: ArtefactError, head: RequestHead): ArtefactError {
  if (error.code !== 'AccessDenied' || head.headers.authorization !== undefined) return error;
  return new ArtefactError('CredentialsMissing', 'This needs credentials: send a bearer token, Basic credentials or a signature.');
}

function statusOf(error: ArtefactError): number {
  // RFC 9110 §15.5.16: a media type that is not taken, with the one that is in `Accept`
  if (error.code === 'InvalidRequest' && error.details.accept !== undefined) return 415;
  return PROBLEMS[error.code].status;
}

function shownDetails(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([name]) => !UNSHOWN_DETAILS.includes(name)));
}

function headersOf(status: number, { allow, accept, retryAfter }: ErrorDetails): Record<string, string> {
  // not Basic, though it is taken: browsers would ask their user for a password
  if (status === 401) return { 'www-authenticate': 'Bearer realm="bonded"' };
  if (status === 405 && allow !== undefined) return { allow: String(allow) };
  if (status === 415) return { accept: String(accept) };
  if (status === 503) return { 'retry-after': String(retryAfter ?? RETRY_AFTER) };
  return {};
}
