/** How often and how long a request is repeated: full jitter, a deadline, and a budget that all requests of a store share. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf, translate, type FailureKind } from './failure.ts';

/** Repetitions that may be made at once, before successes must earn more. */
const FULL = 200;
/** What a success earns: in the long run at most one repetition for every two requests. */
const EARNED = 0.5;
/** What passing time earns, per second, so that a store that was out of reach is tried again. */
const PER_SECOND = 2;

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 2_000;

/** What is worth another attempt. */
const PASSING: readonly FailureKind[] = ['busy', 'slow', 'unknown'];

export interface Budget {
  /** A request succeeded. */
  earn(): void;
  /** True when one more repetition may be made. */
  spend(): boolean;
}

/** A full token bucket. `now` in ms. */
export function openBudget(now: () => number = () => performance.now()): Budget {
  let tokens = FULL;
  let last = now();
  const refill = (more: number): void => {
    tokens = Math.min(FULL, tokens + more + ((now() - last) / 1000) * PER_SECOND);
    last = now();
  };
  return {
    earn: () => refill(EARNED),
    spend() {
      refill(0);
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

export interface Patience {
  readonly location: string;
  readonly budget: Budget;
  /** No repetition begins after this long, in ms. */
  readonly deadlineMs: number;
}

/** Repetitions of one piece of work. */
export interface Tries {
  /** Waits before the next attempt; throws what `thrown` means to the data plane when there is to be none. */
  again(thrown: unknown): Promise<void>;
}

/** Begins counting now. */
export function beginTries({ location, budget, deadlineMs }: Patience): Tries {
  const until = performance.now() + deadlineMs;
  let tries = 0;
  return {
    async again(thrown) {
      const { kind } = failureOf(thrown);
      const pause = randomInt(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
      tries += 1;
      if (!PASSING.includes(kind) || performance.now() + pause > until || !budget.spend()) throw translate(thrown, location);
      await sleep(pause);
    },
  };
}

/** Repeats a request that may be made twice. Its other failures come as they are, for the caller to judge. */
export async function repeated<T>(patience: Patience, request: () => Promise<T>): Promise<T> {
  const tries = beginTries(patience);
  for (;;) {
    try {
      const result = await request();
      patience.budget.earn();
      return result;
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (!PASSING.includes(failure.kind) && failure.kind !== 'fatal') {
        patience.budget.earn();
        throw failure;
      }
      await tries.again(failure);
    }
  }
}
