/** Judges a sender by the time that we spend waiting for it; time that storage needs is never held against it. */
import { ArtefactError } from '../errors.ts';
import type { HttpLimits } from './limits.ts';

export type PaceLimits = Pick<HttpLimits, 'bodyIdleMs' | 'bodyMinRate' | 'bodyWindowMs'>;

export interface Pace {
  /** We begin to wait for the sender. */
  waitBegins(): void;
  /** We no longer do. */
  waitEnds(): void;
  arrived(bytes: number): void;
  /** Nothing more is expected. */
  stop(): void;
}

/** Calls `fail` with `BodyTooSlow` after a silence of `bodyIdleMs`, or below `bodyMinRate` over each `bodyWindowMs` of waiting. */
export function createPace(limits: PaceLimits, fail: (error: ArtefactError) => void): Pace {
  let since: number | undefined;
  let waited = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const onIdle = () => {
    if (since !== undefined) fail(tooSlow(`No byte of the body arrived for ${limits.bodyIdleMs / 1000} seconds.`));
  };
  const judge = () => {
    if (waited < limits.bodyWindowMs) return;
    if (bytes / (waited / 1000) < limits.bodyMinRate)
      fail(tooSlow(`The body arrived at less than ${limits.bodyMinRate} bytes per second.`));
    waited = 0;
    bytes = 0;
  };

  return {
    waitBegins() {
      since = performance.now();
      timer = timer?.refresh() ?? setTimeout(onIdle, limits.bodyIdleMs);
    },
    waitEnds() {
      if (since === undefined) return;
      waited += performance.now() - since;
      since = undefined;
      judge();
    },
    arrived(count) {
      bytes += count;
    },
    stop() {
      since = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function tooSlow(what: string): ArtefactError {
  return new ArtefactError('BodyTooSlow', `${what} Send the request again over a better connection, or in smaller parts.`);
}
