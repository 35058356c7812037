/** What one client may take of a process. docs/limits.md tells the same to operators. */
import type { LimitSettings } from '../config/settings.ts';

/**
 * Times in ms, sizes in bytes. Beyond `headerBytes`: 431; beyond `headersMs`, from the opening of a connection or the first
 * byte of a further request to the end of its headers: 408; after a silence of `bodyIdleMs` in a body that we wait for, or
 * below `bodyMinRate`: `BodyTooSlow`; when a reader takes nothing for `sendIdleMs`: the connection is closed.
 */
export interface HttpLimits extends LimitSettings {
  /** The slowest sender is judged over so much waiting, in ms. */
  readonly bodyWindowMs: number;
}

/** A sender may stall for seconds and still be above the least rate on the whole. */
export const BODY_WINDOW_MS = 30_000;

/** After a refusal, this much of a body that nobody wants is still read, so that its sender gets to read the answer. */
export const LINGER_BYTES = 256 * 1024;
export const LINGER_MS = 500;
