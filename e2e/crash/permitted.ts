/**
 * Which states a name may be in after operations of which some overlapped and some were never answered: every order in which each
 * operation takes effect at one moment between its request and its answer, or, without an answer, later or never.
 */
import { keyOf, steps, type Operation, type State, type Versioning } from './states.ts';

/** Steps of one search; beyond, its answer would take too long. */
const MOST_STEPS = 400_000;

export class TooManyOrders extends Error {}

/** All permitted states, each once; none when no order explains the answers. Throws `TooManyOrders`. */
export function permitted(before: readonly State[], operations: readonly Operation[], versioning: Versioning): readonly State[] {
  const effective = operations.filter(({ outcome }) => outcome.kind !== 'nothing');
  const answered = effective.filter(({ outcome }) => outcome.kind !== 'unknown');
  const open = effective.filter(({ outcome, act }) => outcome.kind === 'unknown' && act.kind !== 'read');
  const found = new Map<string, State>();
  const visited = new Set<string>();
  const search = { answered: answered.toSorted((a, b) => a.start - b.start), open, versioning, found, visited };
  for (const state of before) explore(search, state, 0n);
  return [...found.values()];
}

interface Search {
  readonly answered: readonly Operation[];
  readonly open: readonly Operation[];
  readonly versioning: Versioning;
  readonly found: Map<string, State>;
  readonly visited: Set<string>;
}

/** `done` has a bit for each operation that has taken effect: the answered ones first, then the others. */
function explore(search: Search, state: State, done: bigint): void {
  const { answered, open, found, visited } = search;
  const place = `${done}|${keyOf(state)}`;
  if (visited.has(place)) return;
  visited.add(place);
  if (visited.size > MOST_STEPS) throw new TooManyOrders();
  const left = answered.filter((_, index) => (done & (1n << BigInt(index))) === 0n);
  if (left.length === 0) found.set(keyOf(state), state);
  const firstEnd = left.reduce((least, { end }) => Math.min(least, end), Infinity);
  [...answered, ...open].forEach((operation, index) => {
    const bit = 1n << BigInt(index);
    if ((done & bit) !== 0n || operation.start > firstEnd) return;
    for (const next of steps(state, operation, search.versioning)) explore(search, next, done | bit);
  });
}
