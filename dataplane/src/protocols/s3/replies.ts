/** Answers in the forms that S3 has. */
import type { Reply } from '../contract.ts';
import { renderXml } from './xml.ts';
import type { XmlContent } from './xml.ts';

/** 200 with an XML document in S3's namespace. */
export function xmlReply(root: string, content: XmlContent, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { ...headers, 'content-type': 'application/xml' }, body: renderXml(root, content) };
}

/** 200 without a body, as most PUTs of settings answer. */
export function emptyReply(headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { ...headers, 'content-length': '0' } };
}

/** 204. */
export function noContent(headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 204, headers };
}
