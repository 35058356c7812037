/**
 * What a write says, by the condition keys of policies: what the operation goes by, whether it came as header, in a presigned
 * query, in a form or in a document. A key without values counts as absent, so that a stray header never passes for the real thing.
 */
import type { ConditionContext } from '../../../authz/action.ts';
import { tagContext } from '../../../authz/requestContext.ts';
import type { RequestHead } from '../../contract.ts';
import { parseCopySource } from './copySource.ts';
import type { CopySource } from './copySource.ts';
import type { Fields } from './headerText.ts';
import { requestFields } from './headerText.ts';

type Pairs = readonly (readonly [key: string, value: string])[];

/** The facts of a write with these fields and tags, which is no copy. */
export function writeFacts(head: RequestHead, fields: Fields, tags: Pairs): ConditionContext {
  return new Map([
    ['s3:x-amz-acl', values(fields['x-amz-acl'])],
    ['s3:x-amz-storage-class', values(fields['x-amz-storage-class'])],
    ['s3:x-amz-metadata-directive', []],
    ['s3:x-amz-copy-source', []],
    ['s3:if-match', values(fields['if-match'])],
    ['s3:if-none-match', values(fields['if-none-match'])],
    ['s3:versionid', []],
    ...tagFacts(head, tags),
  ]);
}

/** The facts of a request whose tags are in its headers. */
export function putFacts(head: RequestHead): ConditionContext {
  const fields = requestFields(head);
  return writeFacts(head, fields, pairsOf(fields['x-amz-tagging']));
}

/** The facts of a copy: tags are the request's only where it replaces them. Throws `InvalidArgument` for a malformed source. */
export function copyFacts(head: RequestHead): ConditionContext {
  const fields = requestFields(head);
  const source = fields['x-amz-copy-source'];
  const tags = fields['x-amz-tagging-directive'] === 'REPLACE' ? pairsOf(fields['x-amz-tagging']) : [];
  return new Map([
    ...writeFacts(head, fields, tags),
    ['s3:x-amz-copy-source', values(source === undefined ? undefined : nameOf(parseCopySource(source)))],
    ['s3:x-amz-metadata-directive', values(fields['x-amz-metadata-directive'])],
  ]);
}

/** The facts of tags alone; those of an `x-amz-tagging` header count only when they are among them. */
export function tagFacts(head: RequestHead, tags: Pairs): ConditionContext {
  const stray = tagContext(pairsOf(head.headers['x-amz-tagging']));
  return new Map([...[...stray.keys()].map((key) => [key, []] as const), ...tagContext(tags)]);
}

/** Which version a demand is about, whatever the query of the request says. */
export function versionFact(versionId: string | undefined): ConditionContext {
  return new Map([['s3:versionid', values(versionId)]]);
}

function nameOf({ bucket, key }: CopySource): string {
  return `${bucket}/${key}`;
}

function pairsOf(tagging: string | undefined): Pairs {
  return [...new URLSearchParams(tagging ?? '')];
}

function values(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
