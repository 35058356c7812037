/** Errors as the distribution-spec has them, and the challenges that make clients log in. */
import type { ArtefactError, ErrorDetails } from '../../errors.ts';
import type { ErrorContext, Reply, RequestHead } from '../contract.ts';
import type { OciCode } from './errorCodes.ts';
import { OCI_ERRORS } from './errorCodes.ts';
import type { Place } from './path.ts';
import { placeOf } from './path.ts';
import { nameOf } from './names.ts';

interface Shown {
  readonly status: number;
  readonly code: OciCode;
}

/** Renders any error: `{"errors":[{"code","message","detail"}]}`. */
export function renderOciError(error: ArtefactError, { head, operation = '' }: ErrorContext): Reply {
  const { status, code } = shown(error, head, operation);
  if (status === 304) return { status };
  const errors = detailsOf(error).map((detail) => ({ code, message: error.message, ...(detail && { detail }) }));
  const headers = { 'content-type': 'application/json; charset=utf-8', ...headersOf(error, { head, status }) };
  return { status, headers, body: `${JSON.stringify({ errors })}\n` };
}

function shown(error: ArtefactError, head: RequestHead, operation: string): Shown {
  const { reason, missing } = error.details;
  if (error.code === 'AccessDenied') return deniedAs(error, head);
  if (missing !== undefined) return { status: 404, code: 'MANIFEST_BLOB_UNKNOWN' };
  const finer = REASONS[String(reason ?? '')];
  if (finer !== undefined) return finer;
  return error.code === 'NameUnknown' ? { status: 404, code: unknownOf(operation) } : OCI_ERRORS[error.code];
}

/** What the details say more precisely. */
const REASONS: Readonly<Record<string, Shown>> = {
  name: { status: 400, code: 'NAME_INVALID' },
  tag: { status: 400, code: 'MANIFEST_INVALID' },
  tags: { status: 414, code: 'MANIFEST_INVALID' },
  repository: { status: 404, code: 'NAME_UNKNOWN' },
  'in-use': { status: 409, code: 'DENIED' },
  offset: { status: 416, code: 'BLOB_UPLOAD_INVALID' },
  superseded: { status: 416, code: 'BLOB_UPLOAD_INVALID' },
};

function unknownOf(operation: string): OciCode {
  if (operation.includes('Manifest')) return 'MANIFEST_UNKNOWN';
  return operation.includes('Blob') ? 'BLOB_UNKNOWN' : 'NAME_UNKNOWN';
}

/** Who has shown no credentials is asked for them; so is a token that was made for less. */
function deniedAs({ details }: ArtefactError, { headers }: RequestHead): Shown {
  const ask = headers.authorization === undefined || details['limited'] === true;
  return ask ? { status: 401, code: 'UNAUTHORIZED' } : { status: 403, code: 'DENIED' };
}

/** One error for every digest that is missing. */
function detailsOf({ details }: ArtefactError): readonly (Readonly<Record<string, unknown>> | undefined)[] {
  if (details['missing'] !== undefined)
    return String(details['missing'])
      .split(' ')
      .map((digest) => ({ digest }));
  const { reason: _reason, limited: _limited, location: _location, ...rest } = details;
  return [Object.keys(rest).length > 0 ? rest : undefined];
}

function headersOf(
  error: ArtefactError,
  { head, status }: { readonly head: RequestHead; readonly status: number },
): Record<string, string> {
  const { details } = error;
  switch (status) {
    case 401:
      return { 'www-authenticate': challenge(head, details['limited'] === true) };
    case 405:
      return { allow: String(details['allow'] ?? 'GET') };
    case 416:
      return whereItIs(details);
    case 429:
    case 503:
      return { 'retry-after': String(details['retryAfter'] ?? 1) };
    default:
      return {};
  }
}

/** How far an upload is, or how long what was asked for. */
function whereItIs({ expectedOffset, contentRange, location }: ErrorDetails): Record<string, string> {
  return {
    ...(contentRange === undefined ? {} : { 'content-range': String(contentRange) }),
    ...(expectedOffset === undefined ? {} : { range: storedRange(Number(expectedOffset)) }),
    ...(location === undefined ? {} : { location: String(location) }),
  };
}

/** `0-<last byte>`: the spec has no word for none. */
export function storedRange(offset: number): string {
  return `0-${Math.max(0, offset - 1)}`;
}

/** Uploads are their makers' alone: to look at one takes what it takes to make it. */
function actionsOf(kind: Place['kind'], method: string): string {
  if (kind === 'upload' || kind === 'uploads') return 'pull,push';
  if (method === 'DELETE') return 'delete';
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
}

/** Where to get a token, and for what (distribution's token specification). */
function challenge(head: RequestHead, limited: boolean): string {
  const scheme = head.secure ? 'https' : 'http';
  const scope = scopeOf(head);
  const parts = [
    `realm="${scheme}://${head.host}/auth/token"`,
    `service="${head.host}"`,
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
    ...(limited ? ['error="insufficient_scope"'] : []),
  ];
  return `Bearer ${parts.join(',')}`;
}

function scopeOf(head: RequestHead): string | undefined {
  const place = placeOf(head.rawPath);
  if (place === undefined) return undefined;
  if (place.kind === 'catalog') return 'registry:catalog:*';
  if (place.kind === 'base') return undefined;
  return `repository:${nameOf(place)}:${actionsOf(place.kind, head.method)}`;
}
