/** The histories of all names: what was asked for and answered since their state was last seen, and what they may be now. */
import { permitted, TooManyOrders } from './permitted.ts';
import { keyOf, NOTHING, type Act, type Operation, type Outcome, type State, type Thing, type Version, type Versioning } from './states.ts';

/** A version as the server shows it. */
export interface Seen {
  readonly id: string;
  readonly mark?: string;
  readonly size: number;
  readonly etag: string;
  /** Of the bytes that were read, by the checker. */
  readonly sha256?: string;
  readonly tags: string;
}

export interface Name {
  readonly bucket: string;
  readonly key: string;
}

interface History {
  states: readonly State[];
  operations: Operation[];
  /** Of earlier rounds, for people. */
  readonly told: string[];
}

/** Lines of a name's history that a failure shows. */
const TOLD = 120;

export interface Register {
  /** Notes a request on its way. It counts as unanswered until `end`. */
  begin(name: Name, act: Act, who: string): Operation;
  end(operation: Operation, outcome: Outcome): void;
  /** Moments so far; operations that start later have a greater `start`. */
  moment(): number;
  /** Settles a name by what is seen of it now. Answers what is wrong, or undefined. */
  observe(name: Name, versioning: Versioning, seen: readonly Seen[]): string | undefined;
  /** The one state of a name that was observed and left alone since; undefined for others. */
  settled(name: Name): State | undefined;
  /** What was last known of a name, for choosing what to do next. */
  guess(name: Name): State;
  names(): readonly Name[];
  /** The history of a name, for people. */
  story(name: Name): string;
  /** How many names had too many unanswered operations to be judged. */
  unjudged(): number;
}

/** Nothing has happened yet. */
export function openRegister(): Register {
  const histories = new Map<string, { readonly name: Name; readonly history: History }>();
  let moments = 0;
  let numbers = 0;
  let unjudged = 0;
  const historyOf = (name: Name): History => {
    const id = `${name.bucket}/${name.key}`;
    const found = histories.get(id) ?? { name, history: { states: [NOTHING], operations: [], told: [] } };
    histories.set(id, found);
    return found.history;
  };
  return {
    begin(name, act, who) {
      const operation: Operation = { n: (numbers += 1), act, start: (moments += 1), end: Infinity, outcome: { kind: 'unknown' }, who };
      historyOf(name).operations.push(operation);
      return operation;
    },
    end(operation, outcome) {
      operation.outcome = outcome;
      operation.end = outcome.kind === 'unknown' ? Infinity : (moments += 1);
    },
    moment: () => moments,
    observe(name, versioning, seen) {
      const history = historyOf(name);
      const may = statesNow(history, versioning);
      if (may === undefined) unjudged += 1;
      const agree = may === undefined ? [stateOf(seen, history)] : may.flatMap((state) => agreeing(state, seen));
      tell(history, `seen: ${shownAll(seen)}`);
      if (agree.length === 0) return disagreement(name, may ?? [], seen);
      history.states = agree;
      history.operations = [];
      return undefined;
    },
    settled(name) {
      const { states, operations } = historyOf(name);
      return operations.length === 0 && states.length > 0 ? states[0] : undefined;
    },
    guess: (name) => historyOf(name).states[0] ?? NOTHING,
    names: () => [...histories.values()].map(({ name }) => name),
    story: (name) => historyOf(name).told.join('\n'),
    unjudged: () => unjudged,
  };
}

function statesNow({ states, operations }: History, versioning: Versioning): readonly State[] | undefined {
  try {
    return permitted(states, operations, versioning);
  } catch (error) {
    if (error instanceof TooManyOrders) return undefined;
    throw error;
  }
}

/** The state with its unknown ids filled in by what is seen; none when it is another. */
function agreeing(state: State, seen: readonly Seen[]): readonly State[] {
  if (state.versions.length !== seen.length) return [];
  const versions = state.versions.map((version, index) => sameVersion(version, seen[index]!));
  return versions.every((version) => version !== undefined) ? [{ ...state, versions }] : [];
}

function sameVersion(version: Version, seen: Seen): Version | undefined {
  if (version.id !== undefined && version.id !== seen.id) return undefined;
  const same = version.thing === undefined ? seen.mark === undefined : version.tags === seen.tags && sameThing(version.thing, seen);
  return same ? { ...version, id: seen.id } : undefined;
}

function sameThing(thing: Thing, seen: Seen): boolean {
  return thing.mark === seen.mark && thing.sha256 === seen.sha256 && thing.size === seen.size && thing.etag === seen.etag;
}

/** Where no search is possible, what is seen is taken for granted, as far as it is whole. */
function stateOf(seen: readonly Seen[], { operations, states }: History): State {
  const things = new Map<string, Thing>();
  for (const { act } of operations) if (act.kind === 'put') things.set(act.thing.mark, act.thing);
  for (const { versions } of states) for (const { thing } of versions) if (thing !== undefined) things.set(thing.mark, thing);
  return {
    versions: seen.map(({ id, mark, tags }) => ({ id, by: 0, tags, ...(mark === undefined ? {} : { thing: things.get(mark) }) })),
    ended: [],
  };
}

function tell(history: History, line: string): void {
  history.told.push(...history.operations.map(shownOperation), line);
  history.told.splice(0, Math.max(0, history.told.length - TOLD));
}

function disagreement({ bucket, key }: Name, may: readonly State[], seen: readonly Seen[]): string {
  const states = may.slice(0, 12).map((state) => `    ${shownState(state)}`);
  return [
    `${bucket}/${key} is what it cannot be.`,
    `  seen:\n    ${shownAll(seen)}`,
    may.length === 0 ? '  No order of the operations explains their answers.' : `  permitted (${may.length}):\n${states.join('\n')}`,
  ].join('\n');
}

function shownAll(seen: readonly Seen[]): string {
  if (seen.length === 0) return 'nothing';
  return seen
    .map(({ id, mark, size, tags, sha256 }) => `${short(id)}=${mark ?? 'marker'}(${size}${tags && ` ${tags}`} ${short(sha256 ?? '')})`)
    .join(' > ');
}

function shownState(state: State): string {
  if (state.versions.length === 0) return `nothing ${state.ended.length > 0 ? keyOf(state) : ''}`;
  return state.versions
    .map(
      ({ id, thing, tags, by }) =>
        `${short(id ?? '?')}=${thing?.mark ?? 'marker'}#${by}(${thing?.size ?? ''}${tags && ` ${tags}`} ${short(thing?.sha256 ?? '')})`,
    )
    .join(' > ');
}

function shownOperation({ n, act, start, end, outcome, who }: Operation): string {
  const what = act.kind === 'put' ? `${act.thing.mark} (${act.thing.size} bytes)` : JSON.stringify({ ...act, kind: undefined });
  const only = 'only' in act && act.only !== undefined ? ` only if ${JSON.stringify(act.only)}` : '';
  return `#${n} ${who} [${start}, ${end}] ${act.kind} ${what}${only}: ${JSON.stringify(outcome)}`;
}

function short(text: string): string {
  return text.length > 12 ? text.slice(-10) : text;
}
