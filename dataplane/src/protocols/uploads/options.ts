/** OPTIONS: what may be sent here, and, for a page of another origin, whether it may. */
import type { Snapshot } from '@bonded/crds';
import type { CorsRule } from '@bonded/crds';
import { ArtefactError } from '../../errors.ts';
import { bucketNamed } from '../buckets.ts';
import type { Call, Reply, RequestHead } from '../contract.ts';
import { CORS_VARY, originHeaders, ruleFor } from '../cors.ts';
import { PARTIAL } from './ietf/fields.ts';
import { readPlace } from './place.ts';
import { limitHeader } from './replies.ts';
import { TUS_ABILITIES } from './tus/fields.ts';

const METHODS = 'OPTIONS, POST, HEAD, GET, PUT, PATCH, DELETE';

/** Answers the same wherever it is asked: no name is looked at. */
export async function tellOptions(call: Call<unknown>): Promise<Reply> {
  const asked = call.head.headers['access-control-request-method'];
  if (asked !== undefined) return preflight(call.head, call.snapshot, asked);
  return {
    status: 204,
    headers: { ...TUS_ABILITIES, ...limitHeader(), 'accept-patch': `${PARTIAL}, application/offset+octet-stream`, allow: METHODS },
  };
}

/** What a page reads of answers, besides what the bucket's rule exposes. */
const EXPOSED = [
  'Location',
  'ETag',
  'Repr-Digest',
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Complete',
  'Upload-Limit',
  'Upload-Expires',
  'Upload-Metadata',
  'Upload-Concat',
  'Upload-Defer-Length',
];

/** S3's rules know no PATCH: whoever may PUT may append. */
function asRuled(method: string): string {
  return method === 'PATCH' ? 'PUT' : method;
}

async function preflight(head: RequestHead, snapshot: Snapshot, asked: string): Promise<Reply> {
  const { origin } = head.headers;
  const headers = (head.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== '');
  const rule = origin === undefined ? undefined : ruleFor(rulesOf(head, snapshot), { origin, method: asRuled(asked), headers });
  if (rule === undefined || origin === undefined) {
    throw new ArtefactError('CorsForbidden', 'No CORS rule of the bucket allows this origin, method and headers together.');
  }
  return {
    status: 204,
    headers: {
      ...originHeaders(rule, origin),
      'access-control-allow-methods': METHODS,
      ...(headers.length > 0 ? { 'access-control-allow-headers': headers.join(', ') } : {}),
      ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    },
  };
}

/** For any answer: whether a page of another origin may read it. */
export function corsHeaders(head: RequestHead, snapshot: Snapshot): Readonly<Record<string, string>> {
  const rules = rulesOf(head, snapshot);
  if (rules.length === 0) return {};
  const { origin } = head.headers;
  const rule = origin === undefined ? undefined : ruleFor(rules, { origin, method: asRuled(head.method), headers: [] });
  if (rule === undefined || origin === undefined) return { vary: CORS_VARY };
  const exposed = [...new Set([...(rule.exposeHeaders ?? []), ...EXPOSED])].join(', ');
  return { ...originHeaders(rule, origin), 'access-control-expose-headers': exposed, vary: CORS_VARY };
}

function rulesOf(head: RequestHead, snapshot: Snapshot): readonly CorsRule[] {
  try {
    return bucketNamed(snapshot, readPlace(head).bucket)?.cors ?? [];
  } catch {
    return [];
  }
}
