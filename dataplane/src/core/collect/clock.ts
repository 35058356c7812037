/**
 * Whether ages can be trusted. Bytes on their way, notes of garbage and sessions say when they were, by a clock that may be put forward:
 * all of them would then look old at once, and what is alive would be taken for what is left behind.
 */
import { ArtefactError } from '../../errors.ts';

export interface ClockWatch {
  /** Throws `Unavailable` within a grace time after the clock was found put forward: by then, what lives has said so anew. */
  check(): void;
}

export interface Clocks {
  /** Ms since the epoch; may jump. */
  readonly now: () => number;
  /** Ms; grows as time passes, and never jumps. */
  readonly elapsed: () => number;
}

/** A clock that gains less than this share of the grace time between two looks makes nothing look old that is not. */
const TOLERANCE = 1 / 4;

/** Watches from now on. A clock that was put back only makes things look younger; that it comes back is a jump again. */
export function watchClock({ now, elapsed }: Clocks, grace: number): ClockWatch {
  let ahead = now() - elapsed();
  let until = Number.NEGATIVE_INFINITY;
  return {
    check() {
      const gained = now() - elapsed() - ahead;
      ahead += gained;
      if (gained > grace * TOLERANCE) until = elapsed() + grace;
      const rest = until - elapsed();
      if (rest > 0) throw untrusted(rest);
    },
  };
}

function untrusted(rest: number): ArtefactError {
  return new ArtefactError(
    'Unavailable',
    `The clock was put forward: nothing is collected for ${Math.ceil(rest / 60_000)} more minutes, so that nothing alive is taken for old.`,
  );
}
