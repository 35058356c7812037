/** Ids that follow each other in time although the clock may be put back: a reader who has come to one misses none that come later. */
import { following, newId, timeOfId } from './ids.ts';

export interface Order {
  next(): string;
  /** From now on ids are later than this, in ms since the epoch. */
  startAfter(ms: number): void;
}

/** An order of this process. While the clock is behind, its ids go on at the pace of time from where they were. */
export function createOrder(now: () => number, elapsed: () => number): Order {
  const ahead = now() - elapsed();
  let floor = 0;
  let last = '';
  return {
    next() {
      const moment = Math.max(now(), Math.floor(ahead + elapsed()), floor);
      last = last !== '' && moment <= timeOfId(last) ? following(last) : newId(undefined, moment);
      return last;
    },
    startAfter(ms) {
      floor = Math.max(floor, ms + 1);
    },
  };
}
