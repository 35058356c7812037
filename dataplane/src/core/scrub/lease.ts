/**
 * How far a location's scrub is, in one record. Whoever makes a pass writes it again and again, and so holds the pass: of
 * several processes that share a location the others see that it lives, and carry the pass on when it falls silent.
 */
import { isError } from '../../errors.ts';
import type { Json, Revision, Store } from '../../storage/contract.ts';
import { keys } from '../keys.ts';
import type { LocationScrub, PassCounts } from './contract.ts';
import type { ScrubRoom } from './room.ts';

/** A pass under way. */
export interface PassState extends PassCounts {
  /** Ms since the epoch. */
  readonly started: number;
  /** Hex of the last digest that it is done with. */
  readonly after?: string;
  /** The digest that it is at, and how many processes ended while they were there. */
  readonly at?: { readonly hex: string; readonly ended: number } | undefined;
}

export interface ScrubState {
  readonly pass?: PassState;
  readonly last?: NonNullable<LocationScrub['last']>;
  /** Who makes the pass, alive at `beat` (ms since the epoch). */
  readonly holder?: { readonly id: string; readonly beat: number };
}

interface FoundState {
  readonly state: ScrubState;
  readonly revision?: Revision;
}

export async function readState(store: Store): Promise<FoundState> {
  const entry = await store.records.get(keys.scrubState);
  return entry === undefined ? { state: {} } : { state: entry.value as unknown as ScrubState, revision: entry.revision };
}

/** When somebody last asked for a pass, in ms since the epoch. */
export async function readRequest(store: Store): Promise<number | undefined> {
  const entry = await store.records.get(keys.scrubRequest);
  return entry && (entry.value as { readonly at: number }).at;
}

/** A hold on a location's scrub. */
export interface Lease {
  /** As it was when the hold was taken. */
  readonly state: ScrubState;
  /** Writes it, and says that this process lives. Throws `Conflict` when another one holds it by now. */
  save(state: Omit<ScrubState, 'holder'>): Promise<void>;
  /** Writes it for the last time. */
  release(state: Omit<ScrubState, 'holder'>): Promise<void>;
}

/** Takes hold of a location's scrub as it was found; undefined where another process holds it, or is quicker. */
export async function takeLease({ context, terms, holder }: ScrubRoom, store: Store, found: FoundState): Promise<Lease | undefined> {
  const { state } = found;
  const theirs = state.holder !== undefined && state.holder.id !== holder;
  // A beat of the future is that of a clock that went wrong.
  if (theirs && Math.abs(context.now() - state.holder.beat) < terms.lease) return undefined;
  let revision = found.revision;
  const write = async (next: ScrubState): Promise<void> => {
    const condition = revision === undefined ? { ifAbsent: true as const } : { ifRevision: revision };
    [revision] = await store.records.write([{ put: keys.scrubState, value: next as unknown as Json, ...condition }]);
  };
  // One after another: each goes by the revision that the one before it made.
  let writes: Promise<void> = Promise.resolve();
  const inTurn = (next: ScrubState): Promise<void> => {
    const written = writes.then(() => write(next));
    writes = written.catch(() => undefined);
    return written;
  };
  const save: Lease['save'] = (next) => inTurn({ ...next, holder: { id: holder, beat: context.now() } });
  try {
    await save(state);
  } catch (error) {
    if (isError(error, 'Conflict')) return undefined;
    throw error;
  }
  return { state, save, release: (next) => inTurn(next) };
}
