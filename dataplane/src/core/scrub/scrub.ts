/** The scrub over all storage locations. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError } from '../../errors.ts';
import type { CoreContext } from '../context.ts';
import type { Actor } from '../core.ts';
import type { Digest } from '../digest.ts';
import { findDigest } from '../digests.ts';
import { newId } from '../ids.ts';
import { keys } from '../keys.ts';
import type { Examination, LocationScrub, Scrub, ScrubBudget, ScrubObserver } from './contract.ts';
import { countQuarantined, listFindings } from './findings.ts';
import { readRequest, readState, takeLease } from './lease.ts';
import type { ScrubState } from './lease.ts';
import { examineOne } from './one.ts';
import { makePass } from './pass.ts';
import type { Location, ScrubRoom, ScrubTerms } from './room.ts';
import { NO_BUDGET, SCRUB_TERMS, UNOBSERVED } from './room.ts';
import { noteSound } from './settle.ts';

export interface ScrubOptions {
  /** Without one, no passes are made. */
  readonly budget?: ScrubBudget;
  readonly observer?: ScrubObserver;
  readonly terms?: Partial<ScrubTerms>;
}

export function createScrub(context: CoreContext, { budget = NO_BUDGET, observer = UNOBSERVED, terms }: ScrubOptions = {}): Scrub {
  const room: ScrubRoom = { context, budget, observer, terms: { ...SCRUB_TERMS, ...terms }, holder: newId() };
  const places: readonly Location[] = [...context.stores]
    .map(([location, store]) => ({ location, store }))
    .sort((a, b) => (a.location < b.location ? -1 : 1));
  return {
    run: async (signal) =>
      void (await Promise.all(places.flatMap((place) => [keepScrubbing(room, place, signal), keepCounting(room, place, signal)]))),
    state: () => Promise.all(places.map((place) => stateOf(room, place))),
    request: async () => {
      if (budget.bytesPerSecond === 0) throw new ArtefactError('InvalidRequest', 'This installation makes no passes: its rate is 0.');
      for (const { store } of places) await store.records.write([{ put: keys.scrubRequest, value: { at: context.now() } }]);
    },
    examine: (digest, actor, signal) => examineEverywhere(room, places, { digest, actor, signal }),
    findings: (query) => listFindings(places, query),
  };
}

async function keepScrubbing(room: ScrubRoom, place: Location, signal: AbortSignal): Promise<void> {
  // The first look comes after a pause too, when a start has settled.
  for (let pause = room.terms.tick; await rested(pause, signal);) {
    pause = await turn(room, place, signal).catch((thrown: unknown) => {
      if (!signal.aborted) room.observer.suspended(place.location, thrown);
      return room.terms.suspension;
    });
  }
}

/** False when aborted. */
function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}

/** Repairs happen in any process, while a pass goes on too: how many digests are in quarantine is looked at, not added up. */
async function keepCounting({ observer, terms }: ScrubRoom, place: Location, signal: AbortSignal): Promise<void> {
  do {
    // Storage that cannot be read is told of by the pass.
    await countQuarantined(place).then(
      (count) => observer.quarantined(place.location, count),
      () => undefined,
    );
  } while (await rested(terms.tick, signal));
}

/** Makes a pass if one is due and no other process makes it. Answers how long to rest, in ms. */
async function turn(room: ScrubRoom, place: Location, signal: AbortSignal): Promise<number> {
  const { terms, observer, context } = room;
  const found = await readState(place.store);
  if (found.state.last !== undefined) observer.passed(place.location, found.state.last);
  const next = nextPass(room, found.state, await readRequest(place.store));
  if (next === undefined || (found.state.pass === undefined && context.now() < next)) return terms.tick;
  const lease = await takeLease(room, place.store, found);
  if (lease === undefined) return terms.tick;
  const outcome = await makePass(room, place, { lease, signal });
  return outcome === 'suspended' ? terms.suspension : 0;
}

/** When the next pass is to begin; undefined where none are made. */
function nextPass({ budget, context }: ScrubRoom, { pass, last }: ScrubState, requested: number | undefined): number | undefined {
  if (budget.bytesPerSecond === 0) return undefined;
  const started = pass?.started ?? last?.started;
  // A pass of the far future is that of a clock that went wrong.
  if (started === undefined || started > context.now() + budget.period) return 0;
  return requested !== undefined && requested > started ? requested : started + budget.period;
}

async function stateOf(room: ScrubRoom, place: Location): Promise<LocationScrub> {
  const { state } = await readState(place.store);
  const next = nextPass(room, state, await readRequest(place.store));
  const { pass, last } = state;
  return {
    location: place.location,
    budget: room.budget,
    ...(pass === undefined ? {} : { pass: passView(pass) }),
    ...(last === undefined ? {} : { last }),
    ...(next === undefined ? {} : { next }),
    quarantined: await countQuarantined(place),
  };
}

/** Digests are spread evenly, so the first digits of the one it is at say how far it is. */
function passView({ after, at: _at, ...counts }: NonNullable<ScrubState['pass']>): NonNullable<LocationScrub['pass']> {
  return { ...counts, progress: after === undefined ? 0 : Number.parseInt(after.slice(0, 8), 16) / 2 ** 32 };
}

/** What `Scrub.examine` promises. Throws what a location's check throws when bytes are missing there and it cannot be used. */
async function examineEverywhere(
  room: ScrubRoom,
  places: readonly Location[],
  { digest, actor, signal }: { readonly digest: Digest; readonly actor: Actor; readonly signal: AbortSignal },
): Promise<readonly Examination[]> {
  const examinations: Examination[] = [];
  for (const place of places) {
    const { store } = place;
    const found = await findDigest(store, digest);
    if (found === undefined) continue;
    const spend = async (bytes: number): Promise<void> => room.observer.read(bytes);
    const reading = { store, spend, signal };
    const examination = await examineOne(room, { place, digest, actor, reading, guard: () => store.check() }, found);
    if (examination?.outcome === 'sound') await noteSound({ context: room.context, store, digest, actor });
    if (examination !== undefined) examinations.push(examination);
  }
  return examinations;
}
