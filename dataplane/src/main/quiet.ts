/** Gives memory back when nothing is going on: what a start, or a busy time, has left behind is collected once it is over. */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often a process looks whether it is quiet, in ms. */
const LOOK_MS = 2000;

/** The part of the time that its event loop may be busy for that. */
const QUIET = 0.05;

export interface Quiet {
  stop(): void;
}

/**
 * V8 lets its heap be several times what is in use until there is need, and in a process that nobody asks anything there is none
 * for hours. Collecting takes some 50 ms, in which nobody is served; so it is done once after each busy time, `LOOK_MS` into the quiet.
 */
export function giveBackWhenQuiet(collect: () => void = collectAll, lookMs: number = LOOK_MS): Quiet {
  let before = performance.eventLoopUtilization();
  let tidy = false;
  const look = setInterval(() => {
    const quiet = performance.eventLoopUtilization(before).utilization < QUIET;
    if (quiet && !tidy) collect();
    tidy = quiet;
    // What collecting took is no sign of work.
    before = performance.eventLoopUtilization();
  }, lookMs);
  look.unref();
  return { stop: () => clearInterval(look) };
}

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

/** The function is there for contexts made after the flag is set. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
