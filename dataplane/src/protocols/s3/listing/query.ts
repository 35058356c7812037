/** What all listings ask: prefix, delimiter, how many, and whether names come back URL-encoded. */
import type { Action, ConditionContext } from '../../../authz/action.ts';
import type { Demand, RequestHead } from '../../contract.ts';
import { invalidArgument } from '../errors.ts';
import { queryValue } from '../head.ts';
import type { BucketParams } from '../operation.ts';

/** "The action returns up to 1,000 key names." */
export const MAX_PAGE = 1000;

/** The longest name, in UTF-8 bytes; longer markers and prefixes match nothing that can exist. */
const MAX_TEXT_BYTES = 1024;

export interface ListingQuery {
  readonly prefix: string;
  readonly delimiter?: string;
  /** 0–1000. */
  readonly limit: number;
  /** Writes names as the client asked for them. */
  readonly encode: (name: string) => string;
  readonly encodingType?: 'url';
}

/** Reads them; `limitName` is `max-keys`, `max-uploads` or `max-parts`. Throws `InvalidArgument`. */
export function readListingQuery(head: RequestHead, limitName: string): ListingQuery {
  const encodingType = readEncodingType(queryValue(head, 'encoding-type'));
  // an empty delimiter is none
  const delimiter = readName(head, 'delimiter') || undefined;
  return {
    prefix: readName(head, 'prefix') ?? '',
    ...(delimiter === undefined ? {} : { delimiter }),
    limit: readLimit(head, limitName),
    encode: encodingType ? urlEncode : (name) => name,
    ...(encodingType ? { encodingType } : {}),
  };
}

/** A parameter that is (part of) a name: `marker`, `start-after`, …; '' counts as given. Throws `InvalidArgument` for what no name can be. */
export function readName(head: RequestHead, parameter: string): string | undefined {
  const value = queryValue(head, parameter);
  if (value === undefined) return undefined;
  if (Buffer.byteLength(value) > MAX_TEXT_BYTES || value.includes('\0') || !value.isWellFormed()) {
    throw invalidArgument(
      parameter,
      value.slice(0, 128).toWellFormed(),
      `${parameter} must be at most ${MAX_TEXT_BYTES} bytes of UTF-8 without U+0000`,
    );
  }
  return value;
}

/** An integer parameter of at least 0, clipped to 1000 as S3 does; absent or empty: 1000. */
export function readLimit(head: RequestHead, parameter: string): number {
  const text = queryValue(head, parameter) ?? '';
  if (text === '') return MAX_PAGE;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fffffff) {
    throw invalidArgument(parameter, text.slice(0, 128), `Provided ${parameter} not an integer or within integer range`);
  }
  return Math.min(Number(text), MAX_PAGE);
}

/** The demand of a listing: on the prefix asked for, with the condition keys that policies know listings by. */
export function listDemand(head: RequestHead, { bucket }: BucketParams, s3Action: string): Demand {
  const prefix = queryValue(head, 'prefix') ?? '';
  const action: Action = 'list';
  return { action, s3Action, resource: prefix === '' ? { bucket } : { bucket, name: prefix }, context: listContext(head) };
}

function listContext(head: RequestHead): ConditionContext {
  const context = new Map<string, readonly string[]>();
  for (const parameter of ['prefix', 'delimiter', 'max-keys']) {
    const value = queryValue(head, parameter);
    if (value !== undefined) context.set(`s3:${parameter}`, [value]);
  }
  return context;
}

function readEncodingType(text: string | undefined): 'url' | undefined {
  if (text === undefined || text === '' || text === 'url') return text === 'url' ? 'url' : undefined;
  throw invalidArgument('encoding-type', text.slice(0, 128), 'Invalid Encoding Method specified in Request');
}

/** Percent-encoding as S3 has it in listings: `/` stays. A space is `%20`, which every decoder reads alike. */
export function urlEncode(name: string): string {
  return encodeURIComponent(name)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
