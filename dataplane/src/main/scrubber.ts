/** Runs the scrub in the one process of the machine that leads, and tells metrics and log what it finds. */
import type { Examination, LocationScrub, Scrub, ScrubObserver } from '../core/scrub/contract.ts';
import type { Log } from '../telemetry/log.ts';
import type { ScrubMetrics } from '../telemetry/metrics.ts';

export interface Scrubber {
  /** Resolves when a pass that was under way has stopped; it goes on where it stood. */
  stop(): Promise<void>;
}

/** Starts it. */
export function startScrubber(scrub: Pick<Scrub, 'run'>, log: Log): Scrubber {
  const stopping = new AbortController();
  const running = scrub
    .run(stopping.signal)
    .catch((thrown: unknown) => log.error({ err: thrown }, 'the scrub ended; it begins again with the next start'));
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** How each outcome is logged; what is as it should be is not. */
const LEVELS = { released: 'info', unsteady: 'warn', unreadable: 'warn', quarantined: 'error' } as const;

/** Tells both. */
export function createScrubObserver(metrics: ScrubMetrics, log: Log): ScrubObserver {
  const began = Date.now();
  const told = new Map<string, number>();
  return {
    read: (bytes) => metrics.read(bytes),
    examined: (digest, examination) => {
      metrics.examined(examination.outcome);
      logExamination(log, digest, examination);
    },
    passed: (location, last) => {
      metrics.passed(location, last.finished);
      if (last.finished >= began && told.get(location) !== last.finished) logPass(log, location, last);
      told.set(location, last.finished);
    },
    uploadDamaged: (damage) => {
      metrics.uploadDamaged(damage.kind);
      log.error({ ...damage }, 'stored bytes of an upload are damaged');
    },
    quarantined: (location, count) => metrics.quarantined(location, count),
    suspended: (location, reason) => log.warn({ location, err: reason }, 'the scrub rests: storage cannot be read'),
  };
}

function logExamination(log: Log, digest: string, { location, outcome, fault }: Examination): void {
  if (outcome === 'sound') return;
  log[LEVELS[outcome]]({ location, digest, outcome, fault: fault?.kind, detail: fault?.detail }, 'scrub');
}

function logPass(log: Log, location: string, { started, finished, ...counts }: NonNullable<LocationScrub['last']>): void {
  log.info({ location, ...counts, ms: finished - started }, 'scrub pass finished');
}
