/** What a scan means, said as plainly as possible and without any regard for cost. */
import type { ScanItem, ScanQuery } from '../../../src/storage/contract.ts';

/** The name of an item; a collapsed prefix has `>` behind it. */
export function nameOf(item: ScanItem): string {
  return 'key' in item ? item.key : `${item.prefix}>`;
}

/** The names that a scan of these keys lists. */
export function scanNaively(keys: readonly string[], query: ScanQuery): string[] {
  const { prefix, after, delimiter, limit } = query;
  const listed = [...keys]
    .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .filter((key) => key.startsWith(prefix))
    .filter((key) => after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .filter((key) => !(after !== undefined && isCollapsed(after, query) && key.startsWith(after)))
    .map((key) => collapse(key, prefix, delimiter) ?? key);
  return [...new Set(listed)].slice(0, limit);
}

function isCollapsed(name: string, { prefix, delimiter }: ScanQuery): boolean {
  return name.startsWith(prefix) && collapse(name, prefix, delimiter) === `${name}>`;
}

function collapse(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined) return undefined;
  const [first, ...others] = key.slice(prefix.length).split(delimiter);
  return others.length === 0 ? undefined : `${prefix}${first}${delimiter}>`;
}
