/** The order of keys and what a scan makes of it: shared by drivers, so that they cannot differ in it. */
import type { ScanQuery } from './contract.ts';

/** Ranks a UTF-16 code unit so that units compare as the code points they belong to: surrogates after U+FFFF. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * Compares two well-formed strings by their UTF-8 bytes (which is by code point), without encoding them. JavaScript's own
 * `<` compares UTF-16 units, which puts U+1F600 before U+E000.
 */
export function compareKeys(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The smallest string after every string that starts with `prefix`; undefined when nothing can come after them. */
export function successor(prefix: string): string | undefined {
  for (let end = prefix.length; end > 0;) {
    const low = prefix.charCodeAt(end - 1);
    const start = low >= 0xdc00 && low <= 0xdfff ? end - 2 : end - 1;
    const last = prefix.codePointAt(start) ?? 0;
    // U+D800–U+DFFF are no characters: the one after U+D7FF is U+E000. After U+10FFFF there is none.
    if (last < 0x10ffff) return prefix.slice(0, start) + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1);
    end = start;
  }
  return undefined;
}

/** The smallest string after `key` itself. */
export function following(key: string): string {
  return `${key}\0`;
}

/** What `key` collapses into under this query: all of it up to the first delimiter after the prefix. */
export function collapsedPrefix(key: string, query: Pick<ScanQuery, 'prefix' | 'delimiter'>): string | undefined {
  if (!query.delimiter) return undefined;
  const found = key.indexOf(query.delimiter, query.prefix.length);
  return found < 0 ? undefined : key.slice(0, found + query.delimiter.length);
}

/** Keys from `from` on, up to but without `to` (undefined: to the end). */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

/** The keys a scan looks at; undefined when there can be none. */
export function scanRange(query: ScanQuery): KeyRange | undefined {
  const from = firstKey(query);
  const to = successor(query.prefix);
  if (from === undefined || (to !== undefined && compareKeys(from, to) >= 0)) return undefined;
  return { from, to };
}

function firstKey(query: ScanQuery): string | undefined {
  const { prefix, after } = query;
  if (after === undefined || compareKeys(after, prefix) < 0) return prefix;
  const collapsed = after.startsWith(prefix) && collapsedPrefix(after, query) === after;
  return collapsed ? successor(after) : following(after);
}
