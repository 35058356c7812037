/** The condition keys that the head of a request answers, for every operation alike. */
import type { ConditionContext } from './action.ts';

/** The part of a request's head that is looked at. */
export interface ConditionHead {
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly remoteAddress: string;
  readonly secure: boolean;
}

/** Keys whose value is that of a header, as it was sent. */
const HEADERS: readonly (readonly [key: string, header: string])[] = [
  ['aws:useragent', 'user-agent'],
  ['aws:referer', 'referer'],
  ['s3:x-amz-acl', 'x-amz-acl'],
  ['s3:x-amz-metadata-directive', 'x-amz-metadata-directive'],
  ['s3:x-amz-storage-class', 'x-amz-storage-class'],
  ['s3:if-match', 'if-match'],
  ['s3:if-none-match', 'if-none-match'],
];

/** More tags than an object can have (10) are refused by the operation itself. */
const MAX_TAGS = 50;

/**
 * The keys of a request that arrived at `now` (ms since the epoch). What depends on the credential (`s3:authType` and the
 * like) authentication adds, and what depends on a body or a default the operation: its own values count.
 */
export function requestContext({ headers, query, remoteAddress, secure }: ConditionHead, now: number): ConditionContext {
  const context = new Map<string, readonly string[]>([
    ['aws:sourceip', [remoteAddress]],
    ['aws:securetransport', [String(secure)]],
    ['aws:currenttime', [new Date(now).toISOString()]],
    ['aws:epochtime', [String(Math.floor(now / 1000))]],
  ]);
  for (const [key, header] of HEADERS) {
    const value = headers[header];
    if (value !== undefined) context.set(key, [value]);
  }
  const source = headers['x-amz-copy-source'];
  if (source !== undefined) context.set('s3:x-amz-copy-source', [copySource(source)]);
  const versionId = query.find(([name]) => name === 'versionId')?.[1];
  if (versionId !== undefined) context.set('s3:versionid', [versionId]);
  for (const [key, values] of tagContext(taggingHeader(headers['x-amz-tagging']))) context.set(key, values);
  return context;
}

/** The keys that tags in a request answer: `s3:RequestObjectTag/<key>` and `s3:RequestObjectTagKeys`. */
export function tagContext(tags: readonly (readonly [key: string, value: string])[]): ConditionContext {
  const context = new Map<string, readonly string[]>(tags.map(([key, value]) => [`s3:requestobjecttag/${key.toLowerCase()}`, [value]]));
  if (tags.length > 0) context.set('s3:requestobjecttagkeys', [...new Set(tags.map(([key]) => key))]);
  return context;
}

/** One context over others: each later one's values count instead of those of earlier ones. */
export function joinContexts(...contexts: readonly (ConditionContext | undefined)[]): ConditionContext {
  return new Map(contexts.flatMap((context) => [...(context ?? [])]));
}

/** `bucket/key`, as policies write it: decoded, without the slash in front and the version behind. */
function copySource(header: string): string {
  const [path = ''] = header.replace(/^\//, '').split('?versionId=');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function taggingHeader(header: string | undefined): readonly (readonly [string, string])[] {
  return header === undefined ? [] : [...new URLSearchParams(header)].slice(0, MAX_TAGS);
}
