/** Runs collection from time to time, in the one process of the machine that leads. */
import type { Core } from '../core/core.ts';
import type { Log } from '../telemetry/log.ts';

const MINUTE = 60_000;

export interface Collector {
  /** Resolves when a round that was under way has stopped. */
  stop(): Promise<void>;
}

export interface CollectorOptions {
  /** What nothing names stays this long, in ms: rounds are a quarter of it apart, and one to fifteen minutes. */
  readonly graceMs: number;
  readonly log: Log;
}

/** Starts it; the first round comes after a pause too, when a start has settled. A round that fails is logged, and the next one comes. */
export function startCollector(collection: Pick<Core['collection'], 'collect'>, { graceMs, log }: CollectorOptions): Collector {
  const pause = Math.min(Math.max(graceMs / 4, MINUTE), 15 * MINUTE);
  const stopping = new AbortController();
  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    round = round.then(() => (stopping.signal.aborted ? undefined : runRound(collection, stopping.signal, log)));
  }, pause);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await round;
    },
  };
}

async function runRound(collection: Pick<Core['collection'], 'collect'>, signal: AbortSignal, log: Log): Promise<void> {
  try {
    const removed = await collection.collect(signal);
    if (Object.values(removed).some((count) => count > 0)) log.info(removed, 'collected');
  } catch (thrown) {
    if (!signal.aborted) log.error({ err: thrown }, 'collection failed; the next round tries again');
  }
}
