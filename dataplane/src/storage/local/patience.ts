/** Waiting for the write lock that the processes of one directory share. */
import { randomInt } from 'node:crypto';
import Database from 'better-sqlite3';
import { unavailable } from './failure.ts';

/** Beyond this something is wrong with whoever holds the lock, in ms. */
export const LOCK_PATIENCE_MS = 30_000;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread; fractions of a millisecond count. */
export function pauseFor(milliseconds: number): void {
  Atomics.wait(cell, 0, 0, milliseconds);
}

/**
 * Repeats `step` while another process holds the lock. SQLite's own waiting sleeps ever longer, so that whoever waits long
 * loses to whoever comes fresh; here the pause gets shorter the longer one has waited, so the lock goes round. Throws
 * `Unavailable` when the lock does not come free for `LOCK_PATIENCE_MS`.
 */
export function whenLockIsFree(location: string, step: () => void, patienceMs: number = LOCK_PATIENCE_MS): void {
  const began = performance.now();
  for (;;) {
    try {
      return step();
    } catch (thrown) {
      if (!isBusy(thrown)) throw thrown;
      const waited = performance.now() - began;
      if (waited > patienceMs)
        throw unavailable(location, 'another process has held its write lock for too long; look for one that hangs', thrown);
      pauseFor(pause(waited));
    }
  }
}

/** True when another connection was in the way. */
export function isBusy(thrown: unknown): boolean {
  return thrown instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(thrown.code);
}

/** 0.3 ms at first, 0.05 ms after some 50 ms; a random part keeps waiters from keeping step. */
function pause(waited: number): number {
  const base = Math.max(0.05, 0.3 / (1 + waited / 10));
  return base * (0.5 + randomInt(1000) / 2000);
}
