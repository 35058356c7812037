/** How a process is asked to stop, and how its last words get out. */
import type { Log } from '../telemetry/log.ts';

/** Calls `stop` at the first of these signals, and `hurry` at every further one. */
export function onStopSignals(stop: () => void, hurry: () => void, signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']): void {
  let asked = false;
  const onSignal = () => {
    if (asked) {
      hurry();
      return;
    }
    asked = true;
    stop();
  };
  for (const signal of signals) process.on(signal, onSignal);
}

/** What nobody caught leaves the process in a state that nobody knows: it is logged, and the process ends. */
export function endOnUncaught(log: Log): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'uncaught; this process ends');
    process.exit(1);
  });
}
