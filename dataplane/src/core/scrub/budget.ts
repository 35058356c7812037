/** Holds a pass to its budget: whoever took more than its share of a second waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScrubBudget } from './contract.ts';

/** What was not used may be made up for this long, in ms; waits below it are gathered, for timers are not that fine. */
const SLACK = 50;

/** Takes `amount` of a rate per second, and waits until that much is due. Rejects when aborted. */
export type Spend = (amount: number, signal: AbortSignal) => Promise<void>;

export interface Pace {
  readonly bytes: Spend;
  readonly digests: Spend;
}

/** The pace of one location. */
export function paceOf({ bytesPerSecond, digestsPerSecond }: Pick<ScrubBudget, 'bytesPerSecond' | 'digestsPerSecond'>): Pace {
  return { bytes: limited(bytesPerSecond), digests: limited(digestsPerSecond) };
}

function limited(perSecond: number): Spend {
  let paidUntil = 0;
  return async (amount, signal) => {
    const now = performance.now();
    paidUntil = Math.max(paidUntil, now - SLACK) + (amount * 1000) / perSecond;
    const wait = paidUntil - now;
    if (wait > SLACK) await sleep(wait, undefined, { signal, ref: false });
  };
}
