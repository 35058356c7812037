/** What a form is answered: an empty page, a document, or the page it asked to be sent on to. */
import type { ObjectVersion } from '../../../core/object.ts';
import type { Reply, RequestHead } from '../../contract.ts';
import { urlEncode } from '../listing/query.ts';
import { quoted, writtenHeaders } from '../objects/representation.ts';
import type { Subject } from '../objects/versions.ts';
import { noContent } from '../replies.ts';
import { renderPlainXml } from '../xml.ts';

/**
 * `success_action_redirect` (or its old name `redirect`) goes before `success_action_status`, which is 200, 201 or 204. As in S3, a
 * redirect that is no http(s) URL counts as absent, and any other status as 204.
 */
export function postReply(head: RequestHead, fields: ReadonlyMap<string, string>, subject: Subject, version: ObjectVersion): Reply {
  const location = locationOf(head, subject.key);
  const headers = { ...writtenHeaders(subject.bucket, version), location };
  const redirect = redirectTo(fields.get('success_action_redirect') ?? fields.get('redirect'), subject, version);
  if (redirect !== undefined) return { status: 303, headers: { ...headers, location: redirect, 'content-length': '0' } };
  const status = fields.get('success_action_status');
  if (status === '200') return { status: 200, headers: { ...headers, 'content-length': '0' } };
  if (status !== '201') return noContent(headers);
  const content = { Location: location, Bucket: subject.bucket.name, Key: subject.key, ETag: quoted(version.etag) };
  return { status: 201, headers: { ...headers, 'content-type': 'application/xml' }, body: renderPlainXml('PostResponse', content) };
}

function locationOf({ secure, host, rawPath }: RequestHead, key: string): string {
  return `${secure ? 'https' : 'http'}://${host}${rawPath.replace(/\/$/, '')}/${urlEncode(key)}`;
}

const MAX_URL = 2048;

/** The page with bucket, key and ETag added to its query; undefined for what is no http(s) URL. */
function redirectTo(target: string | undefined, { bucket, key }: Subject, version: ObjectVersion): string | undefined {
  if (target === undefined || target.length > MAX_URL || !URL.canParse(target)) return undefined;
  const url = new URL(target);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  url.searchParams.append('bucket', bucket.name);
  url.searchParams.append('key', key);
  url.searchParams.append('etag', quoted(version.etag));
  return url.href;
}
