/** Watches the directory of manifests, so that what people change there comes into force without being told. One process does it. */
import { watch, type FSWatcher } from 'node:fs';

export interface DirectoryWatch {
  close(): Promise<void>;
}

export interface WatchTiming {
  /** After a sign of change it is quiet for so long before the directory is read, in ms: editors and Git write many files. */
  readonly settleMs: number;
  /** Without a sign it is read this often, for file systems that give none, and for signs that were lost. */
  readonly rescanMs: number;
}

export const WATCH_TIMING: WatchTiming = { settleMs: 100, rescanMs: 5000 };

/** A reading may take at most about this share of the time: a very large directory is read less often. */
const SHARE = 20;

/** Calls `changed` after changes and from time to time, never two at once. It must not throw. */
export function watchDirectory(directory: string, changed: () => Promise<void>, timing: WatchTiming = WATCH_TIMING): DirectoryWatch {
  let closed = false;
  let again = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const plan = (ms: number): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void run(), ms).unref();
  };
  const run = async (): Promise<void> => {
    if (running) {
      again = true;
      return;
    }
    const began = performance.now();
    running = changed();
    await running;
    running = undefined;
    const took = performance.now() - began;
    plan(again ? timing.settleMs : Math.max(timing.rescanMs, took * SHARE));
    again = false;
  };
  const watcher = tryWatch(directory, () => (running ? (again = true) : plan(timing.settleMs)));
  plan(timing.rescanMs);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      watcher?.close();
      await running;
    },
  };
}

/** Where there can be no watch (no such support, too many already), the rescan is what remains. */
function tryWatch(directory: string, sign: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { recursive: true, persistent: false }, sign).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
