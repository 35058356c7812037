/** What one client may take of a process. docs/limits.md tells the same to operators. */

export interface HttpLimits {
  /** Request line and headers together, in bytes; beyond: 431. */
  readonly headerBytes: number;
  /** From the opening of a connection, or the first byte of a further request, to the end of its headers, in ms; beyond: 408. */
  readonly headersMs: number;
  /** Silence within a request body that we wait for, in ms; beyond: `BodyTooSlow`. */
  readonly bodyIdleMs: number;
  /** The slowest sender that is waited for, in bytes per second over `bodyWindowMs` of waiting; below: `BodyTooSlow`. */
  readonly bodyMinRate: number;
  readonly bodyWindowMs: number;
  /** Within an answer: how long a reader may take none of it, in ms; beyond: the connection is closed. */
  readonly sendIdleMs: number;
  /** Between requests, in ms. */
  readonly keepAliveMs: number;
  /** Per process; further ones are closed at once. */
  readonly maxConnections: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  headerBytes: 16 * 1024,
  headersMs: 20_000,
  bodyIdleMs: 30_000,
  bodyMinRate: 1024,
  bodyWindowMs: 30_000,
  sendIdleMs: 60_000,
  keepAliveMs: 65_000,
  maxConnections: 10_000,
};

/** After a refusal, this much of a body that nobody wants is still read, so that its sender gets to read the answer. */
export const LINGER_BYTES = 256 * 1024;
export const LINGER_MS = 500;
