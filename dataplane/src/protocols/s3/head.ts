/** Reading the head of a request the way S3 does. */
import type { RequestHead } from '../contract.ts';
import { requestFields } from './objects/headerText.ts';

/** The first value of a query parameter ('' for one without value), or undefined. */
export function queryValue(head: RequestHead, name: string): string | undefined {
  return head.query.find(([candidate]) => candidate === name)?.[1];
}

/** A header, which a presigned URL may carry as a query parameter instead. */
export function amzHeader(head: RequestHead, name: string): string | undefined {
  return requestFields(head)[name];
}

/** All headers whose name starts with `prefix`, those in the query of a presigned URL too; names lower-cased. */
export function amzHeaders(head: RequestHead, prefix: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(requestFields(head))) {
    if (name.startsWith(prefix) && value !== undefined) found.set(name, value);
  }
  return found;
}
