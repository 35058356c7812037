/** What the parts of the scrub are given. */
import type { Store } from '../../storage/contract.ts';
import type { CoreContext } from '../context.ts';
import type { Actor } from '../core.ts';
import type { ScrubBudget, ScrubObserver } from './contract.ts';

/** Times of the scrub itself, in ms. */
export interface ScrubTerms {
  /** How often a process looks whether a pass is due. */
  readonly tick: number;
  /** How often a pass says how far it is, which is also that its process lives. */
  readonly save: number;
  /** Silent for this long, a process is taken for gone, and another carries its pass on. */
  readonly lease: number;
  /** Pauses before bytes that could not be read are read again. */
  readonly retries: readonly number[];
  /** How long a pass rests when storage cannot be read. */
  readonly suspension: number;
}

const SECOND = 1000;

export const SCRUB_TERMS: ScrubTerms = {
  tick: 10 * SECOND,
  save: 10 * SECOND,
  lease: 60 * SECOND,
  retries: [SECOND, 10 * SECOND],
  suspension: 300 * SECOND,
};

/** By default there are no passes. */
export const NO_BUDGET: ScrubBudget = { bytesPerSecond: 0, digestsPerSecond: 1, period: 7 * 24 * 3600 * SECOND };

export const UNOBSERVED: ScrubObserver = {
  read: () => undefined,
  examined: () => undefined,
  passed: () => undefined,
  uploadDamaged: () => undefined,
  quarantined: () => undefined,
  suspended: () => undefined,
};

export interface ScrubRoom {
  readonly context: CoreContext;
  readonly budget: ScrubBudget;
  readonly terms: ScrubTerms;
  readonly observer: ScrubObserver;
  /** Names this process among those that may hold a pass. */
  readonly holder: string;
}

/** A storage location under its name. */
export interface Location {
  readonly location: string;
  readonly store: Store;
}

/** Who quarantines when nobody asked. */
export const SCRUBBER: Actor = { principal: 'bonded:scrub', operation: 'scrub', requestId: '', remoteAddress: '' };
