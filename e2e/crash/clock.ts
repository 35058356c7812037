/**
 * Loaded into the server before anything else (`node --import`): its clock runs ahead, so that what was left by a kill is soon old
 * enough to be collected, and what happens every few minutes happens many times a second. Nothing of the server is changed for it.
 *
 * Only the server's own code is told the other time: the SDK beneath the s3 driver signs by the time that the S3 server has.
 */
import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** Line on standard output: a round of collection is due. */
const DUE = '{"crash":"collection"}\n';

const MINUTE = 60_000;
/** Rounds of collection are a quarter of the grace time of an hour apart. */
const COLLECTION = 15 * MINUTE;
/** Other long pauses are as many times shorter. */
const FASTER = 2000;

/** Where times are compared with those that a kernel or an S3 server gave; the harness makes files older instead. */
const OF_OTHERS = /\/storage\/(local\/(sweep|walk)\.ts|s3\/)/;

const ahead = Number(process.env.CRASH_CLOCK_AHEAD_MS ?? 0);
const collectEvery = Number(process.env.CRASH_COLLECT_EVERY_MS ?? 200);

const realNow = Date.now;
Date.now = function now(): number {
  return askedByServer() ? realNow() + ahead : realNow();
};

/** True when the function that asks for the time stands in the server's sources. */
function askedByServer(): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 3;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  const asking = stack.split('\n')[3] ?? '';
  return asking.includes('/dataplane/src/') && !OF_OTHERS.test(asking);
}

function shortened(ms: number | undefined): number | undefined {
  if (ms === COLLECTION) return collectEvery;
  return ms !== undefined && ms >= MINUTE ? Math.max(20, ms / FASTER) : ms;
}

function announced(callback: (...given: unknown[]) => void): (...given: unknown[]) => void {
  return (...given) => {
    try {
      writeSync(1, DUE);
    } catch {
      // Nobody reads it any more.
    }
    callback(...given);
  };
}

const realInterval = globalThis.setInterval;
globalThis.setInterval = ((callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
  realInterval(ms === COLLECTION ? announced(callback) : callback, shortened(ms), ...given)) as typeof setInterval;

const harness = Number(process.env.CRASH_HARNESS_PID);
realInterval(() => {
  try {
    process.kill(harness, 0);
  } catch {
    // Nobody is there any more who would end this server.
    process.exit(1);
  }
}, 1000).unref();

const realSleep = timers.setTimeout;
timers.setTimeout = (ms, ...given) => realSleep(shortened(ms), ...given);
syncBuiltinESMExports();
