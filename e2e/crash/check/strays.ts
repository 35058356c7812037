/** When all sessions are over and collection has had its time, nothing lies in the store that no visible name needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world.ts';
import type { Holdings } from './holdings.ts';

/** What the names that are visible need. */
interface Needs {
  /** Contents, each once. */
  readonly contents: number;
  readonly bytes: number;
  /** Names that have any version. */
  readonly names: number;
  /** Versions that are no delete markers. */
  readonly things: number;
}

/** Collecting takes some rounds, each of which takes seconds where a record is an object, and longer on a busy machine. */
const PATIENCE_MS = 45_000;
const PAUSE_MS = 50;

/** Waits until nothing is stored that need not be; answers what stays all the same, one line each. */
export async function findStrays(world: World, read: () => Promise<Holdings>): Promise<readonly string[]> {
  const needs = needsOf(world);
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const holdings = await read();
    const problems = [...compare(needs, holdings), ...compareReferences(needs, holdings, world.transactional)];
    if (problems.length === 0 || Date.now() > until) return problems;
    await sleep(PAUSE_MS);
  }
}

/** What the names that were seen last need. */
export function needsOf({ register }: World): Needs {
  const contents = new Map<string, number>();
  let names = 0;
  let things = 0;
  for (const name of register.names()) {
    const versions = register.settled(name)?.versions ?? [];
    if (versions.length > 0) names += 1;
    for (const { thing } of versions) {
      if (thing === undefined) continue;
      things += 1;
      contents.set(thing.sha256, thing.size);
    }
  }
  return { contents: contents.size, bytes: [...contents.values()].reduce((sum, size) => sum + size, 0), names, things };
}

/** Kinds of records that tell of something unfinished: in time, all of them go. */
const PASSING = ['upload', 'ranges', 'part', 'done', 'intent', 'garbage', 'gone', 'kept'];

function compare(needs: Needs, holdings: Holdings): string[] {
  const bytes = [...holdings.blobs.values()].reduce((sum, size) => sum + size, 0);
  const kinds = Map.groupBy(holdings.records, (key) => key.slice(0, key.indexOf('/')));
  const count = (kind: string) => kinds.get(kind)?.length ?? 0;
  const counted = [
    ['contents', count('digest'), needs.contents],
    ['names', count('head'), needs.names],
  ] as const;
  return [
    ...(bytes === needs.bytes
      ? []
      : [`${bytes} bytes are stored, ${needs.bytes} needed; blobs: ${shown([...holdings.blobs].map(([id, size]) => `${id} (${size})`))}`]),
    ...(holdings.others.length === 0 ? [] : [`on their way for ever: ${shown(holdings.others)}`]),
    ...counted
      .filter(([, there, needed]) => there !== needed)
      .map(([what, there, needed]) => `records of ${what}: ${there} there, ${needed} needed`),
    ...PASSING.filter((kind) => count(kind) > 0).map((kind) => `records of kind ${kind}: ${shown(kinds.get(kind) ?? [])}`),
  ];
}

/**
 * Every thing has its reference. Where a batch may be cut in two there may be more, whose version never came to stand: they go with the content that
 * they speak of, and speak of none that is not there.
 */
function compareReferences(needs: Needs, { records }: Holdings, exact: boolean): string[] {
  const spokenOf = (kind: string) =>
    records.filter((key) => key.startsWith(`${kind}/`)).map((key) => key.slice(kind.length + 1, kind.length + 65));
  const references = spokenOf('ref');
  const contents = new Set(spokenOf('digest'));
  const fits = exact ? references.length === needs.things : references.length >= needs.things;
  const idle = references.filter((hex) => !contents.has(hex));
  return [
    ...(fits ? [] : [`records of references: ${references.length} there, ${needs.things} needed`]),
    ...(idle.length === 0 ? [] : [`references to contents that are not there: ${shown(idle)}`]),
  ];
}

function shown(list: readonly string[]): string {
  return `${list.slice(0, 30).join(', ')}${list.length > 30 ? ` and ${list.length - 30} more` : ''}`;
}
