/** CORS headers on the answers to the requests themselves, errors too: a page must be able to read why it failed. */
import type { Snapshot } from '@bonded/crds';
import type { RequestHead } from '../../contract.ts';
import { bucketNamed } from '../bucketOf.ts';
import { CORS_VARY, originHeaders, ruleFor } from '../../cors.ts';

/**
 * Headers for any answer about `bucket`; none where it has no rules. They tell a page of an allowed origin that the bucket is there, which
 * a preflight tells anyone as well.
 */
export function corsHeaders(head: RequestHead, snapshot: Snapshot, bucket: string | undefined): Readonly<Record<string, string>> {
  if (bucket === undefined || head.method === 'OPTIONS') return {};
  const rules = bucketNamed(snapshot, bucket)?.cors ?? [];
  if (rules.length === 0) return {};
  const { origin } = head.headers;
  const rule = origin === undefined ? undefined : ruleFor(rules, { origin, method: head.method, headers: [] });
  return { ...(rule && origin !== undefined ? originHeaders(rule, origin) : {}), vary: CORS_VARY };
}
