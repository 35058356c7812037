/** Gives memory of the calling thread back when nothing is going on: what a start, or a busy time, has left behind is collected once it is over. */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often a thread looks whether it is quiet, in ms. */
const LOOK_MS = 2000;

/** The part of the time that its event loop may be busy for that. */
const QUIET = 0.05;

export interface Quiet {
  stop(): void;
}

export interface QuietOptions {
  readonly collect?: () => void;
  readonly lookMs?: number;
  /** The part of the time since it was last asked in which the event loop was busy, 0 to 1. */
  readonly utilization?: () => number;
}

/**
 * V8 lets a thread's heap be several times what is in use until there is need, and in a thread that nobody asks anything there is none
 * for hours. Collecting takes some 50 ms, in which nobody is served; so it is done once after each busy time, a look into the quiet.
 */
export function giveBackWhenQuiet(options: QuietOptions = {}): Quiet {
  const { collect = collectAll, lookMs = LOOK_MS, utilization = ofEventLoop() } = options;
  let tidy = false;
  const look = setInterval(() => {
    const quiet = utilization() < QUIET;
    if (quiet && !tidy) {
      collect();
      // What collecting took is no sign of work.
      utilization();
    }
    tidy = quiet;
  }, lookMs);
  look.unref();
  return { stop: () => clearInterval(look) };
}

function ofEventLoop(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const { utilization } = performance.eventLoopUtilization(before);
    before = performance.eventLoopUtilization();
    return utilization;
  };
}

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

/** The function is there for contexts made after the flag is set. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
