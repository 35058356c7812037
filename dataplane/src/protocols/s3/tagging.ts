/** Tag sets of buckets and objects: read from documents and headers under S3's rules, and written. */
import { ArtefactError } from '../../errors.ts';
import { invalidArgument, s3Error } from './errors.ts';
import { allowOnly } from './xml.ts';
import type { XmlElement, XmlFields } from './xml.ts';

export type Tags = Readonly<Record<string, string>>;

/** How many tags there may be. */
export const MAX_TAGS = { bucket: 50, object: 10 } as const;

/** The largest `Tagging` document that is read, in bytes. */
export const MAX_TAGGING_BYTES = 128 * 1024;

/** In characters. */
const MAX_KEY = 128;
const MAX_VALUE = 256;

/** "letters, white space, and numbers representable in UTF-8, and + - = . _ : / @" */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of a `Tagging` document; throws `MalformedBody`, `InvalidTag`, and S3's BadRequest for more than `of` may have. */
export function parseTagging(document: XmlElement, of: keyof typeof MAX_TAGS): Tags {
  allowOnly(document, ['TagSet']);
  const set = document.required('TagSet');
  allowOnly(set, ['Tag']);
  const pairs = set.all('Tag').map((tag) => {
    allowOnly(tag, ['Key', 'Value']);
    return [tag.required('Key').text, tag.required('Value').text] as const;
  });
  return checkTags(pairs, of);
}

/** The tags of an `x-amz-tagging` header (`a=1&b=two+words`); throws `InvalidArgument` and what `parseTagging` throws. */
export function parseTaggingHeader(header: string): Tags {
  const pairs = header.split('&').filter((pair) => pair !== '');
  return checkTags(
    pairs.map((pair) => decodePair(pair, header)),
    'object',
  );
}

/** Tags from pairs that came some other way (a form, a bucket's first tags). */
export function checkTags(pairs: readonly (readonly [key: string, value: string])[], of: keyof typeof MAX_TAGS): Tags {
  if (pairs.length > MAX_TAGS[of]) {
    const what = of === 'object' ? 'Object' : 'Bucket';
    throw s3Error('InvalidTag', 'BadRequest', `${what} tags cannot be greater than ${MAX_TAGS[of]}`);
  }
  const tags = new Map<string, string>();
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    checkTag(key, value);
    // condition keys of policies (`s3:RequestObjectTag/…`) have no case: which of two tags would one be about?
    const name = of === 'object' ? key.toLowerCase() : key;
    if (seen.has(name)) throw invalidTag('Cannot provide multiple Tags with the same key', { tagKey: key });
    seen.add(name);
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

/** Content of `<Tagging>`. */
export function taggingFields(tags: Tags): XmlFields {
  return { TagSet: { Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } };
}

function checkTag(key: string, value: string): void {
  if (key.startsWith('aws:')) throw invalidTag('System tags cannot be added/updated by requester', { tagKey: key });
  const length = [...key].length;
  if (length < 1 || length > MAX_KEY || !ALLOWED.test(key)) throw invalidTag('The TagKey you have provided is invalid', { tagKey: key });
  if ([...value].length > MAX_VALUE || !ALLOWED.test(value))
    throw invalidTag('The TagValue you have provided is invalid', { tagKey: key, tagValue: value });
}

function decodePair(pair: string, header: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  const [key, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  try {
    return [decodeURIComponent(key.replaceAll('+', ' ')), decodeURIComponent(value.replaceAll('+', ' '))];
  } catch {
    throw invalidArgument(
      'x-amz-tagging',
      header,
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    );
  }
}

function invalidTag(message: string, details: Readonly<Record<string, string>>): ArtefactError {
  return new ArtefactError('InvalidTag', message, { details });
}
